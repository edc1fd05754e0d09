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
    let unknown = browser.act("/views/keys", &[("name", "x"), QUERY]).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn every_list_with_a_filter_keeps_views_of_its_own() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let lists = [
        ("agents", "status=busy&q=x"),
        ("tasks", "q=x"),
        ("pipelines", "template=techdeck&q=x"),
        ("events", "task=x"),
    ];
    for (list, query) in lists {
        assert!(
            !browser
                .get(&format!("/{list}"))
                .await
                .body
                .contains("Save view")
        );
        let page = browser.get(&format!("/{list}?{query}")).await.body;
        assert!(page.contains("Save view"), "{list}: {page}");
        let fields = [("name", list), ("query", query)];
        browser.act(&format!("/views/{list}"), &fields).await;
    }
    for (list, query) in lists {
        let page = browser.get(&format!("/{list}")).await.body;
        assert_eq!(page.matches("class=\"saved\"").count(), 1, "{list}");
        let link = format!(
            "href=\"/{list}?{}\">{list}</a>",
            query.replace('&', "&amp;")
        );
        assert!(page.contains(&link), "{list}: {page}");
        let there = browser.get(&format!("/{list}?{query}")).await.body;
        assert!(there.contains("Remove view"), "{list}");
    }
}

#[tokio::test]
async fn what_the_views_of_all_lists_take_together_is_bounded() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let long = format!("q={}", "x".repeat(3_000));
    let fields = [("name", "long"), ("query", long.as_str())];
    for list in ["tasks", "pipelines"] {
        browser.act(&format!("/views/{list}"), &fields).await;
        assert!(
            browser
                .get(&format!("/{list}"))
                .await
                .body
                .contains(">long</a>")
        );
    }
    browser.act("/views/agents", &fields).await;
    let page = browser.get("/agents").await.body;
    assert!(page.contains("too long together") && !page.contains(">long</a>"));
    assert!(
        browser.get("/tasks").await.body.contains(">long</a>"),
        "the others stay"
    );
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
