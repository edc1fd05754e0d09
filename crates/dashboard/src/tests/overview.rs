//! The overview: how the parts of the installation are.

use super::world::{ADMIN_KEY, World};
use crate::PartHealth;

#[tokio::test]
async fn a_server_that_runs_alone_has_itself_and_its_store() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let page = browser.get("/").await.body;
    assert!(page.contains("All is well"), "{page}");
    let parts = page.split("aria-label=\"Parts\"").nth(1).unwrap();
    let parts = parts.split("</ul>").next().unwrap();
    assert_eq!(parts.matches("<li>").count(), 2, "{parts}");
    assert!(parts.contains("This instance") && parts.contains("1.2.3"));
}

#[tokio::test]
async fn redis_and_other_instances_have_a_row_and_the_worst_is_said_first() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let part = |name: &str, well, says: &str, answered_us, heard_ms| PartHealth {
        name: name.to_owned(),
        well,
        says: says.to_owned(),
        answered_us,
        heard_ms,
    };
    *world.parts.lock().unwrap() = vec![
        part("Redis", true, "shared", Some(240), None),
        part("Instance 0123abcd", true, "shares", None, Some(1_300)),
    ];
    let page = browser.get("/").await.body;
    assert!(page.contains("All is well"), "{page}");
    assert!(page.contains("answered in 240 µs") && page.contains("heard 1.3 s ago"));
    world.parts.lock().unwrap()[0] = part("Redis", false, "<away>", None, None);
    let page = browser.get("/").await.body;
    assert!(page.contains("Redis: &lt;away&gt;") && !page.contains("All is well"));
    assert!(page.contains("not well"));
}

#[tokio::test]
async fn a_type_that_no_agent_offers_is_marked() {
    const MARK: &str = "no agent that is there offers it";
    let world = World::new();
    world.task("one", "{}").await;
    world.task("other", "{}").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    assert!(browser.get("/").await.body.contains(MARK));
    // An agent comes, and has one of them behind it.
    world.fail_next("no").await;
    let page = browser.get("/").await.body;
    assert!(
        page.contains("/tasks?type=bias_detection"),
        "it still waits"
    );
    assert!(!page.contains(MARK));
}
