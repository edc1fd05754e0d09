use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn heartbeats_keep_leases_and_silence_ends_them() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    agent.claim_one().await;
    for _ in 0..6 {
        server.live_ms(10_000).await;
        let answer = agent.heartbeat(json!({"tasks": [task]})).await.ok(200);
        assert_eq!(answer["status"], "active");
        assert_eq!(answer["lost"], json!([]));
    }
    let status = async || server.admin().get("/api/v1/agents/one").await.ok(200)["status"].clone();

    server.live_ms(20_000).await;
    assert_eq!(status().await, "suspect");
    assert_eq!(server.see(&task).await["status"], "assigned");
    server.live_ms(10_000).await;
    assert_eq!(status().await, "inactive");
    assert_eq!(server.see(&task).await["status"], "pending");

    let back = agent.heartbeat(json!({"tasks": [task]})).await.ok(200);
    assert_eq!(back["status"], "active");
    assert_eq!(back["lost"], json!([task]));
}

#[tokio::test]
async fn what_a_heartbeat_does_not_name_goes_back_after_a_grace() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    agent.claim_one().await;

    agent.heartbeat(json!({"tasks": []})).await.ok(200);
    assert_eq!(server.see(&task).await["status"], "assigned");
    server.live_ms(5_000).await;
    agent.heartbeat(json!({"tasks": []})).await.ok(200);

    assert_eq!(server.see(&task).await["status"], "pending");
}

#[tokio::test]
async fn a_cancelled_task_is_heard_of_and_confirmed() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    let (_, lease) = agent.claim_one().await;
    agent
        .say(&task, "start", json!({"lease": lease}))
        .await
        .ok(200);

    let cancel = format!("/api/v1/tasks/{task}/cancel");
    let asked = server
        .admin()
        .post(&cancel, json!({"reason": "wrong file"}))
        .await
        .ok(200);
    assert_eq!(
        (asked["status"].as_str(), &asked["cancel_requested"]),
        (Some("running"), &json!(true))
    );
    let heard = agent.heartbeat(json!({"tasks": [task]})).await.ok(200);
    assert_eq!(heard["cancel"], json!([task]));
    let confirmed = agent
        .say(&task, "cancel", json!({"lease": lease}))
        .await
        .ok(200);

    assert_eq!(confirmed["status"], "cancelled");
    assert!(
        confirmed["error"]["message"]
            .as_str()
            .unwrap()
            .contains("wrong file")
    );
}

#[tokio::test]
async fn a_running_task_is_cancelled_after_a_while_without_confirmation() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    agent.claim_one().await;
    server
        .admin()
        .post(&format!("/api/v1/tasks/{task}/cancel"), json!({}))
        .await
        .ok(200);
    for _ in 0..3 {
        assert_eq!(server.see(&task).await["status"], "assigned");
        server.live_ms(10_000).await;
        agent.heartbeat(json!({"tasks": [task]})).await.ok(200);
    }
    assert_eq!(server.see(&task).await["status"], "cancelled");
}

#[tokio::test]
async fn an_agent_that_reports_an_error_is_given_nothing_until_it_is_well() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    server.task("work").await;
    let ill = agent
        .heartbeat(json!({"status": "error", "message": "no GPU"}))
        .await
        .ok(200);
    assert_eq!(ill["status"], "error");
    let shown = server.admin().get("/api/v1/agents/one").await.ok(200);
    assert_eq!(shown["status_message"], "no GPU");
    let claim = agent.post("/api/v1/agents/one/claim", json!({})).await;
    claim.refused(409, "agent_inactive");

    agent.heartbeat(json!({"status": "active"})).await.ok(200);
    assert_eq!(agent.claim(1).await.len(), 1);
}

#[tokio::test]
async fn an_agent_acts_as_itself_only_and_others_look_nonexistent() {
    let server = TestServer::new().await;
    let one = server.agent("one", &["work"]).await;
    server.agent("two", &["work"]).await;
    for verb in ["heartbeat", "claim"] {
        let other = one
            .post(&format!("/api/v1/agents/two/{verb}"), json!({}))
            .await;
        let nobody = one
            .post(&format!("/api/v1/agents/nobody/{verb}"), json!({}))
            .await;
        let (other, nobody) = (
            other.refused(404, "not_found"),
            nobody.refused(404, "not_found"),
        );
        assert_eq!(other.detail.replace("two", "nobody"), nobody.detail);
    }
    // Who is no agent and may execute tasks acts for any.
    server
        .admin()
        .post("/api/v1/agents/two/heartbeat", json!({}))
        .await
        .ok(200);
}
