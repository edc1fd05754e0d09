//! Artifacts over the real router: bytes in, bytes out, and what is refused without a trace.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body_util::BodyExt;
use mcpanel_adapters::ArtifactStore;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::support::{ADMIN_KEY, Answer, Client, TestAgent, TestServer};

/// Every file below the folder of artifacts.
fn files(server: &TestServer) -> Vec<PathBuf> {
    fn below(path: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).unwrap().map(Result::unwrap);
        entries
            .flat_map(|entry| match entry.file_type().unwrap().is_dir() {
                true => below(&entry.path()),
                false => vec![entry.path()],
            })
            .collect()
    }
    match &*server.app.files {
        ArtifactStore::Files(files) => below(files.root()),
        ArtifactStore::GridFs(_) => unreachable!("these tests keep files"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest(text: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64_STANDARD.encode(Sha256::digest(text)))
}

async fn upload(client: &Client, query: &str, body: impl Into<Body>) -> Answer {
    client
        .request("POST", &format!("/api/v1/artifacts?{query}"))
        .header("content-type", "text/csv")
        .body(body)
        .await
}

async fn stored(client: &Client, text: &'static str) -> String {
    let answer = upload(client, "name=a.csv", text).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["artifact_id"].as_str().unwrap().to_owned()
}

/// Nothing is kept: neither bytes nor what is known about them.
async fn assert_nothing_is_kept(server: &TestServer) {
    let list: Value = server.admin().get("/api/v1/artifacts").await.json();
    assert_eq!(list["artifacts"], json!([]));
    assert_eq!(files(server), Vec::<PathBuf>::new());
}

/// An agent with a task in hand: its id and lease.
async fn with_task(server: &TestServer) -> (TestAgent, String, String) {
    let worker = server.agent("worker", &["work"]).await;
    server.task("work").await;
    let (task, lease) = worker.claim_one().await;
    (worker, task, lease)
}

#[tokio::test]
async fn a_file_comes_back_as_it_went() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let answer = upload(&admin, "name=%C3%9Cbersicht.csv&records=2", "a,b\n1,2\n").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let known: Value = answer.json();
    assert_eq!(known["size_bytes"], 8);
    assert_eq!(known["sha256"], hex(&Sha256::digest("a,b\n1,2\n")));
    assert_eq!(
        (&known["role"], &known["records"]),
        (&json!("input"), &json!(2))
    );
    assert_eq!(known["media_type"], "text/csv");
    let path = answer.header("location").to_owned();
    assert_eq!(admin.get(&path).await.json(), known);

    let content = admin.get(&format!("{path}/content")).await;
    assert_eq!(content.status, 200);
    assert_eq!(content.text(), "a,b\n1,2\n");
    for (name, value) in [
        ("content-type", "text/csv"),
        ("content-length", "8"),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        (
            "content-disposition",
            "attachment; filename=\"_bersicht.csv\"; filename*=UTF-8''%C3%9Cbersicht.csv",
        ),
        ("repr-digest", &digest(b"a,b\n1,2\n")),
        (
            "etag",
            &format!("\"{}\"", known["sha256"].as_str().unwrap()),
        ),
    ] {
        assert_eq!(content.header(name), value, "{name}");
    }
    assert!(
        content
            .header("content-security-policy")
            .contains("sandbox")
    );
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let id = stored(&admin, "").await;
    let content = admin.get(&format!("/api/v1/artifacts/{id}/content")).await;
    assert_eq!(
        (content.status, content.header("content-length")),
        (200.try_into().unwrap(), "0")
    );
}

