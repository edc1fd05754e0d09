//! The server as a process runs it: over sockets, on a data directory.

use std::{net::SocketAddr, path::Path, time::Duration};

use mcpanel_guard::{Secret, secrets::Given};
use mcpanel_server::serve::{self, Instance, Running, Settings, StartError, Stopped};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const FREE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn settings(data_dir: &Path) -> Settings {
    Settings {
        data_dir: data_dir.to_owned(),
        http: FREE,
        realtime: FREE,
        origins: Vec::new(),
        secrets: Given::default(),
        instance: Instance::default(),
    }
}

/// A request as bytes on a connection of its own.
async fn send(server: &Running, method: &str, path: &str, more: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.http_addr()).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-api-key: {}\r\n{more}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        server.admin_key().reveal(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// The status and the body of what comes back.
async fn answer(mut stream: TcpStream) -> (u16, Value) {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

async fn call(server: &Running, method: &str, path: &str, body: &Value) -> (u16, Value) {
    answer(send(server, method, path, "", &body.to_string()).await).await
}

async fn until_waiting(server: &Running, claims: u32) {
    while server.app().waiting.total() != claims {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn agent() -> Value {
    json!({"agent_id": "one", "name": "one", "type": "tester", "capabilities": ["work"]})
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = serve::start(settings(dir.path())).await.unwrap();
    let key = first.admin_key().reveal().to_owned();
    let body = json!({"task_type": "work", "task_id": "kept", "parameters": {"n": 1}});
    assert_eq!(call(&first, "POST", "/api/v1/tasks", &body).await.0, 201);
    assert_eq!(first.stop().await, Stopped { cut_off: 0 });

    let second = serve::start(settings(dir.path())).await.unwrap();

    assert_eq!(second.admin_key().reveal(), key);
    let (status, task) = call(&second, "GET", "/api/v1/tasks/kept", &json!({})).await;
    assert_eq!((status, &task["parameters"]), (200, &json!({"n": 1})));
    let (_, health) = call(&second, "GET", "/health", &json!({})).await;
    assert_eq!(health["status"], "healthy");
    second.stop().await;
}

#[tokio::test]
async fn a_stop_answers_waiting_claims_and_takes_no_new_connections() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve::start(settings(dir.path())).await.unwrap();
    call(&server, "POST", "/api/v1/agents/register", &agent()).await;
    let body = json!({"wait_ms": 30_000}).to_string();
    let claim = send(&server, "POST", "/api/v1/agents/one/claim", "", &body).await;
    until_waiting(&server, 1).await;
    let idle = TcpStream::connect(server.http_addr()).await.unwrap();
    let address = server.http_addr();

    let stopped = tokio::time::timeout(Duration::from_secs(20), server.stop()).await;

    assert_eq!(stopped.unwrap(), Stopped { cut_off: 0 });
    assert_eq!(answer(claim).await, (200, json!({"tasks": []})));
    assert!(TcpStream::connect(address).await.is_err());
    drop(idle);
}

#[tokio::test]
async fn a_caller_that_hangs_up_leaves_its_place_and_its_work() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve::start(settings(dir.path())).await.unwrap();
    call(&server, "POST", "/api/v1/agents/register", &agent()).await;
    let body = json!({"wait_ms": 30_000}).to_string();
    let claim = send(&server, "POST", "/api/v1/agents/one/claim", "", &body).await;
    until_waiting(&server, 1).await;

    drop(claim);
    until_waiting(&server, 0).await;

    let task = json!({"task_type": "work", "task_id": "t"});
    call(&server, "POST", "/api/v1/tasks", &task).await;
    let (_, claimed) = call(&server, "POST", "/api/v1/agents/one/claim", &json!({})).await;
    assert_eq!(claimed["tasks"][0]["task_id"], "t");
    server.stop().await;
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve::start(settings(dir.path())).await.unwrap();
    let more: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    let (status, _) = answer(send(&server, "GET", "/health", &more, "").await).await;
    assert_eq!(status, 431);
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_start_says_why_and_leaves_nothing_running() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve::start(settings(dir.path())).await.unwrap();
    let taken = server.http_addr();

    let other = tempfile::tempdir().unwrap();
    let refused = |settings: Settings| async move {
        serve::start(settings)
            .await
            .err()
            .expect("it must not start")
            .to_string()
    };
    let in_use = refused(Settings {
        http: taken,
        ..settings(other.path())
    })
    .await;
    assert_eq!(
        in_use,
        format!(
            "cannot listen on `{taken}`: another program listens there; stop it, or give another address"
        )
    );
    let same_dir = refused(settings(dir.path())).await;
    assert!(same_dir.contains("in use by another process"), "{same_dir}");
    let same = refused(Settings {
        http: taken,
        realtime: taken,
        ..settings(other.path())
    })
    .await;
    assert!(same.contains("give them different addresses"), "{same}");
    server.stop().await;
}

#[tokio::test]
async fn a_public_address_is_refused_to_weak_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let public = Settings {
        http: "0.0.0.0:0".parse().unwrap(),
        secrets: Given {
            admin_key: Some(Secret::new("password")),
            jwt: None,
        },
        ..settings(dir.path())
    };
    let refused = serve::start(public).await.err().unwrap();
    assert!(matches!(refused, StartError::Secrets(_)), "{refused}");
    assert!(!refused.to_string().contains("password"), "{refused}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_data_directory_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("new/data");
    let server = serve::start(settings(&data)).await.unwrap();
    server.stop().await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("admin.key")), 0o600);
}
