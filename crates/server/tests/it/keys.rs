//! API keys.

use serde_json::json;

use crate::support::TestServer;

const KEYS: &str = "/api/v1/keys";

#[tokio::test]
async fn the_secret_is_shown_once() {
    let server = TestServer::new().await;
    let body = json!({"name": "nightly", "permissions": ["task:read", "task:read"]});
    let made = server.admin().post(KEYS, body).await.ok(201);
    let secret = made["api_key"].as_str().unwrap();
    assert!(secret.starts_with(made["key"]["hint"].as_str().unwrap()));
    let list = server.admin().get(KEYS).await;
    assert!(!list.text().contains(secret));
    assert_eq!(list.ok(200)["keys"], json!([made["key"]]));
    assert_eq!(made["key"]["permissions"], json!(["task:read"]));
}

#[tokio::test]
async fn a_repeated_request_makes_one_key_and_shows_no_secret_again() {
    let server = TestServer::new().await;
    let send = async || {
        let call = server
            .admin()
            .request("POST", KEYS)
            .header("idempotency-key", "k");
        call.json(&json!({"name": "x", "permissions": []})).await
    };
    let (first, again) = (send().await, send().await);
    assert_eq!(again.header("idempotent-replayed"), "true");
    let (first, again) = (first.ok(201), again.ok(201));
    assert_eq!(first["key"], again["key"]);
    assert!(first["api_key"].is_string());
    assert_eq!(again.get("api_key"), None);
    let list = server.admin().get(KEYS).await.ok(200);
    assert_eq!(list["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_stops_working_when_it_expires() {
    let server = TestServer::new().await;
    let expires_at = server.now().plus_ms(60_000).to_string();
    let body = json!({"name": "x", "permissions": ["task:read"], "expires_at": expires_at});
    let made = server.admin().post(KEYS, body).await.ok(201);
    let key = server
        .anonymous()
        .with_header("x-api-key", made["api_key"].as_str().unwrap());
    key.get("/api/v1/tasks").await.ok(200);
    server.advance_ms(60_000);
    key.get("/api/v1/tasks")
        .await
        .refused(401, "unauthenticated");

    let body = json!({"name": "x", "permissions": [], "expires_at": server.now().to_string()});
    let late = server.admin().post(KEYS, body).await;
    late.refused(422, "validation");
    assert_eq!(late.pointers(), ["/expires_at"]);
}

#[tokio::test]
async fn only_an_administrator_opens_another_namespace() {
    let server = TestServer::new().await;
    let manager = server.key("clinic", &["key:manage", "task:read"]).await;
    let body =
        |namespace| json!({"name": "x", "permissions": ["task:read"], "namespace": namespace});
    manager
        .post(KEYS, body("default"))
        .await
        .refused(403, "forbidden");
    let own = manager.post(KEYS, body("clinic")).await.ok(201);
    // What one namespace has, another does not see.
    let id = own["key"]["key_id"].as_str().unwrap();
    server
        .admin()
        .delete(&format!("{KEYS}/{id}"))
        .await
        .refused(404, "not_found");
    assert_eq!(server.admin().get(KEYS).await.ok(200)["keys"], json!([]));
    manager.delete(&format!("{KEYS}/{id}")).await.ok(204);
}

#[tokio::test]
async fn an_administrator_lists_and_revokes_the_keys_of_any_namespace() {
    let server = TestServer::new().await;
    let stranger = server.stranger().await;
    let clinic = server
        .key("clinic", &["key:manage", "task:create", "task:read"])
        .await;
    let in_clinic = server.admin().with_header("x-namespace", "clinic");

    let listed = in_clinic.get(KEYS).await.ok(200);
    let keys = listed["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    let id = keys[0]["key_id"].as_str().unwrap();
    let elsewhere = server.admin().with_header("x-namespace", "elsewhere");
    for other in [&server.admin(), &stranger, &elsewhere] {
        let answer = other.delete(&format!("{KEYS}/{id}")).await;
        answer.refused(404, "not_found");
    }

    // What is made there is seen there.
    let task = json!({"task_type": "weigh", "task_id": "t"});
    in_clinic.post("/api/v1/tasks", task).await.ok(201);
    clinic.get("/api/v1/tasks/t").await.ok(200);
    server
        .admin()
        .get("/api/v1/tasks/t")
        .await
        .refused(404, "not_found");

    in_clinic.delete(&format!("{KEYS}/{id}")).await.ok(204);
    clinic.get(KEYS).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn whoever_is_no_administrator_names_no_other_namespace() {
    let server = TestServer::new().await;
    let clinic = server.key("clinic", &["key:manage"]).await;
    clinic
        .with_header("x-namespace", "clinic")
        .get(KEYS)
        .await
        .ok(200);
    for other in ["default", "nobody-has-this"] {
        let answer = clinic.with_header("x-namespace", other).get(KEYS).await;
        answer.refused(403, "forbidden");
    }
    let twice = server
        .admin()
        .with_header("x-namespace", "a")
        .with_header("x-namespace", "b");
    for bad in [twice, server.admin().with_header("x-namespace", "../etc")] {
        let answer = bad.get(KEYS).await;
        answer.refused(422, "validation");
        assert!(answer.text().contains("/X-Namespace"), "{}", answer.text());
    }
}
