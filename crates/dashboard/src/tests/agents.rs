//! Agents: kept from work, and how loaded they were.

use axum::http::StatusCode;

use super::world::{ADMIN_KEY, World};

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
async fn what_an_agent_did_is_worked_out_from_its_tasks() {
    let world = World::new();
    world.task("task_1", "{}").await;
    world.task("task_2", "{}").await;
    world.fail_next("broken").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let page = browser.get("/agents/worker").await.body;
    assert!(page.contains("Slots in use, of 4"), "{page}");
    assert!(
        page.contains("0 completed, 1 failed or lost, 0 given back or cancelled"),
        "{page}"
    );
    let day = browser.get("/agents/worker?range=24h").await.body;
    assert!(day.contains("every 15 m") && day.contains("1 failed or lost"));
    let past = browser
        .get("/agents/worker?from=2020-01-01&to=2020-01-02")
        .await;
    assert_eq!(past.status, StatusCode::OK);
}

#[tokio::test]
async fn a_script_that_asks_for_one_part_of_an_agents_page_gets_no_other() {
    let world = World::new();
    world.task("task_1", "{}").await;
    world.fail_next("broken").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let whole = browser.get("/agents/worker?range=24h").await.body;
    assert!(whole.contains("mcpanel agents get worker"));
    for part in ["now", "load", "tasks"] {
        let path = format!("/agents/worker?range=24h&amp;part={part}");
        assert!(whole.contains(&path), "{path}: {whole}");
    }
    let now = browser.get("/agents/worker?part=now").await.body;
    assert!(now.contains("Runs now") && !now.contains("Slots in use, of"));
    assert!(!now.contains("row-task_1"), "{now}");
    let load = browser.get("/agents/worker?part=load").await.body;
    assert!(load.contains("1 failed or lost") && !load.contains("row-task_1"));
    let tasks = browser.get("/agents/worker?part=tasks").await.body;
    assert!(tasks.contains("row-task_1") && !tasks.contains("Slots in use, of"));
}
