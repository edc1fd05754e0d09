//! A Socket.IO connection: calls that are acknowledged, and events as they come.
//!
//! Only what mcpanel speaks: the websocket transport, one namespace, JSON without attachments. It does not reconnect;
//! whoever follows comes back with the number of the last event.

mod frame;
mod line;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mcpanel_api::{Problem, event::Event};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};

use frame::Frame;
use line::{Line, Writer};

use crate::{Credential, Distrust, Transport};

/// Events that wait for whoever reads them; behind that, the connection is not read.
const EVENTS_WAITING_MAX: usize = 256;

/// Longest wait for the connection and the handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait for an acknowledgement.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a socket does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The address is not one of a realtime server.
    #[error(
        "`{address}` is no address of a realtime server; it looks like `127.0.0.1:8081` or `wss://panel.example.org`"
    )]
    Address {
        /// The address.
        address: String,
    },
    /// There is no connection.
    #[error("cannot reach `{address}`: {why}")]
    Unreachable {
        /// Where the server should be.
        address: String,
        /// Why not.
        why: String,
    },
    /// There is no encrypted connection that could be trusted.
    #[error("no secure connection to `{address}`: {why}")]
    Tls {
        /// Where the server should be.
        address: String,
        /// Why.
        why: Distrust,
    },
    /// The credential would travel in the open, or there is nobody to trust.
    #[error(transparent)]
    Transport(#[from] crate::Error),
    /// The server does not let this caller in.
    #[error("refused: {0}")]
    Refused(String),
    /// The server refuses this call.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The socket ended.
    #[error("the socket ended")]
    Ended,
    /// There was no acknowledgement in time: the call may have been done.
    #[error("no acknowledgement of `{0}` in time")]
    Timeout(String),
    /// What came is not what the server promises.
    #[error("cannot read an answer: {0}")]
    Decode(#[from] serde_json::Error),
}

/// Something that came from the server.
#[derive(Debug)]
pub struct Incoming {
    /// The event's name.
    pub event: String,
    /// What came with it.
    pub body: Box<RawValue>,
    /// The number to acknowledge it with, if it asks for that.
    ack: Option<u64>,
}

impl Incoming {
    /// Whether it asks for an acknowledgement.
    pub fn asks(&self) -> bool {
        self.ack.is_some()
    }

    /// Reads the body.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, SocketError> {
        Ok(serde_json::from_str(self.body.get())?)
    }

    /// The event, where it is one that happened.
    pub fn happened(&self) -> Option<Event> {
        self.read().ok()
    }
}

/// A connection.
pub struct Socket {
    writer: Arc<Writer>,
    answers: Arc<Answers>,
    events: mpsc::Receiver<Incoming>,
    reader: tokio::task::JoinHandle<()>,
}

/// Calls that wait for their acknowledgement.
#[derive(Default)]
struct Answers {
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Box<RawValue>>>>,
}

impl Socket {
    /// Connects to `host:port`, or to an address that begins with `ws://` or `wss://`.
    pub async fn connect(address: &str, credential: &Credential) -> Result<Self, SocketError> {
        Self::connect_over(address, credential, &Transport::default()).await
    }

    /// The same with a word on encryption.
    pub async fn connect_over(
        address: &str,
        credential: &Credential,
        transport: &Transport,
    ) -> Result<Self, SocketError> {
        let unreachable = || SocketError::Unreachable {
            address: address.to_owned(),
            why: "it did not answer in time".to_owned(),
        };
        let opening = line::open(address, credential, transport);
        let opened = tokio::time::timeout(CONNECT_TIMEOUT, opening).await;
        let (line, writer) = opened.map_err(|_| unreachable())??;
        let (sender, events) = mpsc::channel(EVENTS_WAITING_MAX);
        let writer = Arc::new(writer);
        let answers = Arc::new(Answers::default());
        let reader = tokio::spawn(read(line, writer.clone(), answers.clone(), sender));
        Ok(Self {
            writer,
            answers,
            events,
            reader,
        })
    }

    /// Calls, and waits for the answer.
    pub async fn call<T: DeserializeOwned>(
        &self,
        event: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, SocketError> {
        let id = self.answers.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.answers.waiting.lock().insert(id, answer);
        self.writer
            .send(&frame::event(event, body, Some(id))?)
            .await?;
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, answered).await;
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => return Err(SocketError::Ended),
            Err(_) => {
                self.answers.waiting.lock().remove(&id);
                return Err(SocketError::Timeout(event.to_owned()));
            }
        };
        outcome(&answer)
    }

    /// Says something without waiting for an answer.
    pub async fn say(
        &self,
        event: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<(), SocketError> {
        self.writer.send(&frame::event(event, body, None)?).await
    }

    /// Acknowledges what came.
    pub async fn acknowledge(
        &self,
        incoming: &Incoming,
        body: &(impl Serialize + ?Sized),
    ) -> Result<(), SocketError> {
        match incoming.ack {
            Some(id) => self.writer.send(&frame::ack(id, body)?).await,
            None => Ok(()),
        }
    }

    /// What comes next; `None` when the socket has ended.
    pub async fn next(&mut self) -> Option<Incoming> {
        self.events.recv().await
    }

    /// Leaves.
    pub async fn close(self) {
        // It may be gone already.
        let _ = self.writer.send(frame::LEAVE).await;
        self.writer.close().await;
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

fn outcome<T: DeserializeOwned>(answer: &RawValue) -> Result<T, SocketError> {
    #[derive(Deserialize)]
    struct Whether {
        #[serde(default)]
        ok: bool,
    }
    let whether: Whether = serde_json::from_str(answer.get())?;
    if whether.ok {
        return Ok(serde_json::from_str(answer.get())?);
    }
    Err(SocketError::Problem(Box::new(serde_json::from_str(
        answer.get(),
    )?)))
}

async fn read(
    mut line: Line,
    writer: Arc<Writer>,
    answers: Arc<Answers>,
    events: mpsc::Sender<Incoming>,
) {
    while let Some(frame) = line.next().await {
        match frame {
            Frame::Ping => {
                if writer.send(frame::PONG).await.is_err() {
                    break;
                }
            }
            Frame::Event { event, body, ack } => {
                if events.send(Incoming { event, body, ack }).await.is_err() {
                    break;
                }
            }
            Frame::Ack { id, body } => {
                let waiting = answers.waiting.lock().remove(&id);
                if let Some(waiting) = waiting {
                    // Whoever called may have gone.
                    let _ = waiting.send(body);
                }
            }
            Frame::End => break,
            Frame::Other => {}
        }
    }
    answers.waiting.lock().clear();
}