/// Bytes that tell how many of their like are alive.
struct Counted {
    bytes: Vec<u8>,
    alive: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(self.bytes.len(), Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_large_file_goes_both_ways_in_constant_memory() {
    const PIECE: usize = 64 * 1024;
    const PIECES: usize = 1_024;
    let server = TestServer::new().await;
    let admin = server.admin();
    let alive = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let source = {
        let (alive, most) = (alive.clone(), most.clone());
        stream::iter(0..PIECES).map(move |n| {
            let now = alive.fetch_add(PIECE, Ordering::SeqCst) + PIECE;
            most.fetch_max(now, Ordering::SeqCst);
            let bytes = vec![u8::try_from(n % 251).unwrap(); PIECE];
            let alive = alive.clone();
            Ok::<_, io::Error>(Bytes::from_owner(Counted { bytes, alive }))
        })
    };
    let answer = upload(&admin, "name=large", Body::from_stream(source)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let known: Value = answer.json();
    assert_eq!(known["size_bytes"], (PIECES * PIECE) as u64);
    let most = most.load(Ordering::SeqCst);
    assert!(most <= 4 * 1024 * 1024, "{most} bytes were held at once");
    assert_eq!(alive.load(Ordering::SeqCst), 0);

    let id = known["artifact_id"].as_str().unwrap();
    let path = format!("/api/v1/artifacts/{id}/content");
    let response = admin.request("GET", &path).unread(Body::empty()).await;
    let mut body = response.into_body();
    let (mut hash, mut largest) = (Sha256::new(), 0);
    while let Some(frame) = body.frame().await {
        let piece = frame.unwrap().into_data().unwrap();
        largest = largest.max(piece.len());
        hash.update(&piece);
    }
    assert_eq!(hex(&hash.finalize()), known["sha256"].as_str().unwrap());
    assert!(largest <= 1024 * 1024, "{largest}");
}

#[tokio::test]
async fn pieces_are_answered_with_their_place() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let id = stored(&admin, "0123456789").await;
    let path = format!("/api/v1/artifacts/{id}/content");
    let get = async |range: &str| {
        admin
            .request("GET", &path)
            .header("range", range)
            .empty()
            .await
    };
    for (range, text, place) in [
        ("bytes=0-0", "0", "bytes 0-0/10"),
        ("bytes=3-5", "345", "bytes 3-5/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=5-99", "56789", "bytes 5-9/10"),
        ("bytes=-99", "0123456789", "bytes 0-9/10"),
    ] {
        let answer = get(range).await;
        assert_eq!(answer.status, 206, "{range}");
        assert_eq!(answer.text(), text, "{range}");
        assert_eq!(answer.header("content-range"), place, "{range}");
        assert_eq!(answer.header("content-length"), text.len().to_string());
        assert_eq!(answer.header("repr-digest"), digest(b"0123456789"));
    }
    for range in ["bytes=5-2", "lines=1-2", "bytes=0-1,3-4", "bytes=x-"] {
        let answer = get(range).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text().as_str()),
            (200, "0123456789"),
            "{range}"
        );
    }
    for range in ["bytes=10-", "bytes=99-100", "bytes=-0"] {
        let answer = get(range).await;
        assert_eq!(answer.header("content-range"), "bytes */10", "{range}");
        assert_eq!(
            answer.problem("range_not_satisfiable").status,
            416,
            "{range}"
        );
    }
}

#[tokio::test]
async fn a_file_that_the_caller_has_is_not_sent_again() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let id = stored(&admin, "0123456789").await;
    let path = format!("/api/v1/artifacts/{id}/content");
    let etag = admin.get(&path).await.header("etag").to_owned();
    let ask = async |name: &str, value: &str| {
        let request = admin.request("GET", &path).header("range", "bytes=0-3");
        request.header(name, value).empty().await
    };
    let known = ask("if-none-match", &etag).await;
    assert_eq!((known.status.as_u16(), known.text().as_str()), (304, ""));
    assert_eq!(known.header("etag"), etag);
    assert_eq!(ask("if-none-match", "\"other\"").await.status, 206);
    assert_eq!(ask("if-range", &etag).await.status, 206);
    assert_eq!(ask("if-range", "\"other\"").await.status, 200);
    let head = admin.request("HEAD", &path).empty().await;
    assert_eq!((head.status.as_u16(), head.text().as_str()), (200, ""));
    assert_eq!(head.header("content-length"), "10");
}

#[tokio::test]
async fn a_digest_is_compared_with_what_came() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let send = async |digest: &str| {
        admin
            .request("POST", "/api/v1/artifacts?name=a")
            .header("content-digest", digest)
            .body("what came")
            .await
    };
    let wrong = send(&digest(b"what was meant")).await;
    assert_eq!(wrong.problem("digest_mismatch").status, 422);
    let unchecked = send("sha-512=:AAAA:").await.problem("validation");
    assert_eq!(unchecked.errors[0].pointer, "/content-digest");
    assert_nothing_is_kept(&server).await;
    assert_eq!(send(&digest(b"what came")).await.status, 201);
}

#[tokio::test]
async fn an_upload_that_is_cut_off_leaves_nothing() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let half = stream::iter([
        Ok(Bytes::from(vec![0; 2 * 1024 * 1024])),
        Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ]);
    let answer = upload(&admin, "name=a", Body::from_stream(half)).await;
    let problem = answer.problem("request_timeout");
    assert!(
        problem.detail.contains("2097152 bytes came"),
        "{}",
        problem.detail
    );
    assert_nothing_is_kept(&server).await;

    let endless = stream::iter(0..3)
        .map(|_| Ok::<_, io::Error>(Bytes::from(vec![0; 1024 * 1024])))
        .chain(stream::pending());
    let sending = upload(&admin, "name=a", Body::from_stream(endless));
    assert!(
        tokio::time::timeout(Duration::from_millis(500), sending)
            .await
            .is_err()
    );
    assert_nothing_is_kept(&server).await;
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_leaves_nothing() {
    let server = TestServer::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = mcpanel_server::router(server.app.clone());
    let serving = tokio::spawn(async { axum::serve(listener, router).await });

    let mut line = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/v1/artifacts?name=a HTTP/1.1\r\nhost: x\r\nx-api-key: {ADMIN_KEY}\r\ncontent-length: 9000000\r\n\r\n"
    );
    line.write_all(head.as_bytes()).await.unwrap();
    line.write_all(&vec![0; 3_000_000]).await.unwrap();
    until(|| !files(&server).is_empty()).await;
    drop(line);
    until(|| files(&server).is_empty()).await;
    assert_nothing_is_kept(&server).await;
    serving.abort();
}

