//! The websocket below a socket, and its handshake.

use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde_json::json;
use tokio::{net::TcpStream, sync::Mutex};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::{
    SocketError,
    frame::{Frame, PONG, parse},
};
use crate::Credential;

type Stream = WebSocketStream<TcpStream>;

/// What comes.
pub(super) struct Line(SplitStream<Stream>);

/// Where things go.
pub(super) struct Writer(Mutex<SplitSink<Stream, Message>>);

/// Connects and shows the credential.
pub(super) async fn open(
    address: &str,
    credential: &Credential,
) -> Result<(Line, Writer), SocketError> {
    let address = address
        .trim_start_matches("http://")
        .trim_start_matches("ws://")
        .trim_end_matches('/');
    let unreachable = |why: String| SocketError::Unreachable {
        address: address.to_owned(),
        why,
    };
    if address.contains(['/', '@', ' ']) || !address.contains(':') {
        return Err(SocketError::Address {
            address: address.to_owned(),
        });
    }
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    // Messages are small and somebody waits for each.
    stream
        .set_nodelay(true)
        .map_err(|error| unreachable(error.to_string()))?;
    let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
    let (stream, _) = client_async(url, stream)
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
