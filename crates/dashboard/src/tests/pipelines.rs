//! Pipelines: started with a file, their reports looked at.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use mcpanel_control::NewArtifact;
use mcpanel_domain::{ArtifactId, Payload, pipeline, retry::ErrorType};
use mcpanel_guard::Permission;
use mcpanel_store::query::{Page, PipelineFilter};

use super::world::{ADMIN_KEY, World};

/// A form with a file, as browsers send it.
fn multipart(fields: &[(&str, &str)], file: Option<(&str, &str)>) -> Body {
    let mut body = String::new();
    for (name, value) in fields {
        body.push_str(&format!(
            "--line\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    if let Some((name, text)) = file {
        body.push_str(&format!("--line\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: text/csv\r\n\r\n{text}\r\n"));
    }
    body.push_str("--line--\r\n");
    Body::from(body)
}

#[tokio::test]
async fn a_pipeline_starts_from_a_template_and_a_file() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let token = browser.get("/pipelines/new").await.field("csrf");
    let request = || {
        Request::post("/pipelines/new").header("content-type", "multipart/form-data; boundary=line")
    };
    let fields = [
        ("csrf", &*token),
        ("template", "techdeck"),
        ("tags", "a, b"),
        ("execute", "yes"),
    ];
    let answer = browser
        .send(
            request(),
            multipart(&fields, Some(("talks.csv", "q,a\r\n1,2"))),
        )
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let page = Page::first(10);
    let made = world
        .control
        .pipelines
        .list(&world.scope, &PipelineFilter::default(), &page)
        .await
        .unwrap();
    let pipeline = &made.items[0].pipeline;
    assert_eq!(pipeline.status, pipeline::Status::Running);
    assert_eq!(pipeline.name, "techdeck over talks.csv");
    assert_eq!(pipeline.tags, ["a", "b"]);
    assert!(
        pipeline
            .input_data
            .as_str()
            .contains("\"artifact_id\":\"art_")
    );

    let wrong = [
        ("csrf", &*token),
        ("template", "techdeck"),
        ("priority", "high"),
        ("name", "kept"),
    ];
    let refused = browser.send(request(), multipart(&wrong, None)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("whole number") && refused.body.contains("value=\"kept\""));
}

#[tokio::test]
async fn a_file_before_the_token_is_not_taken() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let request = Request::post("/pipelines/new")
        .header("content-type", "multipart/form-data; boundary=line");
    let answer = browser
        .send(request, multipart(&[], Some(("talks.csv", "q,a"))))
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let page = Page::first(10);
    let kept = world
        .control
        .catalog
        .artifacts(&world.scope, &Default::default(), &page)
        .await
        .unwrap();
    assert!(kept.items.is_empty());
}

#[tokio::test]
async fn a_report_is_shown_where_it_can_do_nothing() {
    let world = World::new();
    let new = NewArtifact {
        id: ArtifactId::parse("art_1").unwrap(),
        pipeline_id: None,
        made_by: None,
        index: 0,
        name: "report.html".to_owned(),
        role: "report".to_owned(),
        media_type: "text/html".to_owned(),
        size_bytes: 10,
        sha256: "0".repeat(64),
        records: None,
        metadata: Payload::empty(),
    };
    world
        .control
        .catalog
        .create_artifact(&world.scope, new, None)
        .await
        .unwrap();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let page = browser.get("/artifacts/art_1").await.body;
    assert!(page.contains("<iframe") && page.contains("sandbox"));
    let view = browser.get("/artifacts/art_1/view").await;
    let policy = view.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("sandbox"),
        "{policy}"
    );
    assert!(!policy.contains("script"), "{policy}");
}

#[tokio::test]
async fn files_of_a_pipeline_stand_by_their_stages_and_are_found_by_name_and_role() {
    let world = World::new();
    let id = world.pipeline("p1", "Ward seven", &[]).await;
    for (name, role) in [
        ("talks.csv", "input"),
        ("Figures of March.json", "metrics"),
        ("march.html", "report"),
    ] {
        let artifact = NewArtifact {
            id: world.control.catalog.new_artifact_id(),
            pipeline_id: Some(id.clone()),
            made_by: None,
            index: 0,
            name: name.to_owned(),
            role: role.to_owned(),
            media_type: "text/html".to_owned(),
            size_bytes: 1_500,
            sha256: "0".repeat(64),
            records: None,
            metadata: Payload::empty(),
        };
        let made = world
            .control
            .catalog
            .create_artifact(&world.scope, artifact, None);
        made.await.unwrap();
    }
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let mut shown = async |query: &str| -> (Vec<&'static str>, String) {
        let page = browser.get(&format!("/pipelines/p1?{query}")).await.body;
        let names = ["talks.csv", "Figures of March.json", "march.html"];
        let there = |name: &&str| page.contains(&format!(">{name}</a>"));
        (names.into_iter().filter(there).collect(), page)
    };
    let (all, page) = shown("").await;
    assert_eq!(all.len(), 3);
    assert!(
        page.contains("Uploaded") && page.contains("3 files"),
        "{page}"
    );
    assert!(page.contains("Open the report"));
    let (named, page) = shown("file=MARCH").await;
    assert_eq!(named, ["Figures of March.json", "march.html"]);
    assert!(
        page.contains("hx-get=\"/pipelines/p1?file=MARCH\""),
        "{page}"
    );
    assert_eq!(shown("file=input").await.0, ["talks.csv"]);
    let (none, page) = shown("file=%3Cb%3E").await;
    assert!(none.is_empty() && page.contains("No file fits"));
    // Whatever is searched for, the report is one click away.
    assert!(page.contains("Open the report") && page.contains("value=\"&lt;b&gt;\""));
}

