//! The main bodies as they are on the wire, with generated ids, times and secrets masked.

use insta::assert_json_snapshot;
use serde_json::json;

use crate::support::{TestServer, masked};

#[tokio::test]
async fn bodies_about_agents() {
    let server = TestServer::new().await;
    let body = json!({"agent_id": "bias-1", "name": "Bias detector", "type": "bias-detector", "capabilities": ["bias_detection"], "metadata": {"gpu": false}});
    let signed_on = server
        .admin()
        .post("/api/v1/agents/register", body)
        .await
        .ok(201);
    assert_json_snapshot!("agent_registered", masked(signed_on));
    let beat = server
        .admin()
        .post(
            "/api/v1/agents/bias-1/heartbeat",
            json!({"tasks": ["gone"]}),
        )
        .await;
    assert_json_snapshot!("heartbeat_answer", masked(beat.ok(200)));
    let found = server.admin().get("/api/v1/discovery/agents").await.ok(200);
    assert_json_snapshot!("discovered_agents", masked(found));
}

#[tokio::test]
async fn bodies_about_tasks() {
    let server = TestServer::new().await;
    let agent = server.agent("bias-1", &["bias_detection"]).await;
    let body = json!({"task_type": "bias_detection", "parameters": {"text": "…"}, "priority": 10, "timeout_ms": 60_000});
    let made = server.admin().post("/api/v1/tasks", body).await.ok(201);
    assert_json_snapshot!("task", masked(made.clone()));
    let task = made["task_id"].as_str().unwrap();
    let mut claimed = agent.claim(1).await.remove(0);
    let lease = claimed["lease"].clone();
    // Where short leases stay out of the documents, the revision is still that of the document.
    assert!(matches!(claimed["revision"].take().as_u64(), Some(1 | 2)));
    assert_json_snapshot!("claimed_task", masked(claimed));
    let error = json!({"type": "external_service", "message": "the analysis answered 503"});
    agent
        .say(task, "fail", json!({"lease": lease, "error": error}))
        .await
        .ok(200);
    let path = format!("/api/v1/tasks/{task}");
    let explained = server.admin().get(&format!("{path}/explain")).await.ok(200);
    assert_eq!(explained["blockers"][0]["kind"], "retry_pause");
    let attempts = server
        .admin()
        .get(&format!("{path}/attempts"))
        .await
        .ok(200);
    assert_json_snapshot!("attempts", masked(attempts));
}

#[tokio::test]
async fn bodies_about_keys_and_health() {
    let server = TestServer::new().await;
    let body =
        json!({"name": "nightly import", "permissions": ["pipeline:create", "pipeline:read"]});
    let made = server.admin().post("/api/v1/keys", body).await.ok(201);
    assert_json_snapshot!("api_key_made", masked(made));
    let bought = server
        .admin()
        .post("/api/v1/auth/token", json!({"permissions": ["task:read"]}))
        .await;
    assert_json_snapshot!("token", masked(bought.ok(200)));
    assert_json_snapshot!(
        "health",
        masked(server.anonymous().get("/health").await.ok(200))
    );
    let services = server
        .admin()
        .get("/api/v1/discovery/services")
        .await
        .ok(200);
    assert_json_snapshot!("services", masked(services));
}

#[tokio::test]
async fn bodies_about_faults() {
    let server = TestServer::new().await;
    let call = server
        .admin()
        .request("POST", "/api/v1/tasks")
        .header("x-request-id", "mine");
    let faults = call
        .json(&json!({"priority": 5_000, "colour": "red"}))
        .await;
    assert_json_snapshot!("validation_problem", faults.json());
    let call = server
        .admin()
        .request("GET", "/api/v1/tasks/nothing")
        .header("x-request-id", "mine");
    assert_json_snapshot!("not_found_problem", call.empty().await.json());
}
