//! Leases whose answer does not reach the agent.

use std::task::Poll;

use serde_json::json;

use crate::support::{TestAgent, TestServer};

const CLAIM: &str = "/api/v1/agents/one/claim";

/// Lets others run until the task waits again.
async fn until_pending(server: &TestServer, task: &str) {
    for _ in 0..1_000 {
        if server.see(task).await["status"] == "pending" {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the lease is still out: {}", server.see(task).await);
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

    until_pending(&server, &task).await;
    let attempts = server
        .admin()
        .get(&format!("/api/v1/tasks/{task}/attempts"))
        .await
        .ok(200);
    assert_eq!(attempts["attempts"][0]["outcome"], "released");
    assert_eq!(server.see(&task).await["retry_count"], 0);
}

#[tokio::test]
async fn leases_granted_to_a_caller_that_left_meanwhile_go_back() {
    let (server, agent, task) = one_agent_and_task().await;
    let call = agent
        .request("POST", CLAIM)
        .header("content-type", "application/json");
    let mut request = Box::pin(call.unread(claim()));
    // The claim has begun in a task of its own, and its caller leaves before the outcome.
    assert!(matches!(futures::poll!(&mut request), Poll::Pending));
    drop(request);

    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    until_pending(&server, &task).await;
    let attempts = server
        .admin()
        .get(&format!("/api/v1/tasks/{task}/attempts"))
        .await
        .ok(200);
    assert_eq!(
        attempts["attempts"][0]["outcome"], "released",
        "it was granted and given back"
    );
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
