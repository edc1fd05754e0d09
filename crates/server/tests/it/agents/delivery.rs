//! Leases whose answer does not reach the agent.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{TestAgent, TestServer};

const CLAIM: &str = "/api/v1/agents/one/claim";

/// Waits until the lease that was granted has been given back, whatever time the store takes for both.
async fn until_released(server: &TestServer, task: &str) {
    let begun = Instant::now();
    loop {
        let attempts = server
            .admin()
            .get(&format!("/api/v1/tasks/{task}/attempts"))
            .await
            .ok(200);
        if attempts["attempts"][0]["outcome"] == "released" {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the lease is not back: {attempts}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn one_agent_and_task() -> (TestServer, TestAgent, String) {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    (server, agent, task)
}

fn claim() -> String {
    json!({"max": 5}).to_string()
}

#[tokio::test]
async fn leases_of_an_answer_that_nobody_read_go_back() {
    let (server, agent, task) = one_agent_and_task().await;
    let call = agent
        .request("POST", CLAIM)
        .header("content-type", "application/json");
    let answer = call.unread(claim()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(server.see(&task).await["status"], "assigned");

    drop(answer);

    until_released(&server, &task).await;
    let task = server.see(&task).await;
    assert_eq!(task["status"], "pending");
    assert_eq!(task["retry_count"], 0);
}

#[tokio::test]
async fn leases_granted_to_a_caller_that_left_meanwhile_go_back() {
    let (server, agent, task) = one_agent_and_task().await;
    let call = agent
        .request("POST", CLAIM)
        .header("content-type", "application/json");
    let mut request = Box::pin(call.unread(claim()));
    // The claim goes on in a task of its own; its caller leaves when it is granted, before taking the outcome.
    while futures::poll!(&mut request).is_pending()
        && server.see(&task).await["status"] != "assigned"
    {
        tokio::task::yield_now().await;
    }
    drop(request);

    until_released(&server, &task).await;
    assert_eq!(agent.claim(5).await.len(), 1);
}

#[tokio::test]
async fn a_caller_that_leaves_while_waiting_leaves_nothing_behind() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let call = agent
        .request("POST", CLAIM)
        .header("content-type", "application/json");
    let waiting = tokio::spawn(call.unread(json!({"wait_ms": 30_000}).to_string()));
    while server.app.waiting.total() != 1 {
        tokio::task::yield_now().await;
    }

    waiting.abort();

    while server.app.waiting.total() != 0 {
        tokio::task::yield_now().await;
    }
    let task = server.task("work").await;
    assert_eq!(agent.claim_one().await.0, task);
}

#[tokio::test]
async fn delivered_leases_stay() {
    let (server, agent, task) = one_agent_and_task().await;
    agent.claim_one().await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.see(&task).await["status"], "assigned");
}
