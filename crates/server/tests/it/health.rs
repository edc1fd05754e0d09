//! How the server says it is.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn health_has_the_form_of_the_specification_at_both_places() {
    let server = TestServer::new().await;
    server.task("work").await;
    server.advance_ms(5_000);
    for path in ["/health", "/api/v1/health"] {
        let health = server.anonymous().get(path).await.ok(200);
        assert_eq!(
            (&health["service"], &health["status"]),
            (&json!("mcpanel"), &json!("healthy"))
        );
        assert_eq!(health["timestamp"], server.now().to_string());
        let checks = health["checks"].as_object().unwrap();
        let names: Vec<&String> = checks.keys().collect();
        assert_eq!(
            names,
            ["database", "external_services", "redis", "system_resources"]
        );
        assert_eq!(checks["redis"]["status"], "not_configured");
        assert!(checks["database"]["figures"]["commits"].as_u64().unwrap() >= 1);
        assert_eq!(checks["system_resources"]["figures"]["uptime_ms"], 5_000);
    }
}

#[tokio::test]
async fn a_stopping_server_is_alive_and_not_ready() {
    let server = TestServer::new().await;
    let client = server.anonymous();
    assert_eq!(
        client.get("/health/ready").await.ok(200),
        json!({"status": "healthy"})
    );
    server.app.stop.begin();
    assert_eq!(
        client.get("/health/ready").await.ok(503),
        json!({"status": "unhealthy"})
    );
    assert_eq!(
        client.get("/health/live").await.ok(200),
        json!({"status": "healthy"})
    );
    assert_eq!(client.get("/health").await.ok(200)["status"], "degraded");
}
