use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use mcpanel_domain::{event::Kind, operation, pipeline, task::Status};
use mcpanel_store::query::{EventFilter, OperationFilter, Page, PipelineFilter};

use super::world::{ADMIN_KEY, World};

#[tokio::test]
async fn parameters_are_hidden_until_somebody_is_written_down_for_looking() {
    let world = World::new();
    let id = world
        .task("task_1", r#"{"note":"she said it in confidence"}"#)
        .await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let page = browser.get(&format!("/tasks/{id}")).await.body;
    assert!(
        page.contains("note") && page.contains("25 characters"),
        "the shape is there"
    );
    assert!(!page.contains("she said"), "what was said is not");
    let revealed = browser.act(&format!("/tasks/{id}/reveal"), &[]).await;
    assert_eq!(revealed.status, StatusCode::OK);
    assert!(revealed.body.contains("she said it in confidence"));
    let filter = EventFilter {
        kinds: vec![Kind::TaskRevealed],
        ..EventFilter::default()
    };
    let events = world
        .control
        .events
        .list(&world.scope, &filter, 0, 100)
        .await
        .unwrap();
    assert_eq!(events.events.len(), 1);
    assert!(
        events.events[0]
            .event
            .message
            .as_ref()
            .unwrap()
            .contains("admin")
    );
}

#[tokio::test]
async fn a_task_is_cancelled_and_retried_from_its_page() {
    let world = World::new();
    let id = world.task("task_1", "{}").await;
    let here = format!("/tasks/{id}");
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let status = async || {
        world
            .control
            .tasks
            .get(&world.scope, &id)
            .await
            .unwrap()
            .task
            .status()
    };
    let answer = browser
        .act(&format!("{here}/cancel"), &[("back", &here)])
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, &*here)
    );
    assert_eq!(status().await, Status::Cancelled);
    assert!(
        browser
            .get(&here)
            .await
            .body
            .contains("The task is cancelled.")
    );
    assert!(
        !browser
            .get(&here)
            .await
            .body
            .contains("The task is cancelled."),
        "said once"
    );
    browser.act(&format!("{here}/retry"), &[]).await;
    assert_eq!(status().await, Status::Pending);
    browser.act(&format!("{here}/retry"), &[]).await;
    let page = browser.get(&here).await.body;
    assert!(
        page.contains("flash t-bad"),
        "what is not possible is said on the page"
    );
}

#[tokio::test]
async fn chosen_rows_are_changed_each_by_itself() {
    let world = World::new();
    world.task("task_1", "{}").await;
    world.task("task_2", "{}").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let fields = [
        ("do", "cancel"),
        ("id", "task_1"),
        ("id", "task_2"),
        ("id", "none"),
    ];
    browser.act("/tasks", &fields).await;
    let page = browser.get("/tasks?status=cancelled").await.body;
    assert!(
        page.contains("2 tasks cancelled. 1 not: no task `none`."),
        "{page}"
    );
    assert!(page.contains("row-task_1") && page.contains("row-task_2"));
}

#[tokio::test]
async fn a_filter_finds_by_text_and_says_what_it_does_not_understand() {
    let world = World::new();
    world.task("task_1", r#"{"file":"needle.csv"}"#).await;
    world.task("task_2", r#"{"file":"hay.csv"}"#).await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let page = browser.get("/tasks?q=NEEDLE").await.body;
    assert!(page.contains("row-task_1") && !page.contains("row-task_2"));
    let page = browser.get("/tasks?status=flying").await.body;
    assert!(page.contains("there is no status “flying”"));
}

#[tokio::test]
async fn a_list_that_refreshes_itself_keeps_its_rows_and_counts_new_ones() {
    let world = World::new();
    world.task("task_1", "{}").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let page = browser.get("/tasks").await.body;
    let (_, rest) = page.split_once("hx-get=\"/tasks?from_row=").unwrap();
    let anchor = rest.split('"').next().unwrap().to_owned();
    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    world.task("task_2", "{}").await;
    let page = browser.get(&format!("/tasks?from_row={anchor}")).await.body;
    assert!(page.contains("row-task_1") && !page.contains("row-task_2"));
    assert!(page.contains("1 new"), "{page}");
    assert!(!browser.get("/tasks").await.body.contains("1 new"));
}

#[tokio::test]
async fn a_bulk_operation_is_looked_at_before_it_begins() {
    let world = World::new();
    for number in 0..101 {
        world.task(&format!("task_{number}"), "{}").await;
    }
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let preview = browser
        .get("/operations/new?kind=cancel&type=bias_detection")
        .await
        .body;
    assert!(
        preview.contains("101") && preview.contains("name=\"typed\""),
        "{preview}"
    );
    let wish = [
        ("wish", "?type=bias_detection&kind=cancel"),
        ("found", "101"),
    ];
    let refused = browser.act("/operations", &wish).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let list = async || {
        let page = Page {
            after: None,
            limit: 10,
        };
        world
            .control
            .operations
            .list(&world.scope, &OperationFilter::default(), &page)
            .await
            .unwrap()
            .items
    };
    assert!(list().await.is_empty(), "nothing was begun");
    let typed = [wish[0], wish[1], ("typed", "101"), ("reason", "a test")];
    let begun = browser.act("/operations", &typed).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.body);
    let made = list().await;
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].kind, operation::Kind::Cancel);
    let here = format!("/operations/{}", made[0].id);
    assert_eq!(begun.header("location"), here);
    assert!(browser.get(&here).await.body.contains("a test"));
    browser.act(&format!("{here}/abort"), &[]).await;
    assert_eq!(list().await[0].status, operation::Status::Aborted);
}

