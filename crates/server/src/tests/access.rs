use axum::{body::Body, http::Request};
use mcpanel_domain::{KeyId, Namespace};
use mcpanel_guard::{ApiKeySecret, Permission, Permissions, Principal, Role};
use serde_json::Value;

use super::support::*;

async fn get(path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_public_route_needs_nothing_and_others_need_credentials() {
    assert_eq!(get("/health/live", &[]).await.text(), "alive");
    let answer = get("/api/v1/tasks", &[]).await;
    assert_eq!(answer.problem().code, "unauthenticated");
    assert_eq!(
        answer.header("www-authenticate"),
        "Bearer realm=\"mcpanel\""
    );
}

#[tokio::test]
async fn keys_and_tokens_open_doors() {
    let token = format!("Bearer {}", token_of(Permissions::all()));
    let key = format!("bearer {}", reader().reveal());
    for header in [
        ("x-api-key", ADMIN_KEY),
        ("x-api-key", reader().reveal()),
        ("authorization", &token),
        ("authorization", &key),
        ("authorization", &format!("Bearer {ADMIN_KEY}")),
    ] {
        assert_eq!(
            get("/api/v1/tasks", &[header]).await.status,
            200,
            "{header:?}"
        );
    }
}

#[tokio::test]
async fn bad_credentials_are_all_refused_alike() {
    let unknown = ApiKeySecret::of([9; 32]);
    let mistyped = reader().reveal().replacen("AQEB", "AQEC", 1);
    for header in [
        ("x-api-key", ""),
        ("x-api-key", "guess"),
        ("x-api-key", unknown.reveal()),
        ("x-api-key", revoked().reveal()),
        ("x-api-key", &mistyped),
        ("authorization", "Basic YWRtaW46YWRtaW4="),
        ("authorization", "Bearer"),
        ("authorization", "Bearer a.b.c"),
    ] {
        let answer = get("/api/v1/tasks", &[header]).await;
        assert_eq!(answer.problem().code, "unauthenticated", "{header:?}");
    }
    let detail = async |key: &str| {
        get("/api/v1/tasks", &[("x-api-key", key)])
            .await
            .problem()
            .detail
    };
    assert_eq!(
        detail(unknown.reveal()).await,
        detail(revoked().reveal()).await
    );
}

#[tokio::test]
async fn two_credentials_are_one_too_many() {
    let token = format!("Bearer {}", token_of(Permissions::all()));
    let both = [("x-api-key", ADMIN_KEY), ("authorization", token.as_str())];
    assert_eq!(get("/api/v1/tasks", &both).await.status, 401);
    assert_eq!(
        get(
            "/api/v1/tasks",
            &[("x-api-key", ADMIN_KEY), ("x-api-key", "other")]
        )
        .await
        .status,
        401
    );
}

#[tokio::test]
async fn credentials_in_the_query_are_refused_even_when_they_are_right() {
    for name in ["access_token", "api_key", "token", "X-API-Key"] {
        let path = format!("/api/v1/tasks?{name}={}", reader().reveal());
        let answer = get(&path, &[("x-api-key", ADMIN_KEY)]).await;
        assert_eq!(answer.problem().code, "unauthenticated", "{name}");
        assert!(
            !answer.text().contains(reader().reveal()),
            "the credential is not repeated"
        );
    }
}

#[tokio::test]
async fn the_token_of_a_revoked_key_is_refused() {
    let token = |id: &str| {
        let principal = Principal {
            role: Role::Key(KeyId::parse(id).unwrap()),
            namespace: Namespace::parse("clinic").unwrap(),
            permissions: Permissions::NONE.with(Permission::TaskRead),
        };
        format!("Bearer {}", tokens().issue(&principal, 60_000, NOW, 1).0)
    };
    assert_eq!(
        get("/api/v1/tasks", &[("authorization", &token("key_reader"))])
            .await
            .status,
        200
    );
    assert_eq!(
        get("/api/v1/tasks", &[("authorization", &token("key_revoked"))])
            .await
            .status,
        401
    );
    assert_eq!(
        get("/api/v1/tasks", &[("authorization", &token("key_never"))])
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn without_the_permission_a_route_is_forbidden_and_a_document_is_not_there() {
    let post = Request::post("/api/v1/tasks")
        .header("x-api-key", reader().reveal())
        .header("content-type", "application/json")
        .body(Body::from("this is not even looked at"))
        .unwrap();
    let problem = send(post).await.problem();
    assert_eq!((problem.status, problem.code.as_str()), (403, "forbidden"));
    assert_eq!(problem.detail, "this needs the permission `task:create`");

    let put = Request::put("/api/v1/tasks/task_1").header("x-api-key", reader().reveal());
    let problem = send(put.body(Body::empty()).unwrap()).await.problem();
    assert_eq!(
        (problem.status, problem.detail.as_str()),
        (404, "no task `task_1`")
    );
}

#[tokio::test]
async fn the_credential_decides_the_namespace() {
    let token = {
        let principal = Principal {
            role: Role::Key(KeyId::parse("key_reader").unwrap()),
            namespace: Namespace::parse("clinic").unwrap(),
            permissions: Permissions::all(),
        };
        tokens().issue(&principal, 60_000, NOW, 1).0
    };
    let request = Request::post("/api/v1/tasks")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    let seen: Value = send(request.body(Body::from(r#"{"task_type": "x"}"#)).unwrap())
        .await
        .json();
    assert_eq!(
        (&seen["namespace"], &seen["by"]),
        (&"clinic".into(), &"key:key_reader".into())
    );
}

#[tokio::test]
async fn a_route_that_is_not_in_the_table_is_closed_to_everybody() {
    let answer = get("/forgotten", &[("x-api-key", ADMIN_KEY)]).await;
    assert_eq!(answer.problem().code, "internal");
}

#[tokio::test]
async fn head_goes_with_get() {
    let request = admin("HEAD", "/api/v1/tasks/t")
        .body(Body::empty())
        .unwrap();
    assert_eq!(send(request).await.status, 200);
}
