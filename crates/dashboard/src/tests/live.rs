use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use http_body_util::BodyExt;
use mcpanel_guard::Permission;

use super::world::{ADMIN_KEY, World};

/// Longest wait for a word, in seconds: one comes within two of a change.
const WAIT_S: u64 = 10;

/// The next event of a stream, as text; comments are passed over.
async fn next(body: &mut Body) -> String {
    let wait = async {
        loop {
            let frame = body.frame().await.unwrap().unwrap();
            let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
            if text.contains("data:") {
                return text;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(WAIT_S), wait)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_stream_tells_what_changed_and_nothing_more() {
    let world = World::new();
    world.task("task_1", r#"{"note":"secret"}"#).await;
    let browser = world.signed_in(ADMIN_KEY).await;
    let mut body = browser
        .open("/live?topic=tasks&topic=agents&name=task:task_1")
        .await;
    world
        .control
        .tasks
        .cancel(&world.scope, &"task_1".parse().unwrap(), None)
        .await
        .unwrap();
    world.task("task_2", "{}").await;
    let word = next(&mut body).await;
    assert!(word.contains("event: changed"), "{word}");
    let data = word
        .lines()
        .find_map(|line| line.strip_prefix("data: "))
        .unwrap();
    assert_eq!(data, "task:task_1 tasks");
}

#[tokio::test]
async fn a_stream_tells_of_lines_that_a_log_gets_and_of_nothing_else() {
    let world = World::new();
    let proof = world.log("task_1", &["before the page was opened"]).await;
    let browser = world.signed_in(ADMIN_KEY).await;
    let mut body = browser.open("/live?name=task:task_1&log=task_1").await;
    // What was there before is told once: the stream does not know what the page shows.
    assert!(next(&mut body).await.contains("data: log:task_1\n"));
    world.lines("task_1", proof, &["a line alone"]).await;
    let word = next(&mut body).await;
    assert!(word.contains("data: log:task_1\n"), "{word}");
}

#[tokio::test]
async fn a_stream_tells_what_happened_between_the_page_and_itself() {
    let world = World::new();
    world.task("task_1", "{}").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let page = browser.get("/tasks").await.body;
    let (_, rest) = page.split_once("data-after=\"").unwrap();
    let after: u64 = rest.split('"').next().unwrap().parse().unwrap();
    world.task("task_2", "{}").await;
    let mut body = browser
        .open(&format!("/live?topic=tasks&after={after}"))
        .await;
    assert!(next(&mut body).await.contains("data: tasks\n"));
    // A number from a server that is further on is no reason to be silent.
    let mut body = browser.open("/live?topic=tasks&after=9000000000").await;
    world.task("task_3", "{}").await;
    assert!(next(&mut body).await.contains("data: tasks\n"));
}

#[tokio::test]
async fn who_may_not_see_something_does_not_hear_that_it_changed() {
    let world = World::new();
    let key = world.key(&[Permission::AgentRead]).await;
    let browser = world.signed_in(&key).await;
    let mut body = browser
        .open("/live?topic=tasks&topic=agents&topic=events")
        .await;
    world.task("task_1", "{}").await;
    world.fail_next("broken").await;
    let word = next(&mut body).await;
    assert!(word.contains("data: agents\n"), "{word}");
}

#[tokio::test]
async fn another_namespace_is_silent() {
    use mcpanel_control::Scope;
    use mcpanel_domain::{Name, Namespace, task::NewTask};
    let world = World::new();
    let browser = world.signed_in(ADMIN_KEY).await;
    let mut body = browser.open("/live?topic=tasks").await;
    let elsewhere = Scope::new(Namespace::parse("elsewhere").unwrap(), "test");
    let task = NewTask::of_type("task_1".parse().unwrap(), Name::parse("x").unwrap());
    world
        .control
        .tasks
        .create(&elsewhere, task, None)
        .await
        .unwrap();
    let heard = tokio::time::timeout(Duration::from_millis(1_500), next(&mut body)).await;
    assert!(heard.is_err(), "{heard:?}");
}

#[tokio::test]
async fn a_stream_needs_a_session() {
    let world = World::new();
    let mut browser = world.browser();
    let request = Request::get("/live?topic=tasks").header("accept", "text/event-stream");
    let answer = browser.send(request, Body::empty()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}
