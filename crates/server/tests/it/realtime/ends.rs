//! Who is let in, and how sockets end: with a reason.

use std::time::Duration;

use mcpanel_client::{Credential, socket::SocketError};
use mcpanel_guard::Secret;
use mcpanel_server::{
    realtime::{Settings, settings},
    serve::{Alone, JWT_SECRET_BYTES_MIN},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::world::World;

fn refusal(outcome: Result<super::world::Visitor, SocketError>) -> String {
    match outcome.err() {
        Some(SocketError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// The status and body of a plain request.
async fn get(world: &World, path: &str, more: &str) -> (u16, String) {
    get_at(&world.address, path, more).await
}

async fn get_at(address: &str, path: &str, more: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text)
}

#[tokio::test]
async fn sockets_alone_that_hear_of_nothing_say_so() {
    // Nothing listens there.
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nowhere.local_addr().unwrap();
    drop(nowhere);
    let alone = Alone {
        address: "127.0.0.1:0".parse().unwrap(),
        origins: Vec::new(),
        redis_url: Secret::new(format!("redis://{address}")),
        jwt: Some(Secret::new("a".repeat(JWT_SECRET_BYTES_MIN))),
    };
    let showing = alone.start().await.unwrap();
    let at = showing.address().to_string();
    let (status, text) = get_at(&at, "/health", "").await;
    assert_eq!(status, 200);
    assert!(text.contains(r#""status":"degraded""#), "{text}");
    assert!(text.contains("Redis is away"), "{text}");
    assert_eq!(get_at(&at, "/health/ready", "").await.0, 503);
    assert_eq!(get_at(&at, "/health/live", "").await.0, 200);
    showing.stop().await;
}

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";

#[tokio::test]
async fn without_a_valid_credential_nobody_is_let_in() {
    let world = World::new().await;
    let why = refusal(world.connect(Credential::None).await);
    assert!(
        why.starts_with("unauthenticated: connect with `auth: {token}`"),
        "{why}"
    );
    let why = refusal(
        world
            .connect(Credential::ApiKey("mcp_wrong".to_owned()))
            .await,
    );
    assert!(why.starts_with("unauthenticated: "), "{why}");
    let why = refusal(
        world
            .connect(Credential::Token("not.a.token".to_owned()))
            .await,
    );
    assert_eq!(why, "unauthenticated: the token is not valid");
    assert_eq!(world.realtime.sockets(), 0);
}

#[tokio::test]
async fn credentials_in_the_query_and_foreign_pages_are_refused() {
    let world = World::with(settings(vec!["https://panel.example.org".to_owned()])).await;
    let (status, text) = get(&world, &format!("{HANDSHAKE}&token=secret"), "").await;
    assert_eq!(status, 401);
    assert!(
        text.contains("application/problem+json") && !text.contains("secret"),
        "{text}"
    );
    assert_eq!(get(&world, HANDSHAKE, "").await.0, 200);
    let (status, text) = get(&world, HANDSHAKE, "origin: https://evil.example\r\n").await;
    assert_eq!(status, 403);
    assert!(
        !text
            .to_ascii_lowercase()
            .contains("access-control-allow-origin"),
        "{text}"
    );
    let (status, text) = get(&world, HANDSHAKE, "origin: https://panel.example.org\r\n").await;
    assert_eq!(status, 200);
    assert!(
        text.contains("access-control-allow-origin: https://panel.example.org"),
        "{text}"
    );
    for path in ["/health", "/health/ready", "/health/live"] {
        let (status, text) = get(&world, path, "").await;
        assert_eq!(status, 200, "{path}");
        assert!(text.contains(r#""status":"healthy""#), "{path}: {text}");
    }
    assert_eq!(get(&world, "/nothing", "").await.0, 404);
}

#[tokio::test]
async fn what_happens_on_sockets_is_counted() {
    let world = World::new().await;
    let refused = world.connect(Credential::Token("not.a.token".to_owned()));
    assert!(refused.await.is_err());
    let watcher = world.visitor().await;
    watcher.subscribe("namespace").await;
    let (mut agent, _) = world.socket_agent("ada", &["work"]).await;
    let task = world.task("work").await;
    let (taken, _) = agent.take().await;
    assert_eq!(taken, task);
    watcher.refused("no:such", json!({})).await;
    watcher.leave().await;
    let figures = world.realtime.figures();
    let left = async {
        while figures.ends().last() != Some(&("left", 1)) || figures.deliveries_waiting() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), left)
        .await
        .unwrap();

    let text = world.admin().get("/metrics").await.text();
    for line in [
        "mcpanel_sockets{kind=\"agent\"} 1",
        "mcpanel_sockets{kind=\"watcher\"} 0",
        "mcpanel_sockets_opened_total 2",
        "mcpanel_sockets_ended_total{code=\"left\"} 1",
        "mcpanel_sockets_ended_total{code=\"slow_reader\"} 0",
        "mcpanel_socket_handshakes_refused_total{code=\"unauthenticated\"} 1",
        "mcpanel_socket_calls_total{outcome=\"answered\"} 2",
        "mcpanel_socket_calls_total{outcome=\"refused\"} 1",
        "mcpanel_socket_calls_total{outcome=\"too_many\"} 0",
        "mcpanel_socket_messages_total{event=\"agent:register\"} 1",
        "mcpanel_socket_messages_total{event=\"other\"} 1",
        "mcpanel_socket_deliveries_total{outcome=\"accepted\"} 1",
        "mcpanel_socket_deliveries_waiting 0",
    ] {
        assert!(text.lines().any(|each| each == line), "{line} in\n{text}");
    }
    assert!(figures.events_told() > 0);
    let page = include_str!("../../../../../docs/metrics.md");
    for name in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = name.split(' ').next().unwrap();
        assert!(
            page.contains(&format!("`{name}`")),
            "docs/metrics.md lacks `{name}`"
        );
    }
    // They stand at the port of the API, which knows who may read them.
    assert_eq!(get(&world, "/metrics", "").await.0, 404);
}

#[tokio::test]
async fn a_token_that_expires_ends_its_socket() {
    let world = World::new().await;
    let body = json!({"expires_in_ms": 60_000, "permissions": ["event:read"]});
    let bought = world.admin().post("/api/v1/auth/token", body).await.ok(200);
    let token = bought["token"].as_str().unwrap().to_owned();
    let shown = Credential::Token(token);
    let mut visitor = world.connect(shown.clone()).await.unwrap();
    visitor.subscribe("namespace").await;
    world.advance_ms(61_000);
    assert_eq!(visitor.reason().await, "token_expired");
    // Not let in only to be ended again, although tokens are given some seconds by other calls.
    let why = refusal(world.connect(shown).await);
    assert!(
        why.starts_with("unauthenticated: the token expired at "),
        "{why}"
    );
}

#[tokio::test]
async fn a_revoked_key_ends_its_sockets_and_those_of_its_tokens() {
    let world = World::new().await;
    let (id, secret) = world.new_key("default", &["event:read"]).await;
    let client = world.anonymous().with_header("x-api-key", &secret);
    let bought = client.post("/api/v1/auth/token", json!({})).await.ok(200);
    let token = bought["token"].as_str().unwrap().to_owned();
    let mut by_key = world.connect(Credential::ApiKey(secret)).await.unwrap();
    let mut by_token = world.connect(Credential::Token(token)).await.unwrap();
    let mut other = world.visitor().await;
    by_key.subscribe("namespace").await;
    world
        .admin()
        .delete(&format!("/api/v1/keys/{id}"))
        .await
        .ok(204);
    assert_eq!(by_key.reason().await, "key_revoked");
    assert_eq!(by_token.reason().await, "key_revoked");
    other.hears_nothing().await;
}

#[tokio::test]
async fn a_newer_session_ends_the_socket_of_the_one_before() {
    let world = World::new().await;
    let (mut before, _) = world.socket_agent("one", &["a"]).await;
    let task = world.task("a").await;
    before.take().await;
    let (mut now, _) = world.socket_agent("one", &["a"]).await;
    assert!(["session_superseded", "attached_elsewhere"].contains(&before.reason().await.as_str()));
    assert_eq!(now.take().await.0, task, "what it held went back");
    // By REST too.
    world.agent("one", &["a"]).await;
    assert_eq!(now.reason().await, "session_superseded");
}

#[tokio::test]
async fn an_agent_that_is_signed_off_is_told() {
    let world = World::new().await;
    let (mut agent, _) = world.socket_agent("one", &["a"]).await;
    world.admin().delete("/api/v1/agents/one").await.ok(204);
    assert_eq!(agent.reason().await, "agent_unregistered");
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let world = World::new().await;
    let mut visitor = world.visitor().await;
    let (mut agent, _) = world.socket_agent("one", &["a"]).await;
    let stopping = tokio::spawn(world.stop());
    assert_eq!(visitor.reason().await, "stopping");
    assert_eq!(agent.reason().await, "stopping");
    drop((visitor, agent));
    assert_eq!(stopping.await.unwrap(), 0);
}

#[tokio::test]
async fn there_are_only_so_many_sockets() {
    let world = World::with(Settings {
        sockets_max: 2,
        ..settings(Vec::new())
    })
    .await;
    let one = world.visitor().await;
    let _two = world.visitor().await;
    assert!(world.connect(Credential::None).await.is_err());
    let (status, text) = get(&world, HANDSHAKE, "").await;
    assert_eq!(status, 503);
    assert!(text.contains("retry-after: "), "{text}");
    let problem: Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(problem["code"], "overloaded");
    one.leave().await;
    while world.realtime.sockets() == 2 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    world.visitor().await;
}
