//! One HTTP connection, kept as lean as a load generator must be: it shares the machine with what it measures.

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, client::conn::http1::SendRequest, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

/// A connection that carries one request at a time.
pub struct Wire {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    credential: (header::HeaderName, String),
}

/// Where requests go, and as whom.
#[derive(Debug, Clone)]
pub struct Address {
    /// `host:port`.
    pub host: String,
    /// An API key.
    pub api_key: String,
}

impl Wire {
    /// Opens a connection.
    pub async fn open(address: &Address) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(&address.host)
            .await
            .with_context(|| format!("cannot reach `{}`", address.host))?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Ends by itself when the sender is dropped; its errors reach the sender.
        tokio::spawn(connection);
        Ok(Self {
            sender,
            host: address.host.clone(),
            credential: (
                header::HeaderName::from_static("x-api-key"),
                address.api_key.clone(),
            ),
        })
    }

    /// Uses a token from now on.
    pub fn use_token(&mut self, token: &str) {
        self.credential = (header::AUTHORIZATION, format!("Bearer {token}"));
    }

    /// Posts JSON and reads the answer.
    pub async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<T> {
        self.send(Method::POST, path, body).await
    }

    /// Reads a document.
    pub async fn get<T: DeserializeOwned>(&mut self, path: &str) -> anyhow::Result<T> {
        self.send(Method::GET, path, Vec::new()).await
    }

    async fn send<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<T> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .header(&self.credential.0, &self.credential.1)
            .header("prefer", "return=minimal")
            .body(Full::new(Bytes::from(body)))?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!(
                "`{path}` answered {status}: {}",
                String::from_utf8_lossy(&bytes)
            );
        }
        // A minimal answer may have nothing to say.
        let document: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(document)
            .with_context(|| format!("`{path}` answered what was not expected"))
    }
}
