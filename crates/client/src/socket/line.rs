//! The websocket below a socket, and its handshake.

use std::sync::Arc;

use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use reqwest::Url;
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Mutex,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use super::{
    SocketError,
    frame::{Frame, PONG, parse},
};
use crate::{Credential, Distrust, Transport, tls::Trust};

/// What is read at once, in bytes. The buffer is cleared before each read, so a large one costs more than most messages do,
/// in time and, for many sockets, in memory.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Bytes to and from a server, encrypted or not.
trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

type Stream = WebSocketStream<Box<dyn Bytes>>;

/// What comes.
pub(super) struct Line(SplitStream<Stream>);

/// Where things go.
pub(super) struct Writer(Mutex<SplitSink<Stream, Message>>);

/// Connects and shows the credential.
pub(super) async fn open(
    address: &str,
    credential: &Credential,
    transport: &Transport,
) -> Result<(Line, Writer), SocketError> {
    let url = url_of(address)?;
    transport.check(&url, credential)?;
    let unreachable = |why: String| SocketError::Unreachable {
        address: address.to_owned(),
        why,
    };
    let bytes = connect(address, &url, &transport.trust).await?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
    let (stream, _) = client_async_with_config(url.as_str(), bytes, Some(config))
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    let (sink, stream) = stream.split();
    let (mut line, writer) = (Line(stream), Writer(Mutex::new(sink)));
    line.text().await.ok_or(SocketError::Ended)?;
    let auth = match credential {
        Credential::None => json!({}),
        Credential::ApiKey(key) => json!({"api_key": key}),
        Credential::Token(token) => json!({"token": token}),
    };
    writer.send(&format!("40{auth}")).await?;
    loop {
        let answer = line.text().await.ok_or(SocketError::Ended)?;
        if let Some(refusal) = answer.strip_prefix("44") {
            return Err(SocketError::Refused(refused(refusal)));
        }
        if answer.starts_with("40") {
            return Ok((line, writer));
        }
        // The server may ask whether we are there before it has looked at the credential.
        if matches!(parse(&answer), Frame::Ping) {
            writer.send(PONG).await?;
        }
    }
}

/// Where the websocket is, of `host:port` or of the address of a realtime server.
fn url_of(address: &str) -> Result<Url, SocketError> {
    let wrong = || SocketError::Address {
        address: address.to_owned(),
    };
    let (scheme, rest) = match address.split_once("://") {
        None => ("ws", address),
        Some(("ws" | "http", rest)) => ("ws", rest),
        Some(("wss" | "https", rest)) => ("wss", rest),
        Some(_) => return Err(wrong()),
    };
    let mut url = Url::parse(&format!("{scheme}://{rest}")).map_err(|_| wrong())?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !is_bare || !url.username().is_empty() || url.password().is_some() {
        return Err(wrong());
    }
    url.set_path("/socket.io/");
    url.set_query(Some("EIO=4&transport=websocket"));
    Ok(url)
}

/// Connects, and encrypts where the address says so.
async fn connect(address: &str, url: &Url, trust: &Trust) -> Result<Box<dyn Bytes>, SocketError> {
    let unreachable = |error: std::io::Error| match Distrust::find(&error) {
        Some(why) => SocketError::Tls {
            address: address.to_owned(),
            why,
        },
        None => SocketError::Unreachable {
            address: address.to_owned(),
            why: error.to_string(),
        },
    };
    let wrong = || SocketError::Address {
        address: address.to_owned(),
    };
    let host = url.host_str().ok_or_else(wrong)?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().ok_or_else(wrong)?;
    let stream = TcpStream::connect((bare, port))
        .await
        .map_err(unreachable)?;
    // Messages are small and somebody waits for each.
    stream.set_nodelay(true).map_err(unreachable)?;
    if url.scheme() != "wss" {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(bare.to_owned()).map_err(|_| wrong())?;
    let connector = TlsConnector::from(Arc::new(trust.config()?));
    let stream = connector.connect(name, stream).await.map_err(unreachable)?;
    Ok(Box::new(stream))
}

fn refused(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json)
        .ok()
        .and_then(|refusal| Some(refusal.get("message")?.as_str()?.to_owned()))
        .unwrap_or_else(|| "the server gives no reason".to_owned())
}

impl Line {
    /// The next message; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        Some(parse(&self.text().await?))
    }

    async fn text(&mut self) -> Option<String> {
        loop {
            match self.0.next().await?.ok()? {
                Message::Text(text) => return Some(text.as_str().to_owned()),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }
}

impl Writer {
    pub(super) async fn send(&self, text: &str) -> Result<(), SocketError> {
        let message = Message::text(text.to_owned());
        let sent = self.0.lock().await.send(message).await;
        sent.map_err(|_| SocketError::Ended)
    }

    pub(super) async fn close(&self) {
        // It may be gone already.
        let _ = self.0.lock().await.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_server_and_nothing_below_it() {
        let path = "socket.io/?EIO=4&transport=websocket";
        for (address, base) in [
            ("127.0.0.1:8081", "ws://127.0.0.1:8081/"),
            ("http://[::1]:8081/", "ws://[::1]:8081/"),
            ("wss://panel.example.org", "wss://panel.example.org/"),
            (
                "https://panel.example.org:8443",
                "wss://panel.example.org:8443/",
            ),
        ] {
            let url = url_of(address).unwrap();
            assert_eq!(url.as_str(), format!("{base}{path}"));
        }
        for address in ["", "ftp://a:1", "a:1/x", "k:s@a:1", "a b:1", "ws://a:1/?x"] {
            assert!(url_of(address).is_err(), "{address}");
        }
    }
}