#[tokio::test]
async fn a_filter_that_is_not_understood_begins_nothing() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let answer = browser.get("/operations/new?kind=cancel&stage=x").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

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
    let page = Page {
        after: None,
        limit: 10,
    };
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
    let page = Page {
        after: None,
        limit: 10,
    };
    let kept = world
        .control
        .catalog
        .artifacts(&world.scope, &Default::default(), &page)
        .await
        .unwrap();
    assert!(kept.items.is_empty());
}

#[tokio::test]
async fn a_key_is_shown_once_and_gives_no_more_than_its_maker_has() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let fields = [("name", "ci"), ("role", "operator"), ("days", "90")];
    let made = browser.act("/settings/keys", &fields).await;
    let (_, rest) = made.body.split_once("data-copy=\"mcp_").unwrap();
    let key = format!("mcp_{}", rest.split('"').next().unwrap());
    assert!(!browser.get("/settings/keys").await.body.contains(&key));
    let mut operator = world.signed_in(&key).await;
    assert!(operator.get("/").await.body.contains("operator"));
    assert_eq!(
        operator.get("/settings/keys").await.status,
        StatusCode::FORBIDDEN
    );

    use mcpanel_guard::Permission as P;
    let half = world.key(&[P::KeyManage, P::TaskRead]).await;
    let mut half = world.signed_in(&half).await;
    let refused = half
        .act(
            "/settings/keys",
            &[("name", "x"), ("role", "admin"), ("days", "30")],
        )
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused
            .body
            .contains("You cannot give what you do not have")
    );
}

#[tokio::test]
async fn an_agent_is_drained_and_opened_again() {
    use mcpanel_domain::{AgentId, agent::Admission};
    let world = World::new();
    world.task("task_1", "{}").await;
    world.fail_next("broken").await;
    let id = AgentId::parse("worker").unwrap();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let admission = async || {
        world
            .control
            .agents
            .get(&world.scope, &id)
            .await
            .unwrap()
            .agent
            .admission
    };
    browser
        .act("/agents/worker/admission", &[("to", "draining")])
        .await;
    assert_eq!(admission().await, Admission::Draining);
    assert!(browser.get("/agents").await.body.contains("draining"));
    browser
        .act("/agents/worker/admission", &[("to", "open")])
        .await;
    assert_eq!(admission().await, Admission::Open);
    let odd = browser
        .act("/agents/worker/admission", &[("to", "root")])
        .await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_report_is_shown_where_it_can_do_nothing() {
    use mcpanel_control::NewArtifact;
    use mcpanel_domain::{ArtifactId, Payload};
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
async fn events_are_read_backwards_page_by_page() {
    let world = World::new();
    for number in 0..130 {
        world.task(&format!("task_{number}"), "{}").await;
    }
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let page = browser.get("/events?kind=task%3Acreated").await.body;
    assert!(
        page.contains("id=\"e130\"") && page.contains("id=\"e31\"") && !page.contains("id=\"e30\"")
    );
    let (_, rest) = page.split_once("before=").unwrap();
    let before = rest.split('"').next().unwrap();
    assert_eq!(before, "31");
    let older = browser
        .get("/events?kind=task%3Acreated&before=31")
        .await
        .body;
    assert!(
        older.contains("id=\"e30\"")
            && older.contains("id=\"e1\"")
            && !older.contains("id=\"e31\"")
    );
}
