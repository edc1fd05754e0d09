use mcpanel_control::{PipelineRequest, StagesFrom};
use mcpanel_domain::{Payload, TemplateId};

use super::world::{ADMIN_KEY, World};

/// What somebody could put wherever they may write.
const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

fn check(page: &str, path: &str) {
    assert!(!page.contains("<script>alert"), "{path}");
    assert!(!page.contains("<img src=x"), "{path}");
}

#[tokio::test]
async fn what_others_wrote_stays_text() {
    let world = World::new();
    let parameters = serde_json::json!({ EVIL: EVIL, "text": EVIL }).to_string();
    world.task("task_evil", &parameters).await;
    world.fail_next(EVIL).await;
    let request = PipelineRequest {
        id: None,
        name: EVIL.to_owned(),
        description: EVIL.to_owned(),
        stages: StagesFrom::Template(TemplateId::parse("techdeck").unwrap(), None),
        input_data: Payload::parse(&parameters).unwrap(),
        metadata: Payload::empty(),
        tags: vec![EVIL.to_owned()],
        priority: 0,
    };
    let made = world
        .control
        .pipelines
        .create(&world.scope, request, None)
        .await
        .unwrap();
    let pipeline = format!("/pipelines/{}", made.value.pipeline.id);
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let searched =
        "/tasks?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E&status=%3Cscript%3Ealert(1)%3C/script%3E";
    for path in [
        "/",
        "/tasks",
        searched,
        "/tasks/task_evil",
        "/pipelines",
        &pipeline,
        "/events",
        "/agents",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        check(&answer.body, path);
    }
    let shown = browser.act("/tasks/task_evil/reveal", &[]).await;
    assert!(
        shown.body.contains("&lt;script&gt;"),
        "the parameters are there, as text"
    );
    check(&shown.body, "reveal");
}

#[tokio::test]
async fn what_the_address_says_stays_text_too() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    for path in [
        "/tasks/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/agents/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/pipelines/%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
        "/events?kind=%3Cscript%3Ealert(1)%3C/script%3E&task=%22%3E%3Cimg%20src=x",
        "/operations/new?kind=cancel&q=%22%3E%3Cimg%20src=x",
        "/sign-in?next=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ] {
        check(&browser.get(path).await.body, path);
    }
    browser
        .act(
            "/settings/keys",
            &[("name", EVIL), ("role", "read-only"), ("days", "30")],
        )
        .await;
    check(&browser.get("/settings/keys").await.body, "keys");
}
