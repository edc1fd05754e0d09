//! Bad input: each has its own clear error, and changes nothing.

use axum::body::{Body, Bytes};
use futures::stream;
use serde_json::json;

use crate::support::TestServer;

const TASKS: &str = "/api/v1/tasks";

#[tokio::test]
async fn bad_bodies_are_refused_each_in_its_own_words() {
    let server = TestServer::new().await;
    server
        .task_with(json!({"task_type": "work", "task_id": "here"}))
        .await;
    let before = server.everything().await;
    let deep = format!(
        r#"{{"task_type": "x", "parameters": {}{}}}"#,
        "{\"a\":".repeat(10_000),
        "1".to_owned() + &"}".repeat(10_000)
    );
    let cases: Vec<(&str, String, u16, &str, &[&str])> = vec![
        ("no JSON", "{\"task_type\": ".to_owned(), 400, "malformed_json", &[]),
        ("nothing", String::new(), 400, "malformed_json", &[]),
        ("too deep", deep, 400, "json_too_deep", &[]),
        ("no type", json!({}).to_string(), 422, "validation", &["/task_type"]),
        ("a list", json!([]).to_string(), 422, "validation", &[""]),
        ("an id that leaves its folder", json!({"task_type": "x", "task_id": "../../etc"}).to_string(), 422, "validation", &["/task_id"]),
        ("an id too long", json!({"task_type": "x", "task_id": "x".repeat(129)}).to_string(), 422, "validation", &["/task_id"]),
        ("a misspelt field", json!({"task_type": "x", "priorty": 1}).to_string(), 422, "validation", &["/priorty"]),
        (
            "many faults",
            json!({"task_type": "x", "priority": 1_001, "timeout_ms": 0, "parameters": [], "max_retries": -1, "run_at": "soon"}).to_string(),
            422, "validation", &["/max_retries", "/parameters", "/priority", "/run_at", "/timeout_ms"],
        ),
        ("a deadline that passed", json!({"task_type": "x", "deadline": "2020-01-01T00:00:00Z"}).to_string(), 422, "validation", &["/deadline"]),
        ("a dependency that is none", json!({"task_type": "x", "dependencies": ["nowhere"]}).to_string(), 422, "unknown_dependency", &["/dependencies/0"]),
        ("waiting for itself", json!({"task_type": "x", "task_id": "x", "dependencies": ["x"]}).to_string(), 422, "dependency_cycle", &["/dependencies/0"]),
        ("the same dependency twice", json!({"task_type": "x", "dependencies": ["here", "here"]}).to_string(), 422, "validation", &["/dependencies/1"]),
    ];
    for (what, body, status, code, pointers) in cases {
        let call = server
            .admin()
            .request("POST", TASKS)
            .header("content-type", "application/json");
        let answer = call.body(body).await;
        answer.refused(status, code);
        assert_eq!(answer.pointers(), *pointers, "{what}");
    }
    assert_eq!(server.everything().await, before);
}

#[tokio::test]
async fn a_body_of_100_mb_is_refused_before_it_is_read_whole() {
    let server = TestServer::new().await;
    let piece = Bytes::from(vec![b' '; 1024 * 1024]);
    let mut sent = 0;
    let pieces = stream::iter((0..100).map(move |_| {
        sent += 1;
        assert!(sent <= 12, "the server reads on");
        Ok::<_, std::io::Error>(piece.clone())
    }));
    let call = server
        .admin()
        .request("POST", TASKS)
        .header("content-type", "application/json");
    call.body(Body::from_stream(pieces))
        .await
        .refused(413, "body_too_large");

    let call = server
        .admin()
        .request("POST", TASKS)
        .header("content-type", "application/json");
    let announced = call.header("content-length", "104857600").body("{}").await;
    announced.refused(413, "body_too_large");
}

#[tokio::test]
async fn a_payload_above_its_bound_is_refused_with_the_way_out() {
    let server = TestServer::new().await;
    let body = json!({"task_type": "x", "parameters": {"a": "x".repeat(8 * 1024 * 1024)}});
    let problem = server
        .admin()
        .post(TASKS, body)
        .await
        .refused(422, "validation");
    assert_eq!(problem.errors[0].pointer, "/parameters");
    assert!(problem.errors[0].detail.contains("artifact"), "{problem}");
}

#[tokio::test]
async fn a_cycle_of_new_tasks_is_shown_whole() {
    let server = TestServer::new().await;
    let body = json!({"tasks": [
        {"task_type": "x", "task_id": "a", "dependencies": ["c"]},
        {"task_type": "x", "task_id": "b", "dependencies": ["a"]},
        {"task_type": "x", "task_id": "c", "dependencies": ["b"]},
    ]});
    let problem = server
        .admin()
        .post("/api/v1/tasks/batch", body)
        .await
        .refused(422, "dependency_cycle");
    for id in ["a", "b", "c"] {
        assert!(problem.detail.contains(id), "{problem}");
    }
    assert!(problem.errors[0].pointer.ends_with("/dependencies"));
    assert_eq!(server.everything().await["tasks"]["tasks"], json!([]));
}

#[tokio::test]
async fn ids_in_paths_that_are_none_name_nothing() {
    let server = TestServer::new().await;
    for id in [
        "..%2F..%2Fetc",
        "%2e%2e",
        ".hidden",
        "a%20b",
        "%00",
        "%ff",
        &"x".repeat(129),
    ] {
        let answer = server.admin().get(&format!("{TASKS}/{id}")).await;
        answer.refused(404, "not_found");
    }
    // Dots that the caller did not encode are part of no route.
    server
        .admin()
        .get("/api/v1/tasks/../../etc")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn bad_queries_and_headers_are_refused() {
    let server = TestServer::new().await;
    for (query, pointer) in [
        ("limit=0", "/limit"),
        ("limit=501", "/limit"),
        ("status=lost", "/status"),
        ("cursor=AAAA", "/cursor"),
        ("nonsense=1", "/nonsense"),
        ("stage=1&stage=2", "/stage"),
    ] {
        let answer = server.admin().get(&format!("{TASKS}?{query}")).await;
        answer.refused(422, "validation");
        assert_eq!(answer.pointers(), [pointer]);
    }
    let key = server
        .admin()
        .request("POST", TASKS)
        .header("idempotency-key", &"k".repeat(256));
    let answer = key.json(&json!({"task_type": "x"})).await;
    answer.refused(422, "validation");
    assert_eq!(answer.pointers(), ["/Idempotency-Key"]);
    let media = server
        .admin()
        .request("POST", TASKS)
        .header("content-type", "text/plain");
    media
        .body("{}")
        .await
        .refused(415, "unsupported_media_type");
    server
        .admin()
        .request("PATCH", TASKS)
        .empty()
        .await
        .refused(405, "method_not_allowed");
}
