//! Events: read page by page, saved as files.

use axum::http::StatusCode;
use mcpanel_guard::Permission;

use super::world::{ADMIN_KEY, World};
use crate::ui::list::Query;

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

#[tokio::test]
async fn events_are_found_by_time_and_text() {
    let world = World::new();
    for task in ["ward_1", "ward_2"] {
        world.task(task, "{}").await;
    }
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let page = browser.get("/events?q=WARD_2").await.body;
    assert!(page.contains("/tasks/ward_2") && !page.contains("/tasks/ward_1"));
    let old = browser.get("/events?from=2020-01-02T03:04").await.body;
    assert!(old.contains("/tasks/ward_1") && old.contains("/tasks/ward_2"));
    for nothing in ["until=2020-01-02", "from=2999-01-01"] {
        let page = browser.get(&format!("/events?{nothing}")).await.body;
        assert!(page.contains("No event fits"), "{nothing}: {page}");
        assert!(!page.contains("rel=\"next\""), "there is nothing older");
    }
}

#[tokio::test]
async fn what_a_filter_shows_is_saved_newest_first() {
    let world = World::new();
    world.task("task_1", "{}").await;
    world.task("task_2", "{}").await;
    world.fail_next("=cmd|' /C calc'!A0, \"quoted\"").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let lines = browser
        .get("/events/export?format=jsonl&kind=task%3Acreated")
        .await;
    assert_eq!(
        lines.body,
        "{\"seq\":2,\"type\":\"task:created\"}\n{\"seq\":1,\"type\":\"task:created\"}\n"
    );
    assert_eq!(
        lines.header("content-type"),
        "application/jsonl; charset=utf-8"
    );
    assert!(lines.header("content-disposition").ends_with(".jsonl\""));
    let table = browser.get("/events/export?format=csv").await.body;
    assert!(table.starts_with("seq,timestamp,type,task_id,"), "{table}");
    let failed = table.lines().find(|line| line.contains("task:failed"));
    let failed = failed.expect("the failure is in the table");
    assert!(failed.contains(",task_1,worker,"), "{failed}");
    for line in table.lines().skip(1) {
        assert!(
            line.split(',')
                .all(|cell| !cell.trim_start_matches('"').starts_with('=')),
            "no formula: {line}"
        );
    }
    let before = browser.get("/events/export?format=jsonl&before=2").await;
    assert_eq!(before.body.lines().count(), 1);
}

#[tokio::test]
async fn a_file_longer_than_one_read_is_whole() {
    let world = World::new();
    for number in 0..2_100 {
        world.task(&format!("task_{number}"), "{}").await;
    }
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let file = browser.get("/events/export?format=csv&kind=task%3Acreated");
    let file = file.await.body;
    let numbers: Vec<u64> = file
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().parse().unwrap())
        .collect();
    let expected: Vec<u64> = (1..=2_100).rev().collect();
    assert_eq!(numbers, expected);
}

#[tokio::test]
async fn a_filter_or_format_that_is_not_understood_saves_nothing() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    for (path, status) in [
        ("/events/export", StatusCode::BAD_REQUEST),
        ("/events/export?format=exe", StatusCode::BAD_REQUEST),
        (
            "/events/export?format=csv&kind=x",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        assert_eq!(browser.get(path).await.status, status, "{path}");
    }
    let page = browser.get("/events?task=a%2Fb").await.body;
    assert!(page.contains("no task can be called “a/b”"), "{page}");
}

#[tokio::test]
async fn keys_have_their_names_for_those_who_may_see_keys() {
    let world = World::new();
    let id = world.task("task_1", "{}").await;
    let operator = world
        .key(&[
            Permission::TaskRead,
            Permission::TaskManage,
            Permission::EventRead,
        ])
        .await;
    let mut theirs = world.signed_in(&operator).await;
    theirs.act(&format!("/tasks/{id}/cancel"), &[]).await;
    let keys = world.control.catalog.keys(&world.scope).await.unwrap();
    let (caller, name) = (format!("key:{}", keys[0].id), &keys[0].name);
    let by = Query::default().with("by", &caller).on("/events");
    let mut admins = world.signed_in(ADMIN_KEY).await;
    let page = admins.get(&by).await.body;
    assert!(
        page.contains(&format!("title=\"{caller}\">{name}<")),
        "{page}"
    );
    let page = theirs.get(&by).await.body;
    assert!(
        page.contains(&format!("title=\"{caller}\">{name}<")),
        "their own: {page}"
    );
    let reader = world.named_key("reader", &[Permission::EventRead]).await;
    let page = world.signed_in(&reader).await.get(&by).await.body;
    assert!(
        page.contains(&format!("title=\"{caller}\">{caller}<")),
        "{page}"
    );
    assert!(!page.contains(&format!(">{name}<")));
}
