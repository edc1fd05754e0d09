//! Operations on everything that a filter finds.

use axum::http::StatusCode;
use mcpanel_domain::operation;
use mcpanel_store::query::{OperationFilter, Page};

use super::world::{ADMIN_KEY, World};

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
        let page = Page::first(10);
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

#[tokio::test]
async fn without_a_word_of_what_to_do_one_chooses_beside_the_tasks() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let answer = browser.get("/operations/new?status=failed").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/tasks?status=failed");
    let unknown = browser.get("/operations/new?kind=delete").await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert!(unknown.body.contains("retry"), "{}", unknown.body);
}
