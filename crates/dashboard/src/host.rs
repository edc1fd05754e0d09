//! What the dashboard needs of the server around it.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{http::HeaderMap, response::Response};
use bytes::Bytes;
use futures::stream::BoxStream;
use mcpanel_control::Scope;
use mcpanel_domain::{Timestamp, artifact::Artifact, event::Numbered};
use mcpanel_guard::{Principal, Tokens};
use tokio::sync::watch;

/// Why something was refused, in words for the person who asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The credential is not valid (any more).
    #[error("{0}")]
    Credential(String),
    /// The request cannot be done as it is.
    #[error("{0}")]
    Request(String),
    /// The server cannot do it at the moment.
    #[error("{0}")]
    Unavailable(String),
}

/// Somebody whose credential is valid.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who, and what they may.
    pub principal: Principal,
    /// The name of their key, where they have one.
    pub name: Option<String>,
}

/// How the process is.
#[derive(Debug, Clone)]
pub struct About {
    /// The server's version.
    pub version: &'static str,
    /// When it began to serve.
    pub started_at: Timestamp,
    /// Memory it holds, in bytes, where the system tells.
    pub resident_bytes: Option<u64>,
    /// Agents that wait for work this moment.
    pub claims_waiting: u64,
}

/// A part that the server stands on, or an instance beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartHealth {
    /// What it is, such as `Redis`.
    pub name: String,
    /// Whether it is as it should be.
    pub well: bool,
    /// What is to be known about it.
    pub says: String,
    /// How long its last answer took, in microseconds, where that is known.
    pub answered_us: Option<u64>,
    /// How long ago it was heard, in milliseconds, where that is known.
    pub heard_ms: Option<u64>,
}

/// A file that somebody sends.
pub struct Upload {
    /// Its name, as the browser gave it.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its bytes, as they come.
    pub bytes: BoxStream<'static, Result<Bytes, std::io::Error>>,
}

/// The server, as the dashboard sees it.
#[async_trait]
pub trait Host: Send + Sync + 'static {
    /// Whose credential this is: an API key, or a token as [`Host::tokens`] issues them. A token whose key was revoked is
    /// refused.
    async fn identify(&self, credential: &str) -> Result<Person, Refusal>;

    /// What issues tokens that [`Host::identify`] accepts.
    fn tokens(&self) -> &Tokens;

    /// 128 random bits that nobody can guess.
    fn random(&self) -> u128;

    /// How the process is.
    fn about(&self) -> About;

    /// What there is beside the store and this process: Redis, and other instances. Nothing for a server that runs alone.
    async fn parts(&self) -> Vec<PartHealth>;

    /// The id of the request that is being answered, under which the log tells more.
    fn request_id(&self) -> Option<String>;

    /// An event as the API tells it: one JSON object on one line.
    fn event_json(&self, event: &Numbered) -> serde_json::Result<String>;

    /// Whether the server stops.
    fn stopping(&self) -> watch::Receiver<bool>;

    /// Stores a file as an artifact with the role `input`.
    async fn store(&self, scope: &Scope, upload: Upload) -> Result<Arc<Artifact>, Refusal>;

    /// Answers with an artifact's bytes, as a file to save.
    async fn download(&self, artifact: &Artifact, headers: &HeaderMap) -> Response;
}
