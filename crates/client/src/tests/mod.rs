//! Calls against a server that fails in every way there is.

mod tls;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use mcpanel_api::{ArtifactId, artifact::Artifact, task::NewTask};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{Client, Config, Credential, Error, IdempotencyKey};

async fn serve(router: Router) -> Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    client(&format!("http://{address}"))
}

fn client(url: &str) -> Client {
    Client::new(Config::new(
        url,
        Credential::ApiKey("mcp_secret".to_owned()),
    ))
    .unwrap()
}

fn problem(status: u16, code: &str) -> Response {
    let body = json!({
        "type": "about:blank", "title": "refused", "status": status, "detail": "by the test", "code": code,
        "errors": [{"pointer": "/priority", "code": "out_of_range", "detail": "is 5000; at most 1000"}],
    });
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (StatusCode::from_u16(status).unwrap(), kind, Json(body)).into_response()
}

fn new_task() -> NewTask {
    NewTask::of_type("count".parse().unwrap())
}

#[tokio::test]
async fn a_refusal_says_what_the_server_says() {
    let router = Router::new().route(
        "/api/v1/tasks",
        post(|| async { problem(422, "validation") }),
    );
    let client = serve(router).await;
    let error = client
        .create_task(&new_task(), &IdempotencyKey::random())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("validation"));
    assert_eq!(error.status(), Some(422));
    assert!(
        error
            .to_string()
            .contains("`/priority` is 5000; at most 1000"),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_of_another_program_is_recognised() {
    let router = Router::new().route(
        "/health/live",
        get(|| async { (StatusCode::NOT_FOUND, "<html>") }),
    );
    let error = serve(router).await.health_live().await.unwrap_err();
    assert!(
        matches!(error, Error::Foreign { status: 404, .. }),
        "{error:?}"
    );
    let router = Router::new().route("/health/live", get(|| async { "<html>" }));
    let error = serve(router).await.health_live().await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
}

/// Counts calls; the first ones fail.
#[derive(Clone, Default)]
struct Flaky {
    calls: Arc<AtomicUsize>,
    keys: Arc<parking_lot::Mutex<Vec<String>>>,
}

async fn flaky(State(flaky): State<Flaky>, headers: HeaderMap) -> Response {
    let key = headers
        .get("idempotency-key")
        .map(|key| key.to_str().unwrap().to_owned());
    flaky.keys.lock().extend(key);
    match flaky.calls.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => {
            let mut response = problem(503, "store_unavailable");
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, "0".parse().unwrap());
            response
        }
        _ => Json(json!({"status": "healthy"})).into_response(),
    }
}

#[tokio::test]
async fn reads_are_repeated_while_the_server_cannot_answer() {
    let state = Flaky::default();
    let router = Router::new()
        .route("/health/ready", get(flaky))
        .with_state(state.clone());
    serve(router).await.health_ready().await.unwrap();
    assert_eq!(state.calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn creations_are_repeated_with_the_same_key() {
    let state = Flaky::default();
    let router = Router::new()
        .route("/api/v1/tasks", post(flaky))
        .with_state(state.clone());
    // The third answer is no task, which does not matter here.
    let error = serve(router)
        .await
        .create_task(&new_task(), &IdempotencyKey::random())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    let keys = state.keys.lock();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[tokio::test]
async fn a_creation_tells_whether_it_was_there_before() {
    let made = json!({
        "template_id": "two", "namespace": "default", "version": 1, "description": "", "stages": [],
        "created_by": "key_1", "created_at": "2026-01-02T03:04:05.678Z"
    });
    let answer = move |headers: HeaderMap| async move {
        let is_known = headers["idempotency-key"] == "known";
        ([("idempotent-replayed", is_known.to_string())], Json(made)).into_response()
    };
    let client = serve(Router::new().route("/api/v1/templates", post(answer))).await;
    let template = serde_json::from_value(json!({"template_id": "two", "stages": []})).unwrap();
    for (key, expected) in [("known", true), ("new", false)] {
        let key = IdempotencyKey::parse(key).unwrap();
        let created = client
            .create_or_find_template(&template, &key)
            .await
            .unwrap();
        assert_eq!(created.is_replayed, expected);
        assert_eq!(created.document.version, 1);
    }
}

#[tokio::test]
async fn a_server_that_is_unwell_says_so_and_is_heard() {
    let unwell = || async {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"status": "unhealthy"})),
        )
    };
    let router = Router::new()
        .route("/health/ready", get(unwell))
        .route("/health/live", get(|| async { problem(503, "overloaded") }));
    let client = serve(router).await.with_patience(Duration::ZERO);
    let probe = client.health_ready().await.unwrap();
    assert_eq!(probe.status, mcpanel_api::health::Health::Unhealthy);
    let error = client.health_live().await.unwrap_err();
    assert_eq!(error.code(), Some("overloaded"));
}