/// Waits for what another task is about to do.
async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, waiting)
        .await
        .expect("it happens");
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_or_while_it_comes() {
    let server = TestServer::new().await;
    let mut app = server.app.clone();
    app.files = Arc::new((*app.files).clone().with_bytes_max(1_000));
    let admin = Client::new(mcpanel_server::router(app)).with_header("x-api-key", ADMIN_KEY);
    let untouched =
        stream::once(async { panic!("the body must not be read") as io::Result<Bytes> });
    let announced = admin
        .request("POST", "/api/v1/artifacts?name=a")
        .header("content-length", "1001")
        .body(Body::from_stream(untouched))
        .await;
    assert_eq!(announced.problem("artifact_too_large").status, 413);
    let chunks = stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from_static(&[0; 400])));
    let grown = upload(&admin, "name=a", Body::from_stream(chunks)).await;
    grown.problem("artifact_too_large");
    assert_nothing_is_kept(&server).await;
    assert_eq!(upload(&admin, "name=a", vec![0; 1_000]).await.status, 201);
}

#[tokio::test]
async fn what_an_upload_says_of_itself_is_checked_before_its_bytes() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let untouched = || {
        Body::from_stream(stream::once(async {
            panic!("the body must not be read") as io::Result<Bytes>
        }))
    };
    for (query, pointer) in [
        ("", "/name"),
        ("name=..%2F..%2Fetc%2Fpasswd", "/name"),
        ("name=.hidden", "/name"),
        ("name=a%0Ab", "/name"),
        ("name=a&role=no%20role", "/role"),
        ("name=a&index=-1", "/index"),
        ("name=a&records=x", "/records"),
        ("name=a&pipeline_id=nobody", "/pipeline_id"),
        ("name=a&task_id=t", "/lease"),
        (
            "name=a&lease=1-00112233445566778899aabbccddeeff",
            "/task_id",
        ),
        ("name=a&unknown=1", "/unknown"),
    ] {
        let problem = upload(&admin, query, untouched())
            .await
            .problem("validation");
        assert_eq!(problem.errors[0].pointer, pointer, "{query}");
    }
    let typed = |name: &'static str, value: &'static str| {
        let request = admin.request("POST", "/api/v1/artifacts?name=a");
        request.header(name, value).body(untouched())
    };
    for kind in ["csv", "text/", "/csv", "text/c sv", "text/csv\u{e9}"] {
        let problem = typed("content-type", kind).await.problem("validation");
        assert_eq!(problem.errors[0].pointer, "/Content-Type", "{kind}");
    }
    typed("content-encoding", "gzip")
        .await
        .problem("unsupported_media_type");
    assert_nothing_is_kept(&server).await;
}

#[tokio::test]
async fn a_task_in_hand_marks_what_it_makes() {
    let server = TestServer::new().await;
    let (worker, task, lease) = with_task(&server).await;
    let query = format!("name=out.jsonl&role=chunk&index=3&task_id={task}&lease={lease}");
    let answer = upload(&worker, &query, "{}\n").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let known: Value = answer.json();
    assert_eq!(known["task_id"], task);
    assert_eq!((&known["attempt"], &known["index"]), (&json!(1), &json!(3)));
    assert_eq!(known["created_by"], "agent:worker");
    let list = format!("/api/v1/artifacts?task_id={task}&role=chunk");
    let list: Value = worker.get(&list).await.json();
    assert_eq!(list["artifacts"], json!([known]));
}

