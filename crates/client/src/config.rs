//! What a client has to be told.

use std::{fmt, time::Duration};

use mcpanel_api::Namespace;

use crate::Transport;

/// Longest wait for a connection: the server is near, or it is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for an answer that does not wait for anything itself.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a call that may be repeated is repeated: a restart of the server takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who calls.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nobody in particular: health and docs only.
    None,
    /// An API key.
    ApiKey(String),
    /// A token, such as the one that registration answers.
    Token(String),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::ApiKey(_) => "ApiKey(***)",
            Self::Token(_) => "Token(***)",
        })
    }
}

/// Where the server is, who calls, and how long to wait.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server is, such as `http://127.0.0.1:8080` or `https://panel.example.org`.
    pub base_url: String,
    /// How words travel there.
    pub transport: Transport,
    /// Who calls.
    pub credential: Credential,
    /// Whose documents are meant; those of the credential's namespace when `None`. Only an administrator may name
    /// another.
    pub namespace: Option<Namespace>,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for an answer, beside what the call itself asks the server to wait.
    pub answer_timeout: Duration,
    /// How long a call that may be repeated is repeated.
    pub patience: Duration,
    /// What the server's log shows as the caller.
    pub user_agent: String,
}

impl Config {
    /// The usual waits, for this server and caller.
    pub fn new(base_url: impl Into<String>, credential: Credential) -> Self {
        Self {
            base_url: base_url.into(),
            transport: Transport::default(),
            credential,
            namespace: None,
            connect_timeout: CONNECT_TIMEOUT,
            answer_timeout: ANSWER_TIMEOUT,
            patience: PATIENCE,
            user_agent: concat!("mcpanel/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}
