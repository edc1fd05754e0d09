use std::time::Duration;

use mcpanel_server::limits::CLAIM_LOOK_INTERVAL_MS;
use serde_json::{Value, json};

use crate::support::{TestAgent, TestServer};

/// A claim that waits, in a task of its own.
fn waiting(agent: &TestAgent, wait_ms: u64) -> tokio::task::JoinHandle<Value> {
    let (client, path) = (
        agent.client.clone(),
        format!("/api/v1/agents/{}/claim", agent.id),
    );
    tokio::spawn(async move {
        let claimed = client
            .post(&path, json!({"max": 5, "wait_ms": wait_ms}))
            .await;
        claimed.ok(200)["tasks"].clone()
    })
}

/// Lets others run until so many claims wait.
async fn until_waiting(server: &TestServer, claims: u32) {
    while server.app.waiting.total() != claims {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_claim_hands_out_leases_with_everything_that_the_work_needs() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    server
        .task_with(
            json!({"task_type": "work", "task_id": "t", "parameters": {"b": 1, "a": [1.0, "ü"]}}),
        )
        .await;

    let [task] = &agent.claim(5).await[..] else {
        panic!()
    };

    assert_eq!(task["task_id"], "t");
    assert_eq!(task["status"], "assigned");
    assert_eq!(task["assigned_agent_id"], "one");
    assert_eq!(
        task["parameters"].to_string(),
        json!({"b": 1, "a": [1.0, "ü"]}).to_string()
    );
    assert!(task["lease"].as_str().unwrap().starts_with("1-"));
    assert_eq!(
        task["lease_expires_at"],
        server.now().plus_ms(30_000).to_string()
    );
    let seen = server.see("t").await;
    assert_eq!(
        (seen.get("lease"), seen.get("lease_expires_at")),
        (None, None)
    );
}

#[tokio::test]
async fn no_more_is_handed_out_than_there_are_free_slots() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    for _ in 0..12 {
        server.task("work").await;
    }
    assert_eq!(agent.claim(6).await.len(), 6);
    assert_eq!(agent.claim(1_000).await.len(), 4);
    assert_eq!(agent.claim(1_000).await.len(), 0);
    let shown = agent.get("/api/v1/agents/one").await.ok(200);
    assert_eq!(
        (&shown["status"], &shown["slots_in_use"]),
        (&json!("busy"), &json!(10))
    );
}

#[tokio::test]
async fn only_what_the_agent_can_do_or_what_is_meant_for_it_is_handed_out() {
    let server = TestServer::new().await;
    let one = server.agent("one", &["work"]).await;
    let two = server.agent("two", &["work", "more"]).await;
    server
        .task_with(json!({"task_type": "work", "task_id": "for-two", "agent_id": "two"}))
        .await;
    server
        .task_with(
            json!({"task_type": "x", "task_id": "needs-both", "capabilities": ["more", "work"]}),
        )
        .await;
    assert_eq!(one.claim(5).await.len(), 0);
    assert_eq!(two.claim(5).await.len(), 2);
}

/// The fastest of several is told from the looks that a claim takes by itself: a busy machine may hold some of them up.
#[tokio::test]
async fn a_waiting_claim_is_woken_by_a_new_task() {
    let mut fastest = Duration::MAX;
    for _ in 0..10 {
        let server = TestServer::new().await;
        let agent = server.agent("one", &["work"]).await;
        let claim = waiting(&agent, 30_000);
        until_waiting(&server, 1).await;

        let began = std::time::Instant::now();
        let task = server.task("work").await;

        assert_eq!(claim.await.unwrap()[0]["task_id"], task.as_str());
        fastest = fastest.min(began.elapsed());
        assert_eq!(server.app.waiting.total(), 0);
        if fastest < Duration::from_millis(CLAIM_LOOK_INTERVAL_MS / 2) {
            return;
        }
    }
    panic!("the fastest took {fastest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_finds_nothing_waits_as_long_as_it_was_asked_to() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let began = tokio::time::Instant::now();
    assert_eq!(waiting(&agent, 5_000).await.unwrap(), json!([]));
    assert_eq!(began.elapsed().as_millis(), 5_000);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_claim_looks_for_itself_too() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let due = server.now().plus_ms(700).to_string();
    server
        .task_with(json!({"task_type": "work", "run_at": due}))
        .await;
    let claim = waiting(&agent, 20_000);
    until_waiting(&server, 1).await;
    // Time passes and no reconciler tells of it.
    server.advance_ms(700);
    assert_eq!(claim.await.unwrap().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_stopping_server_answers_waiting_claims_with_nothing() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let claim = waiting(&agent, 30_000);
    until_waiting(&server, 1).await;
    server.app.stop.begin();
    let claimed = tokio::time::timeout(Duration::from_secs(20), claim).await;
    assert_eq!(claimed.unwrap().unwrap(), json!([]));
}

#[tokio::test]
async fn an_agent_may_have_few_claims_waiting() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let claims: Vec<_> = (0..4).map(|_| waiting(&agent, 30_000)).collect();
    until_waiting(&server, 4).await;

    let fifth = agent
        .post("/api/v1/agents/one/claim", json!({"wait_ms": 1}))
        .await;

    fifth.refused(429, "too_many");
    assert_eq!(fifth.header("retry-after"), "1");
    // One that does not wait is always welcome.
    assert_eq!(agent.claim(1).await.len(), 0);
    server.app.stop.begin();
    for claim in claims {
        claim.await.unwrap();
    }
}

#[tokio::test]
async fn a_silent_agent_gets_no_work_before_it_is_heard() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    server.live_ms(30_000).await;
    let refused = agent.post("/api/v1/agents/one/claim", json!({})).await;
    refused.refused(409, "agent_inactive");
    agent.heartbeat(json!({})).await.ok(200);
    assert_eq!(agent.claim(1).await.len(), 0);
}

#[tokio::test]
async fn a_claim_out_of_bounds_is_refused() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let body = json!({"max": 1_001, "wait_ms": 30_001});
    let answer = agent.post("/api/v1/agents/one/claim", body).await;
    answer.refused(422, "validation");
    assert_eq!(answer.pointers(), ["/max", "/wait_ms"]);
}
