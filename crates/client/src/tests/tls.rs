//! Calls and sockets over TLS, before servers with good and bad certificates.

use std::{net::SocketAddr, path::Path};

use axum::{Router, routing::get};
use futures::{SinkExt, StreamExt};
use mcpanel_test_tls::{Authority, Certificate, Front};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    Client, Config, Credential, Distrust, Error, Transport, Trust,
    socket::{Socket, SocketError},
};

/// A plain server that is healthy.
async fn plain() -> SocketAddr {
    let router = Router::new().route(
        "/health/live",
        get(|| async { axum::Json(serde_json::json!({"status": "healthy"})) }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// A plain realtime server that lets one in.
async fn realtime() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        socket.send(Message::text("0{}")).await.unwrap();
        let shown = socket.next().await.unwrap().unwrap();
        assert_eq!(shown.to_text().unwrap(), r#"40{"api_key":"mcp_secret"}"#);
        socket.send(Message::text("40{}")).await.unwrap();
        let told = r#"42["task:completed",{"seq":1}]"#;
        socket.send(Message::text(told)).await.unwrap();
        // Held open until the other side leaves.
        let _ = socket.next().await;
    });
    address
}

async fn front(certificate: Certificate) -> Front {
    Front::start(certificate, plain().await).unwrap()
}

fn authority(name: &str) -> Authority {
    Authority::new(name).unwrap()
}

fn key() -> Credential {
    Credential::ApiKey("mcp_secret".to_owned())
}

/// Whoever trusts this authority and nobody else.
fn trusting(authority: &Authority) -> Transport {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    Transport {
        trust: Trust::of_file(&file).unwrap(),
        ..Transport::default()
    }
}

async fn call(front: &Front, transport: Transport) -> Result<(), Error> {
    let config = Config {
        transport,
        ..Config::new(format!("https://{}", front.address()), key())
    };
    Client::new(config)?.health_live().await.map(|_| ())
}

#[tokio::test]
async fn a_server_is_trusted_whose_authority_is() {
    let ours = authority("ours");
    let front = front(ours.certificate("127.0.0.1").unwrap()).await;
    call(&front, trusting(&ours)).await.unwrap();
}

#[tokio::test]
async fn certificates_that_prove_nothing_are_refused_at_once_and_named() {
    let ours = authority("ours");
    let good = || ours.certificate("127.0.0.1").unwrap();
    let cases = [
        (
            good(),
            trusting(&authority("another")),
            Distrust::UnknownAuthority,
        ),
        (
            good(),
            trusting(&authority("ours")),
            Distrust::UnknownAuthority,
        ),
        (
            ours.certificate("panel.example.org").unwrap(),
            trusting(&ours),
            Distrust::WrongName("`panel.example.org`".to_owned()),
        ),
        (
            ours.expired_certificate("127.0.0.1").unwrap(),
            trusting(&ours),
            Distrust::Expired,
        ),
    ];
    for (certificate, transport, expected) in cases {
        let front = front(certificate).await;
        match call(&front, transport).await {
            // Not repeated: it would be so again.
            Err(error @ Error::Tls { .. }) if !error.is_transient() => {
                assert!(error.to_string().contains(&expected.to_string()), "{error}");
            }
            other => panic!("{expected:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_without_tls_is_recognised() {
    let config = Config {
        transport: trusting(&authority("ours")),
        ..Config::new(format!("https://{}", plain().await), key())
    };
    let error = Client::new(config).unwrap().health_live().await;
    assert!(
        matches!(
            &error,
            Err(Error::Tls {
                why: Distrust::NotTls,
                ..
            })
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn sockets_are_encrypted_too() {
    let ours = authority("ours");
    let certificate = ours.certificate("127.0.0.1").unwrap();
    let front = Front::start(certificate, realtime().await).unwrap();
    let address = format!("wss://{}", front.address());
    let stranger = trusting(&authority("another"));
    let refused = Socket::connect_over(&address, &key(), &stranger).await;
    let Err(SocketError::Tls { why, .. }) = refused else {
        panic!("a stranger's certificate is taken");
    };
    assert_eq!(why, Distrust::UnknownAuthority);
    let mut socket = Socket::connect_over(&address, &key(), &trusting(&ours))
        .await
        .unwrap();
    assert_eq!(socket.next().await.unwrap().event, "task:completed");
    socket.close().await;
}

#[tokio::test]
async fn sockets_show_no_credential_in_the_open() {
    let refused = Socket::connect("192.0.2.1:8081", &key()).await;
    assert!(matches!(
        refused,
        Err(SocketError::Transport(Error::Plain { .. }))
    ));
}

#[test]
fn a_file_without_authorities_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in ["", "no certificate", garbled] {
        std::fs::write(&file, text).unwrap();
        let refused = Trust::of_file(&file);
        assert!(matches!(refused, Err(Error::Config(_))), "{text}");
    }
    let missing = Trust::of_file(Path::new("/nowhere/ca.pem"));
    assert!(matches!(missing, Err(Error::File { .. })));
}
