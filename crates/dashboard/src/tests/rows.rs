//! Buttons in rows: with scripts the row is renewed, without them the list is shown again.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use mcpanel_domain::task::Status;
use mcpanel_guard::Permission;

use super::{
    browser::{Answer, Browser},
    world::{ADMIN_KEY, World},
};

/// What a script sends for a button of a row.
async fn press(browser: &mut Browser, path: &str, fields: &str) -> Answer {
    let token = browser.get("/tasks").await.field("csrf");
    let request = Request::post(path)
        .header("hx-request", "true")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded");
    browser
        .send(request, Body::from(format!("csrf={token}&{fields}")))
        .await
}

#[tokio::test]
async fn a_script_gets_the_row_as_it_is_now_and_a_sentence() {
    let world = World::new();
    world.task("task_1", "{}").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let answer = press(&mut browser, "/tasks/task_1/cancel", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("mcpanel-said"), "ok=The+task+is+cancelled.");
    assert!(
        answer.body.starts_with("<tr id=\"row-task_1\">"),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("cancelled") && answer.body.contains("/tasks/task_1/retry"));
    let list = browser.get("/tasks").await.body;
    let but_its_age = answer.body.split("<time").next().unwrap();
    assert!(
        list.contains(but_its_age),
        "the row is the one that the list shows"
    );
    press(&mut browser, "/tasks/task_1/retry", "").await;
    let again = press(&mut browser, "/tasks/task_1/retry", "").await;
    assert!(again.header("mcpanel-said").starts_with("no="));
    assert!(again.body.contains("row-task_1"), "and still as it is");
}

#[tokio::test]
async fn a_row_of_something_that_is_gone_goes() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let answer = press(&mut browser, "/tasks/none/cancel", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, "");
    assert!(answer.header("mcpanel-said").starts_with("no="));
}

#[tokio::test]
async fn who_may_change_and_not_read_gets_the_sentence_alone() {
    let world = World::new();
    let id = world.task("task_1", "{}").await;
    let key = world.key(&[Permission::TaskManage]).await;
    let mut browser = world.signed_in(&key).await;
    let token = browser.get("/").await.field("csrf");
    let request = Request::post("/tasks/task_1/cancel")
        .header("hx-request", "true")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = browser
        .send(request, Body::from(format!("csrf={token}")))
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.body, "");
    assert_eq!(answer.header("mcpanel-said"), "ok=The+task+is+cancelled.");
    let task = world.control.tasks.get(&world.scope, &id).await.unwrap();
    assert_eq!(task.task.status(), Status::Cancelled);
}

#[tokio::test]
async fn an_agents_row_is_renewed_too() {
    let world = World::new();
    world.task("task_1", "{}").await;
    world.fail_next("broken").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let answer = press(&mut browser, "/agents/worker/admission", "to=draining").await;
    assert!(answer.body.starts_with("<tr id=\"row-worker\">"));
    assert!(answer.body.contains("draining") && answer.body.contains("Resume"));
}

#[tokio::test]
async fn a_failure_is_plain_words_for_a_script_and_changes_nothing() {
    let world = World::new();
    let id = world.task("task_1", "{}").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let request = Request::post("/tasks/task_1/cancel")
        .header("hx-request", "true")
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = browser.send(request, Body::from("csrf=wrong")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(
        answer
            .body
            .starts_with("this form belongs to another session")
    );
    let task = world.control.tasks.get(&world.scope, &id).await.unwrap();
    assert_eq!(task.task.status(), Status::Pending);
}

#[tokio::test]
async fn without_scripts_the_same_button_leads_back_to_the_list_it_was_in() {
    let world = World::new();
    world.task("task_1", "{}").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let list = browser.get("/tasks?status=pending").await;
    assert!(list.body.contains("formaction=\"/tasks/task_1/cancel\""));
    assert_eq!(list.field("back"), "/tasks?status=pending");
    let answer = browser
        .act(
            "/tasks/task_1/cancel",
            &[("back", "/tasks?status=pending"), ("id", "task_1")],
        )
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/tasks?status=pending")
    );
}
