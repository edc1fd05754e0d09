//! What can go wrong between here and the server.

use std::{io, path::PathBuf, time::Duration};

use mcpanel_api::Problem;

use crate::Distrust;

/// What the client's calls answer.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call has no answer to give.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused, and says why.
    #[error("{problem}")]
    Problem {
        /// What it says.
        problem: Box<Problem>,
        /// When to try again, where it says so.
        retry_after: Option<Duration>,
    },
    /// Something answered, and not in the server's words: a proxy, or another program.
    #[error(
        "`{url}` answered status {status} without a problem document; is this an mcpanel server?"
    )]
    Foreign {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// There is no connection to the server: the request was not sent.
    #[error("cannot reach `{url}`")]
    Unreachable {
        /// Where the server should be.
        url: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no encrypted connection to the server that could be trusted: the request was not sent.
    #[error("no secure connection to `{url}`: {why}")]
    Tls {
        /// What was asked for.
        url: String,
        /// Why.
        why: Distrust,
    },
    /// The credential would travel unencrypted to another machine.
    #[error(
        "`{url}` is another machine, and not encrypted: others could read the credential on its way"
    )]
    Plain {
        /// Where the server is.
        url: String,
    },
    /// The connection broke before the answer was whole: the request may have arrived.
    #[error("the connection to `{url}` broke before the answer was whole")]
    Broken {
        /// What was asked for.
        url: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There was no answer in time: the request may have arrived.
    #[error("`{url}` did not answer within {waited:?}")]
    Timeout {
        /// What was asked for.
        url: String,
        /// How long it was waited.
        waited: Duration,
    },
    /// The answer is not what the API promises.
    #[error("cannot read the answer of `{url}`: {why}")]
    Decode {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The bytes are not those that the server has.
    #[error("`{what}` arrived damaged: its SHA-256 is `{found}`; the server says `{expected}`")]
    Digest {
        /// Which artifact or file.
        what: String,
        /// The digest that was announced, hex.
        expected: String,
        /// The digest of what came, hex.
        found: String,
    },
    /// A local file cannot be read or written.
    #[error("cannot {what} `{}`", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The client cannot be built with this configuration.
    #[error("{0}")]
    Config(String),
}

impl Error {
    /// The server's own code, such as `stale_lease`, where it refused.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem { problem, .. } => Some(&problem.code),
            _ => None,
        }
    }

    /// The HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem { problem, .. } => Some(problem.status),
            Self::Foreign { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the server is away or too busy, so that the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } | Self::Timeout { .. } => true,
            Self::Problem { problem, .. } => matches!(
                problem.code.as_str(),
                "too_many"
                    | "rate_limited"
                    | "overloaded"
                    | "store_unavailable"
                    | "outcome_unknown"
                    | "store_read_only"
                    | "idempotency_in_progress"
                    | "request_timeout"
            ),
            Self::Foreign { status, .. } => matches!(status, 502..=504),
            Self::Tls { .. }
            | Self::Plain { .. }
            | Self::Decode { .. }
            | Self::Digest { .. }
            | Self::File { .. }
            | Self::Config(_) => false,
        }
    }

    /// Whether the request certainly changed nothing, so that even a call that must not be repeated may be.
    pub(crate) fn changed_nothing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Problem { problem, .. } => {
                let code = problem.code.as_str();
                matches!(code, "too_many" | "rate_limited" | "overloaded")
            }
            _ => false,
        }
    }

    /// The message with its causes, on one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    pub(crate) fn transport(url: &str, waited: Duration, error: reqwest::Error) -> Self {
        let url = url.to_owned();
        if let Some(why) = Distrust::find(&error) {
            return Self::Tls { url, why };
        }
        if error.is_timeout() && !error.is_connect() {
            return Self::Timeout { url, waited };
        }
        let is_connect = error.is_connect();
        // The address is in our own message already, and reqwest would repeat it.
        let source = innermost(error.without_url());
        if is_connect {
            Self::Unreachable { url, source }
        } else {
            Self::Broken { url, source }
        }
    }
}

/// The words at the bottom of a chain of wrappers that each say "error sending request".
fn innermost(error: reqwest::Error) -> Box<dyn std::error::Error + Send + Sync> {
    let mut deepest: &dyn std::error::Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string().into()
}
