use serde_json::json;

use crate::support::{TestAgent, TestServer};

#[tokio::test]
async fn an_agent_signs_on_and_gets_a_credential_of_its_own() {
    let server = TestServer::new().await;
    let body = json!({"agent_id": "bias-1", "name": "Bias", "type": "bias-detector", "capabilities": ["b", "a", "b"]});

    let answer = server.admin().post("/api/v1/agents/register", body).await;

    let signed_on = answer.ok(201);
    assert_eq!(answer.header("location"), "/api/v1/agents/bias-1");
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(signed_on["agent"]["capabilities"], json!(["a", "b"]));
    assert_eq!(signed_on["agent"]["concurrency"], 20);
    assert_eq!(signed_on["heartbeat_interval_ms"], 10_000);
    let agent = TestAgent::of(&server.anonymous(), &signed_on);
    let own = agent.get("/api/v1/agents/bias-1").await.ok(200);
    assert_eq!(own, signed_on["agent"]);
    assert_eq!(own["session_id"], agent.session.as_str());
}

#[tokio::test]
async fn a_new_session_takes_the_work_and_the_word_of_the_old_one() {
    let server = TestServer::new().await;
    let old = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    let (_, lease) = old.claim_one().await;

    let new = server.agent("one", &["work"]).await;

    assert_eq!(server.see(&task).await["status"], "pending");
    let late = old.say(&task, "complete", json!({"lease": lease})).await;
    late.refused(409, "session_superseded");
    old.heartbeat(json!({}))
        .await
        .refused(409, "session_superseded");
    old.get("/api/v1/tasks")
        .await
        .refused(409, "session_superseded");
    assert_eq!(new.claim(1).await.len(), 1);
}

#[tokio::test]
async fn a_repeated_sign_on_gets_a_fresh_token_for_the_same_session() {
    let server = TestServer::new().await;
    let body = json!({"name": "x", "type": "tester", "capabilities": ["work"]});
    let send = async || {
        let call = server.admin().request("POST", "/api/v1/agents/register");
        call.header("idempotency-key", "k").json(&body).await
    };

    let (first, again) = (send().await, send().await);

    assert_eq!(first.header("idempotent-replayed"), "");
    assert_eq!(again.header("idempotent-replayed"), "true");
    let (first, again) = (first.ok(201), again.ok(201));
    assert_eq!(first["session_id"], again["session_id"]);
    assert_ne!(first["token"], again["token"]);
    for signed_on in [&first, &again] {
        let agent = TestAgent::of(&server.anonymous(), signed_on);
        agent.heartbeat(json!({})).await.ok(200);
    }
}

#[tokio::test]
async fn a_repeated_sign_on_does_not_get_into_a_newer_session() {
    let server = TestServer::new().await;
    let body = json!({"agent_id": "one", "name": "x", "type": "tester", "capabilities": ["work"]});
    let send = async || {
        let call = server.admin().request("POST", "/api/v1/agents/register");
        call.header("idempotency-key", "k").json(&body).await
    };
    send().await.ok(201);
    server.agent("one", &["work"]).await;
    send().await.refused(409, "session_superseded");
}

#[tokio::test]
async fn every_fault_of_a_sign_on_is_listed_and_nobody_signs_on() {
    let server = TestServer::new().await;
    let body = json!({
        "agent_id": "../x", "name": "", "type": "a b", "capabilities": [1],
        "concurrency": 0, "endpoint_url": "ftp://x", "metadata": [], "colour": "red"
    });

    let answer = server.admin().post("/api/v1/agents/register", body).await;

    answer.refused(422, "validation");
    let expected = [
        "/agent_id",
        "/capabilities/0",
        "/colour",
        "/concurrency",
        "/endpoint_url",
        "/metadata",
        "/name",
        "/type",
    ];
    assert_eq!(answer.pointers(), expected);
    assert_eq!(server.everything().await["agents"]["agents"], json!([]));
}

#[tokio::test]
async fn an_agent_without_capabilities_would_never_work_and_is_refused() {
    let server = TestServer::new().await;
    let body = json!({"name": "x", "type": "tester", "capabilities": []});
    let answer = server.admin().post("/api/v1/agents/register", body).await;
    answer.refused(422, "validation");
    assert_eq!(answer.pointers(), ["/capabilities"]);
}
