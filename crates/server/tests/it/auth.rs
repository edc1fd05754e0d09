//! Tokens, and what becomes of credentials.

use serde_json::json;

use crate::support::TestServer;

const TOKEN: &str = "/api/v1/auth/token";

#[tokio::test]
async fn a_key_buys_a_token_with_some_of_its_permissions() {
    let server = TestServer::new().await;
    let key = server.key("clinic", &["task:read", "task:create"]).await;
    let body = json!({"permissions": ["task:read"], "expires_in_ms": 60_000});

    let bought = key.post(TOKEN, body).await.ok(200);

    assert_eq!(
        (&bought["token_type"], &bought["namespace"]),
        (&json!("Bearer"), &json!("clinic"))
    );
    let bearer = format!("Bearer {}", bought["token"].as_str().unwrap());
    let client = server.anonymous().with_header("authorization", &bearer);
    client.get("/api/v1/tasks").await.ok(200);
    client
        .post("/api/v1/tasks", json!({"task_type": "x"}))
        .await
        .refused(403, "forbidden");
    server.advance_ms(70_000);
    let late = client
        .get("/api/v1/tasks")
        .await
        .refused(401, "unauthenticated");
    assert!(late.detail.contains("expired"), "{late}");
}

#[tokio::test]
async fn a_token_buys_no_token() {
    let server = TestServer::new().await;
    let bought = server.admin().request("POST", TOKEN).empty().await.ok(200);
    let bearer = format!("Bearer {}", bought["token"].as_str().unwrap());
    let client = server.anonymous().with_header("authorization", &bearer);
    client
        .post(TOKEN, json!({}))
        .await
        .refused(403, "forbidden");
    let agent = server.agent("one", &["work"]).await;
    agent.post(TOKEN, json!({})).await.refused(403, "forbidden");
}

#[tokio::test]
async fn nobody_passes_on_what_they_do_not_have() {
    let server = TestServer::new().await;
    let key = server.key("default", &["task:read", "key:manage"]).await;
    let body = json!({"permissions": ["task:read", "task:manage"]});
    let problem = key.post(TOKEN, body).await.refused(403, "forbidden");
    assert!(problem.detail.contains("`task:manage`"), "{problem}");
    let body = json!({"name": "x", "permissions": ["agent:manage"]});
    key.post("/api/v1/keys", body)
        .await
        .refused(403, "forbidden");
    let unknown = key
        .post(
            TOKEN,
            json!({"permissions": ["task:fly", "task:read", "root"]}),
        )
        .await;
    unknown.refused(422, "validation");
    assert_eq!(unknown.pointers(), ["/permissions/0", "/permissions/2"]);
}

#[tokio::test]
async fn a_revoked_key_takes_its_tokens_along() {
    let server = TestServer::new().await;
    let body = json!({"name": "x", "permissions": ["task:read"]});
    let made = server.admin().post("/api/v1/keys", body).await.ok(201);
    let key = server
        .anonymous()
        .with_header("x-api-key", made["api_key"].as_str().unwrap());
    let bought = key.post(TOKEN, json!({})).await.ok(200);
    let bearer = format!("Bearer {}", bought["token"].as_str().unwrap());
    let token = server.anonymous().with_header("authorization", &bearer);
    token.get("/api/v1/tasks").await.ok(200);

    let path = format!("/api/v1/keys/{}", made["key"]["key_id"].as_str().unwrap());
    for _ in 0..2 {
        server.admin().delete(&path).await.ok(204);
    }

    key.get("/api/v1/tasks")
        .await
        .refused(401, "unauthenticated");
    token
        .get("/api/v1/tasks")
        .await
        .refused(401, "unauthenticated");
}