#[tokio::test]
async fn pipelines_are_found_by_template_tag_time_and_text_together() {
    let world = World::new();
    for (id, name, tag) in [
        ("p1", "Ward seven, March", "weekly"),
        ("p2", "Ward seven, April", "monthly"),
        ("p3", "Ward nine", "weekly"),
    ] {
        world.pipeline(id, name, &[tag]).await;
    }
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let mut rows = async |query: &str| -> Vec<&'static str> {
        let page = browser.get(&format!("/pipelines?{query}")).await.body;
        let ids = ["p1", "p2", "p3"].into_iter();
        ids.filter(|id| page.contains(&format!("id=\"row-{id}\"")))
            .collect()
    };
    assert_eq!(rows("q=WARD+seven").await, ["p1", "p2"]);
    assert_eq!(rows("q=ward&tag=weekly").await, ["p1", "p3"]);
    assert_eq!(rows("template=techdeck&q=nine").await, ["p3"]);
    assert!(rows("template=mine").await.is_empty());
    assert!(rows("before=2020-01-01").await.is_empty());
    assert_eq!(rows("from=2020-01-01&status=created").await.len(), 3);
    assert!(rows("status=failed").await.is_empty());
    let page = browser
        .get("/pipelines?status=failed&tag=ward+7")
        .await
        .body;
    assert!(page.contains("name=\"tag\" value=\"ward 7\""), "{page}");
    assert!(page.contains("No pipeline fits") && page.contains("Save view"));
    let page = browser.get("/pipelines?template=a/b&from=soon").await.body;
    assert_eq!(page.matches("Ignored: ").count(), 2, "{page}");
}

#[tokio::test]
async fn what_failed_in_a_stage_runs_again_with_its_pipeline() {
    let world = World::new();
    let id = world.pipeline("p1", "Ward seven", &[]).await;
    let pipelines = &world.control.pipelines;
    pipelines.execute(&world.scope, &id).await.unwrap();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let panel = "/pipelines/p1/stages/1";
    let page = browser.get(panel).await.body;
    assert!(!page.contains("another try") && !page.contains("failed or cancelled"));

    // It fails and waits for another try: an operation can let it try now.
    world.fail_next_with(ErrorType::Network, "gone").await;
    let page = browser.get(panel).await.body;
    assert!(page.contains("1 task waits for another try"), "{page}");
    let operation = "/operations/new?status=retry&pipeline=p1&stage=1&kind=retry";
    assert!(page.contains(&operation.replace('&', "&amp;")), "{page}");
    assert!(page.contains("would have ended the stage"), "{page}");
    let preview = browser.get(operation).await.body;
    assert!(preview.contains("Retry 1 task") && !preview.contains("has ended"));

    // Brought forward, it fails for good, and the pipeline with it.
    let retried = browser.act("/tasks/p1.s1.000000/retry", &[]).await;
    assert_eq!(retried.status, StatusCode::SEE_OTHER);
    world.fail_next("broken").await;
    let page = browser.get(panel).await.body;
    assert!(page.contains("1 task failed or cancelled"), "{page}");
    assert!(page.contains("action=\"/pipelines/p1/stages/1/execute\""));
    assert!(page.contains("come back only with it"));
    let vain = browser.get("/operations/new?pipeline=p1&kind=retry").await;
    assert!(
        vain.body.contains("would leave them alone"),
        "{}",
        vain.body
    );
    let again = browser.act("/pipelines/p1/stages/1/execute", &[]).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    let view = pipelines.get(&world.scope, &id).await.unwrap();
    assert_eq!(view.pipeline.status, pipeline::Status::Running);

    let reader = world
        .key(&[Permission::PipelineRead, Permission::TaskRead])
        .await;
    browser.act("/sign-out", &[]).await;
    browser.sign_in(&reader).await;
    assert!(!browser.get(panel).await.body.contains("Retry"));
}