#[tokio::test]
async fn changes_that_may_have_arrived_are_not_repeated() {
    let state = Flaky::default();
    let router = Router::new()
        .route("/api/v1/tasks/{id}/retry", post(flaky))
        .with_state(state.clone());
    let error = serve(router)
        .await
        .retry_task(&"t1".parse().unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("store_unavailable"));
    assert_eq!(state.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_unknown_outcome_is_asked_after_with_the_same_key_only() {
    let calls = Arc::new(AtomicUsize::new(0));
    let once = |State(calls): State<Arc<AtomicUsize>>| async move {
        match calls.fetch_add(1, Ordering::SeqCst) % 2 {
            0 => problem(503, "outcome_unknown"),
            _ => problem(409, "conflict"),
        }
    };
    let router = Router::new()
        .route("/api/v1/tasks", post(once))
        .route("/api/v1/tasks/{id}/retry", post(once))
        .with_state(calls.clone());
    let client = serve(router).await;
    let error = client
        .create_task(&new_task(), &IdempotencyKey::random())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("conflict"));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    let error = client.retry_task(&"t1".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.code(), Some("outcome_unknown"));
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_server_that_comes_back_is_waited_for_even_by_changes() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = client(&format!("http://{address}"));
    let call = tokio::spawn(async move { client.retry_task(&"t1".parse().unwrap()).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let router = Router::new().route(
        "/api/v1/tasks/{id}/retry",
        post(|| async { problem(409, "invalid_transition") }),
    );
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Some("invalid_transition"));
}

#[tokio::test]
async fn patience_ends() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let begun = Instant::now();
    let error = client(&url)
        .with_patience(Duration::from_millis(300))
        .health_live()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(begun.elapsed() < Config::new(&url, Credential::None).patience);
    assert!(
        !error.chain().contains("error sending request"),
        "{}",
        error.chain()
    );
}

#[tokio::test]
async fn an_answer_that_never_comes_is_given_up() {
    let router = Router::new().route("/health/live", get(std::future::pending::<()>));
    let address = serve(router).await.base_url().to_owned();
    let mut config = Config::new(address, Credential::None);
    config.answer_timeout = Duration::from_millis(100);
    config.patience = Duration::ZERO;
    let error = Client::new(config)
        .unwrap()
        .health_live()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}

fn artifact(bytes: &[u8]) -> Artifact {
    let mut sha = crate::transfer::Sha256Hex::default();
    sha.update(bytes);
    serde_json::from_value(json!({
        "artifact_id": "art_1", "namespace": "default", "pipeline_id": null, "stage": null, "task_id": null,
        "attempt": null, "index": 0, "name": "a.jsonl", "role": "chunk", "media_type": "application/jsonl",
        "size_bytes": bytes.len(), "sha256": sha.finish(), "records": null, "metadata": {}, "created_by": "test",
        "created_at": "2026-01-02T03:04:05.678Z",
    }))
    .unwrap()
}

/// Serves bytes and breaks the connection after each `piece`; understands ranges.
async fn broken_server(bytes: Vec<u8>, piece: usize) -> (Client, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
            let from = request.split("range: bytes=").nth(1).map_or(0, |rest| {
                rest.split('-').next().unwrap().parse::<usize>().unwrap()
            });
            let status = if from == 0 {
                "200 OK"
            } else {
                "206 Partial Content"
            };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
                bytes.len() - from
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            let end = bytes.len().min(from + piece);
            stream.write_all(&bytes[from..end]).await.unwrap();
        }
    });
    (client(&format!("http://{address}")), connections)
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_was() {
    let bytes: Vec<u8> = (0..10_000u32).flat_map(u32::to_le_bytes).collect();
    let (client, connections) = broken_server(bytes.clone(), 15_000).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    client.download_to(artifact(&bytes), &path).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_download_of_other_bytes_leaves_no_file() {
    let (client, _) = broken_server(b"tampered".to_vec(), 100).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let error = client
        .download_to(artifact(b"original"), &path)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_upload_carries_length_and_digest_and_checks_the_answer() {
    let stored: Arc<parking_lot::Mutex<Vec<(HeaderMap, Bytes)>>> = Arc::default();
    let keep = stored.clone();
    let router = Router::new().route(
        "/api/v1/artifacts",
        post(async move |headers: HeaderMap, body: Bytes| {
            let known = artifact(&body);
            keep.lock().push((headers, body));
            (StatusCode::CREATED, Json(known))
        }),
    );
    let client = serve(router).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let bytes = vec![b'x'; 200_000];
    std::fs::write(&path, &bytes).unwrap();
    let about = mcpanel_api::artifact::ArtifactUpload {
        name: "a b.jsonl".to_owned(),
        role: None,
        task_id: None,
        lease: None,
        index: Some(3),
        records: None,
        pipeline_id: None,
    };
    let key = IdempotencyKey::random();
    let made = client
        .upload_file(&path, "application/jsonl", &about, &key)
        .await
        .unwrap();
    assert_eq!(made.artifact_id, ArtifactId::parse("art_1").unwrap());
    let stored = stored.lock();
    let (headers, body) = &stored[0];
    assert_eq!(body.len(), bytes.len());
    assert_eq!(headers[header::CONTENT_LENGTH], "200000");
    assert!(
        headers["content-digest"]
            .to_str()
            .unwrap()
            .starts_with("sha-256=:")
    );
    assert_eq!(headers["x-api-key"], "mcp_secret");
}

#[tokio::test]
async fn followed_events_go_on_after_a_broken_stream() {
    let connections = Arc::new(AtomicUsize::new(0));
    let seen: Arc<parking_lot::Mutex<Vec<Option<String>>>> = Arc::default();
    let (count, note) = (connections.clone(), seen.clone());
    let router = Router::new().route(
        "/api/v1/events/stream",
        get(async move |headers: HeaderMap| {
            note.lock().push(
                headers
                    .get("last-event-id")
                    .map(|id| id.to_str().unwrap().to_owned()),
            );
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            let data = json!({
                "seq": number, "type": "task:completed", "timestamp": "2026-01-02T03:04:05.678Z",
                "namespace": "default", "payload": {"taskId": "t1"},
            });
            let text = format!(": ping\n\nid: {number}\nevent: task:completed\ndata: {data}\n\n");
            (
                [(header::CONTENT_TYPE, "text/event-stream")],
                Body::from(text),
            )
        }),
    );
    let mut follow = serve(router)
        .await
        .follow_events(mcpanel_api::event::EventQuery::default());
    for number in 1..=3 {
        let crate::events::Happening::Event(event) = follow.next().await.unwrap() else {
            panic!("an event was sent");
        };
        assert_eq!(event.seq, number);
    }
    let seen = seen.lock();
    assert_eq!(
        seen[..3],
        [None, Some("1".to_owned()), Some("2".to_owned())]
    );
}
