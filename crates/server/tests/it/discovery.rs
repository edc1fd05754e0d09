//! What can be found.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn agents_are_found_by_capability_with_the_room_they_have() {
    let server = TestServer::new().await;
    let both = server.agent("both", &["read", "write"]).await;
    server.agent("reader", &["read"]).await;
    server.task("write").await;
    both.claim_one().await;

    let found = server.admin().get("/api/v1/discovery/agents").await.ok(200);

    let capabilities = json!([
        {"capability": "read", "agents": 2, "free_slots": 19},
        {"capability": "write", "agents": 1, "free_slots": 9},
    ]);
    assert_eq!(found["capabilities"], capabilities);
    let writers = server
        .admin()
        .get("/api/v1/discovery/agents?capability=write")
        .await
        .ok(200);
    assert_eq!(writers["agents"].as_array().unwrap().len(), 1);
    assert_eq!(writers["agents"][0]["agent_id"], "both");
    assert_eq!(writers["capabilities"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn silent_agents_are_not_found() {
    let server = TestServer::new().await;
    server.agent("one", &["work"]).await;
    server.live_ms(30_000).await;
    let found = server.admin().get("/api/v1/discovery/agents").await.ok(200);
    assert_eq!(
        (&found["agents"], &found["capabilities"]),
        (&json!([]), &json!([]))
    );
}

#[tokio::test]
async fn the_services_are_where_they_say() {
    let server = TestServer::new().await;
    let found = server
        .admin()
        .get("/api/v1/discovery/services")
        .await
        .ok(200);
    for service in found["services"].as_array().unwrap() {
        if service["url"] == "/api/v1" {
            continue;
        }
        let place = server
            .admin()
            .request("GET", service["url"].as_str().unwrap());
        let status = place.unread("").await.status();
        assert!(status.is_success() || status.is_redirection(), "{service}");
    }
}
