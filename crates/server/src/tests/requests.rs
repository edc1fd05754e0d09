use axum::{body::Body, http::Request};
use bytes::Bytes;
use serde_json::{Value, json};

use super::support::*;
use crate::limits::BODY_BYTES_MAX;

#[tokio::test]
async fn an_unknown_path_is_a_problem() {
    let answer = send(admin("GET", "/api/v1/nothing").body(Body::empty()).unwrap()).await;
    let problem = answer.problem();
    assert_eq!((problem.status, problem.code.as_str()), (404, "not_found"));
    assert_eq!(problem.instance.as_deref(), Some("/api/v1/nothing"));
}

#[tokio::test]
async fn a_wrong_method_is_a_problem_that_tells_the_right_ones() {
    let answer = send(
        admin("DELETE", "/api/v1/tasks")
            .body(Body::empty())
            .unwrap(),
    )
    .await;
    assert_eq!(answer.problem().code, "method_not_allowed");
    assert_eq!(answer.header("allow"), "POST,GET,HEAD");
    let answer = send(admin("POST", "/openapi.json").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.problem().code, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn a_caller_s_request_id_comes_back_and_an_unsafe_one_does_not() {
    let request = |id: &'static str| {
        admin("GET", "/x")
            .header("x-request-id", id)
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(
        send(request("trace-1:2/3"))
            .await
            .problem()
            .request_id
            .as_deref(),
        Some("trace-1:2/3")
    );
    for unsafe_id in ["", "a b", "<script>", "\"x\""] {
        let id = send(request(unsafe_id))
            .await
            .header("x-request-id")
            .to_owned();
        assert!(id.starts_with("req_") && id.len() == 36, "{id}");
    }
}

#[tokio::test]
async fn a_panic_is_a_bare_500() {
    let answer = send(Request::get("/panics").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.problem().code, "internal");
    assert!(
        !answer.text().contains("secret detail"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn answers_are_neither_cached_nor_sniffed() {
    let answer = send(admin("GET", "/api/v1/tasks/t").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("etag"), "\"7\"");
}

#[tokio::test]
async fn a_body_lists_all_its_faults() {
    let answer = post("/api/v1/tasks", r#"{"priority": 5000, "colour": "red"}"#).await;
    let problem = answer.problem();
    assert_eq!((problem.status, problem.errors.len()), (422, 3));
}

#[tokio::test]
async fn the_media_type_must_be_json_in_utf_8() {
    for (kind, expected) in [
        ("application/json", 200),
        ("Application/JSON; charset=\"UTF-8\"", 200),
        ("application/vnd.mcpanel+json", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/json; charset=latin1", 415),
        ("", 415),
    ] {
        let request = admin("POST", "/api/v1/tasks").header("content-type", kind);
        let answer = send(request.body(Body::from(r#"{"task_type": "x"}"#)).unwrap()).await;
        assert_eq!(answer.status, expected, "{kind}: {}", answer.text());
    }
    let none = admin("POST", "/api/v1/tasks")
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(send(none).await.problem().code, "unsupported_media_type");
    let packed = admin("POST", "/api/v1/tasks")
        .header("content-encoding", "gzip")
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(send(packed).await.problem().code, "unsupported_media_type");
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_refused_unread() {
    let unreadable = futures::stream::poll_fn(
        |_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> {
            panic!("the body was read")
        },
    );
    let request = admin("POST", "/api/v1/tasks")
        .header("content-type", "application/json")
        .header("content-length", "104857600");
    let answer = send(request.body(Body::from_stream(unreadable)).unwrap()).await;
    assert_eq!(answer.problem().code, "body_too_large");
}

#[tokio::test]
async fn a_body_that_grows_too_large_is_cut_off() {
    let chunk = Bytes::from(vec![b' '; 1024 * 1024]);
    let endless = futures::stream::iter(std::iter::repeat_with(move || {
        Ok::<_, std::io::Error>(chunk.clone())
    }));
    let request = admin("POST", "/api/v1/tasks").header("content-type", "application/json");
    let answer = send(request.body(Body::from_stream(endless)).unwrap()).await;
    let problem = answer.problem();
    assert_eq!(problem.code, "body_too_large");
    assert!(problem.detail.contains(&BODY_BYTES_MAX.to_string()));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up() {
    let silent = futures::stream::pending::<Result<Bytes, std::io::Error>>();
    let request = admin("POST", "/api/v1/tasks").header("content-type", "application/json");
    let answer = send(request.body(Body::from_stream(silent)).unwrap()).await;
    assert_eq!(answer.problem().code, "request_timeout");
}

#[tokio::test]
async fn a_body_that_may_be_left_out_may_be_left_out() {
    let empty = send(
        admin("POST", "/api/v1/tasks/t/cancel")
            .body(Body::empty())
            .unwrap(),
    )
    .await;
    assert_eq!(empty.json::<Value>(), json!({}));
    let full = post("/api/v1/tasks/t/cancel", r#"{"reason": "x"}"#).await;
    assert_eq!(full.json::<Value>(), json!({"reason": "x"}));
    assert_eq!(
        post("/api/v1/tasks/t/cancel", r#"{"why": "x"}"#)
            .await
            .problem()
            .errors[0]
            .pointer,
        "/why"
    );
}

#[tokio::test]
async fn an_id_that_cannot_be_one_names_nothing() {
    for path in [
        "/api/v1/tasks/..%2F..%2Fetc",
        "/api/v1/tasks/.hidden",
        "/api/v1/tasks/a%20b",
        "/api/v1/tasks/%FF",
    ] {
        let answer = send(admin("GET", path).body(Body::empty()).unwrap()).await;
        let problem = answer.problem();
        assert_eq!(problem.code, "not_found", "{path}");
        assert!(
            problem.detail.starts_with("nothing at "),
            "{}",
            problem.detail
        );
    }
}

#[tokio::test]
async fn query_parameters_are_checked_like_bodies() {
    let get = |query: &str| {
        send(
            admin("GET", &format!("/api/v1/tasks?{query}"))
                .body(Body::empty())
                .unwrap(),
        )
    };
    assert_eq!(get("limit=7").await.json::<Value>(), json!({"limit": 7}));
    let problem = get("limit=0&offset=3").await.problem();
    let pointers: Vec<_> = problem
        .errors
        .iter()
        .map(|fault| fault.pointer.as_str())
        .collect();
    assert_eq!(pointers, ["/limit", "/offset"]);
}

#[tokio::test]
async fn an_update_must_say_which_revision_it_saw() {
    let put = |tag: Option<&'static str>| {
        let request = admin("PUT", "/api/v1/tasks/t");
        let request = match tag {
            Some(tag) => request.header("if-match", tag),
            None => request,
        };
        send(request.body(Body::empty()).unwrap())
    };
    assert_eq!(put(None).await.problem().code, "precondition_required");
    assert_eq!(put(Some("\"7\"")).await.json::<Value>(), json!(7));
    assert_eq!(put(Some("*")).await.json::<Value>(), Value::Null);
    assert_eq!(
        put(Some("7")).await.problem().errors[0].pointer,
        "/if-match"
    );
}

#[tokio::test]
async fn the_fingerprint_of_a_request_is_that_of_its_body_and_path() {
    let send_with = async |key: &str, path: &str, body: &str| {
        let request = admin("POST", path)
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .header("prefer", "respond-async, return=minimal");
        send(request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let body = r#"{"task_type": "x"}"#;
    let first: Value = send_with("k-1", "/api/v1/tasks", body).await.json();
    assert_eq!(
        (&first["key"], &first["minimal"]),
        (&json!("k-1"), &json!(true))
    );
    let again: Value = send_with("k-1", "/api/v1/tasks", body).await.json();
    assert_eq!(first["fingerprint"], again["fingerprint"]);
    for (path, body) in [
        ("/api/v1/tasks?a", body),
        ("/api/v1/tasks", r#"{"task_type": "y"}"#),
    ] {
        let other: Value = send_with("k-1", path, body).await.json();
        assert_ne!(first["fingerprint"], other["fingerprint"], "{path} {body}");
    }
    for key in ["", "a b", &"x".repeat(256)] {
        let problem = send_with(key, "/api/v1/tasks", body).await.problem();
        assert_eq!(problem.errors[0].pointer, "/Idempotency-Key", "{key}");
    }
}