#[tokio::test]
async fn a_stale_lease_is_refused_before_the_bytes_and_after_them() {
    let server = TestServer::new().await;
    let (worker, task, lease) = with_task(&server).await;
    let untouched =
        stream::once(async { panic!("the body must not be read") as io::Result<Bytes> });
    let query = format!("name=a&task_id={task}&lease=9-{}", &lease[2..]);
    let early = upload(&worker, &query, Body::from_stream(untouched)).await;
    assert_eq!(early.problem("stale_lease").status, 409);

    // The task is given back while the bytes come.
    let release = {
        let (worker, path) = (
            worker.client.clone(),
            format!("/api/v1/tasks/{task}/release"),
        );
        let body = json!({"lease": lease});
        async move {
            assert_eq!(worker.post(&path, body).await.status, 200);
            Ok::<_, io::Error>(Bytes::from_static(b"too late"))
        }
    };
    let query = format!("name=a&task_id={task}&lease={lease}");
    let late = upload(&worker, &query, Body::from_stream(stream::once(release))).await;
    late.problem("stale_lease");
    assert_nothing_is_kept(&server).await;
}

#[tokio::test]
async fn an_expired_lease_is_refused() {
    let server = TestServer::new().await;
    let (worker, task, lease) = with_task(&server).await;
    server.advance_ms(31_000);
    let query = format!("name=a&task_id={task}&lease={lease}");
    let answer = upload(&worker, &query, "x").await;
    assert_eq!(answer.problem("lease_expired").status, 409);
    assert_nothing_is_kept(&server).await;
}

#[tokio::test]
async fn a_repeated_upload_is_the_same_artifact_even_when_its_lease_is_over() {
    let server = TestServer::new().await;
    let (worker, task, lease) = with_task(&server).await;
    let path = format!("/api/v1/artifacts?name=a&task_id={task}&lease={lease}");
    let send = async |body: &'static str| {
        let request = worker.request("POST", &path);
        request.header("idempotency-key", "k-1").body(body).await
    };
    let first = send("text").await;
    assert_eq!(first.status, 201, "{}", first.text());
    let done = json!({"lease": lease});
    let complete = format!("/api/v1/tasks/{task}/complete");
    assert_eq!(worker.post(&complete, done).await.status, 200);
    let again = send("text").await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json(), first.json());
    send("other").await.problem("idempotency_mismatch");
    assert_eq!(files(&server).len(), 1);
}

#[tokio::test]
async fn a_deleted_artifact_is_gone_with_its_bytes() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let id = stored(&admin, "secret").await;
    let path = format!("/api/v1/artifacts/{id}");
    assert_eq!(admin.request("DELETE", &path).empty().await.status, 204);
    assert_nothing_is_kept(&server).await;
    for path in [path.clone(), format!("{path}/content")] {
        admin.get(&path).await.problem("not_found");
    }
    admin
        .request("DELETE", &path)
        .empty()
        .await
        .problem("not_found");
}

#[tokio::test]
async fn a_file_that_was_changed_on_the_disk_is_not_served() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let id = stored(&admin, "0123456789").await;
    let path = format!("/api/v1/artifacts/{id}/content");
    std::fs::write(&files(&server)[0], "012").unwrap();
    assert_eq!(admin.get(&path).await.problem("internal").status, 500);
    std::fs::remove_file(&files(&server)[0]).unwrap();
    admin.get(&path).await.problem("internal");
    assert_eq!(
        admin.get(&format!("/api/v1/artifacts/{id}")).await.status,
        200
    );
}

#[tokio::test]
async fn an_artifact_of_another_namespace_looks_nonexistent() {
    let server = TestServer::new().await;
    let id = stored(&server.admin(), "secret").await;
    let permissions = ["artifact:read", "artifact:write", "pipeline:manage"];
    let stranger = server.key("clinic", &permissions).await;
    for (method, tail) in [("GET", ""), ("GET", "/content"), ("DELETE", "")] {
        let ask = async |id: &str| {
            let path = format!("/api/v1/artifacts/{id}{tail}");
            let problem = stranger
                .request(method, &path)
                .empty()
                .await
                .problem("not_found");
            problem.detail.replace(id, "<id>")
        };
        assert_eq!(ask(&id).await, ask("art_nobody").await, "{method} {tail}");
    }
    let list: Value = stranger.get("/api/v1/artifacts").await.json();
    assert_eq!(list["artifacts"], json!([]));
    let (_, task, lease) = with_task(&server).await;
    let query = format!("name=a&task_id={task}&lease={lease}");
    upload(&stranger, &query, "x").await.problem("not_found");
    assert_eq!(files(&server).len(), 1);
}

#[tokio::test]
async fn a_reader_cannot_write_and_a_writer_cannot_read() {
    let server = TestServer::new().await;
    let id = stored(&server.admin(), "secret").await;
    let reader = server.key("default", &["artifact:read"]).await;
    upload(&reader, "name=a", "x").await.problem("forbidden");
    let writer = server.key("default", &["artifact:write"]).await;
    writer
        .get(&format!("/api/v1/artifacts/{id}/content"))
        .await
        .problem("not_found");
    let path = format!("/api/v1/artifacts/{id}");
    reader
        .request("DELETE", &path)
        .empty()
        .await
        .problem("not_found");
}
