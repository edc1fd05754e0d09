//! One HTTP connection, kept as lean as a load generator must be: it shares the machine with what it measures.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, client::conn::http1::SendRequest, header};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::net::TcpStream;

/// How long a request waits that the server put off: what its answer asks for.
const PUT_OFF_PAUSE: Duration = Duration::from_secs(1);

/// How often a request is put off before the run ends: a disk that is busy otherwise for a minute is waited for.
const PUT_OFF_MAX: u32 = 60;

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
        let body = Bytes::from(body);
        for _ in 0..PUT_OFF_MAX {
            let (status, answer) = self.ask(&method, path, body.clone()).await?;
            if status.is_success() {
                // A minimal answer may have nothing to say.
                let document: &[u8] = if answer.is_empty() { b"null" } else { &answer };
                return serde_json::from_slice(document)
                    .with_context(|| format!("`{path}` answered what was not expected"));
            }
            if !is_put_off(status, &answer) {
                bail!(
                    "`{path}` answered {status}: {}",
                    String::from_utf8_lossy(&answer)
                );
            }
            tokio::time::sleep(PUT_OFF_PAUSE).await;
        }
        bail!("`{path}` was put off {PUT_OFF_MAX} times: the server has too much to do")
    }

    async fn ask(
        &mut self,
        method: &Method,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .header(&self.credential.0, &self.credential.1)
            .header("prefer", "return=minimal")
            .body(Full::new(body))?;
        // The answer before may be here before the connection knows that it is done with it; a request that is sent
        // in that moment is refused as if the line were broken.
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}

/// Whether the server did nothing because it has too much to do, and wants to be asked again.
fn is_put_off(status: StatusCode, answer: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Problem {
        code: String,
    }
    let code = match status {
        StatusCode::SERVICE_UNAVAILABLE => "overloaded",
        StatusCode::TOO_MANY_REQUESTS => "rate_limited",
        _ => return false,
    };
    serde_json::from_slice::<Problem>(answer).is_ok_and(|problem| problem.code == code)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
        net::TcpListener,
    };

    use super::*;

    /// Answers every request on one connection as soon as it has it.
    async fn answer_all(listener: TcpListener) -> std::io::Result<()> {
        let (stream, _) = listener.accept().await?;
        let mut stream = BufReader::new(stream);
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
                if let Some(figure) = line.strip_prefix("content-length: ") {
                    length = figure.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
            }
            stream.read_exact(&mut vec![0; length]).await?;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntrue";
            stream.write_all(answer).await?;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_request_right_behind_an_answer_is_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address {
            host: listener.local_addr().unwrap().to_string(),
            api_key: "key".to_owned(),
        };
        tokio::spawn(answer_all(listener));
        let mut wire = Wire::open(&address).await.unwrap();
        for n in 0..2_000 {
            let body = vec![b'x'; if n % 2 == 0 { 300_000 } else { 20 }];
            assert!(wire.post::<bool>("/", body).await.unwrap());
        }
    }

    #[test]
    fn only_a_server_with_too_much_to_do_is_asked_again() {
        let busy = br#"{"status":503,"code":"overloaded"}"#;
        assert!(is_put_off(StatusCode::SERVICE_UNAVAILABLE, busy));
        assert!(!is_put_off(
            StatusCode::SERVICE_UNAVAILABLE,
            br#"{"status":503,"code":"read_only"}"#
        ));
        assert!(!is_put_off(StatusCode::SERVICE_UNAVAILABLE, b"busy"));
        assert!(!is_put_off(StatusCode::CONFLICT, busy));
    }
}
