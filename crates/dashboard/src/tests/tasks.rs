//! Tasks: looked at, changed one by one or as chosen, found.

use axum::http::StatusCode;
use mcpanel_domain::{event::Kind, task::Status};
use mcpanel_store::query::EventFilter;

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
async fn a_failed_row_leads_to_its_warnings_and_the_log_is_saved_as_it_is_narrowed() {
    let world = World::new();
    world.task("task_1", "{}").await;
    world.fail_next("broken").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let list = browser.get("/tasks").await.body;
    assert!(list.contains("href=\"/tasks/task_1?level=error#log\""));
    let page = browser.get("/tasks/task_1?level=error&find=x").await.body;
    let saved = "href=\"/tasks/task_1/log?level=error&amp;find=x\"";
    assert!(page.contains(saved), "{page}");
}

#[tokio::test]
async fn the_lines_of_a_log_are_wrapped_until_somebody_turns_that_off() {
    let world = World::new();
    world.log("task_1", &["a long line", "another"]).await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let page = browser.get("/tasks/task_1").await.body;
    assert!(page.contains("data-wraps checked"), "{page}");
    browser
        .cookies
        .insert("mcpanel_wrap".to_owned(), "off".to_owned());
    let page = browser.get("/tasks/task_1").await.body;
    assert!(page.contains("data-wraps") && !page.contains("data-wraps checked"));
}

#[tokio::test]
async fn a_condition_that_a_list_does_not_have_is_told() {
    let world = World::new();
    world.task("task_1", "{}").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    for list in ["/tasks", "/pipelines", "/agents", "/events"] {
        let page = browser
            .get(&format!("{list}?stauts=failed&limit=20"))
            .await
            .body;
        assert_eq!(page.matches("Ignored: ").count(), 1, "{list}");
        assert!(page.contains("there is no condition “stauts”"), "{list}");
        let page = browser.get(&format!("{list}?q=x")).await.body;
        assert!(!page.contains("Ignored: "), "{list}");
    }
}

#[tokio::test]
async fn a_log_has_a_page_of_its_own_where_somebody_wants_that() {
    let world = World::new();
    world.log("task_1", &["a long line", "another"]).await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let page = browser.get("/tasks/task_1?find=long").await.body;
    let alone = "/tasks/task_1?find=long&amp;view=log";
    assert!(page.contains(alone), "{page}");
    let page = browser.get(&alone.replace("&amp;", "&")).await.body;
    assert!(page.contains("a long line") && !page.contains(">another<"));
    assert!(page.contains("Back to the task") && !page.contains("Log alone"));
    assert!(!page.contains("The same elsewhere"), "{page}");
    // What narrows the log leads to the log alone again, and so does its refresh.
    assert!(
        page.contains("view=log&amp;level=error#log")
            || page.contains("find=long&amp;view=log&amp;level=error#log"),
        "{page}"
    );
    assert!(
        page.contains("hx-get=\"/tasks/task_1?find=long&amp;view=log\""),
        "{page}"
    );
    assert!(page.contains("name=\"view\" value=\"log\""), "{page}");
}

#[tokio::test]
async fn cancelled_tasks_have_a_tab_and_are_found_by_when_they_ended() {
    let world = World::new();
    let id = world.task("task_1", "{}").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    browser.act(&format!("/tasks/{id}/cancel"), &[]).await;
    let page = browser.get("/tasks?status=cancelled").await.body;
    assert!(page.contains("row-task_1") && page.contains(">Cancelled</a>"));
    let before = browser.get("/tasks?ended_before=2020-01-01").await.body;
    assert!(!before.contains("row-task_1") && before.contains("No task fits"));
    let page = browser.get("/tasks?ended_before=2999-01-01").await.body;
    assert!(page.contains("row-task_1"), "{page}");
    let page = browser.get(&format!("/tasks/{id}")).await.body;
    assert!(page.contains("Revision") && page.contains("data-time=\"exact\""));
}
