//! Saved views.

use super::world::{ADMIN_KEY, World};

const QUERY: (&str, &str) = ("query", "status=failed&q=column");

#[tokio::test]
async fn a_filter_is_saved_under_a_name_and_removed() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let page = browser.get("/tasks?status=failed&q=column").await.body;
    assert!(page.contains("Save view"), "{page}");
    let fields = [
        ("name", "Bad <columns>"),
        QUERY,
        ("back", "/tasks?q=column"),
    ];
    let saved = browser.act("/views/tasks", &fields).await;
    assert_eq!(saved.header("location"), "/tasks?q=column");
    let page = browser.get("/tasks").await.body;
    assert!(
        page.contains("href=\"/tasks?status=failed&amp;q=column\">Bad &lt;columns&gt;</a>"),
        "{page}"
    );
    let there = browser.get("/tasks?status=failed&q=column").await.body;
    assert!(there.contains("Remove view") && !there.contains("Save view"));
    assert!(
        !browser.get("/events").await.body.contains("columns"),
        "it is a view of the tasks alone"
    );
    browser
        .act("/views/tasks/remove", &[("name", "Bad <columns>")])
        .await;
    assert!(!browser.get("/tasks").await.body.contains("class=\"saved\""));
}

#[tokio::test]
async fn somebody_else_in_the_same_browser_does_not_see_it() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    browser
        .act("/views/tasks", &[("name", "mine"), QUERY])
        .await;
    assert!(browser.get("/tasks").await.body.contains(">mine</a>"));
    let other = world.key(&[mcpanel_guard::Permission::TaskRead]).await;
    browser.act("/sign-out", &[]).await;
    browser.sign_in(&other).await;
    let page = browser.get("/tasks").await.body;
    assert!(page.contains("read-only") && !page.contains(">mine</a>"));
}

#[tokio::test]
async fn what_cannot_be_saved_is_said() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    browser.act("/views/tasks", &[("name", "x")]).await;
    assert!(browser.get("/tasks").await.body.contains("Filter first"));
    let unknown = browser.act("/views/agents", &[("name", "x"), QUERY]).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn views_of_many_people_in_one_browser_do_not_lock_it_out() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let long = format!("q={}", "x".repeat(3_000));
    let fields = [("name", "mine"), ("query", long.as_str())];
    for person in 0..3 {
        if person > 0 {
            let key = world.key(&[mcpanel_guard::Permission::TaskRead]).await;
            browser.act("/sign-out", &[]).await;
            browser.sign_in(&key).await;
        }
        browser.act("/views/tasks", &fields).await;
        assert!(browser.get("/tasks").await.body.contains(">mine</a>"));
    }
    let kept = browser.cookies.iter();
    let kept: Vec<&String> = kept
        .filter(|(name, _)| name.starts_with("mcpanel_views_"))
        .map(|(_, value)| value)
        .collect();
    assert_eq!(kept.len(), 1, "the others made room");
    assert!(kept[0].contains("mine"));
}
