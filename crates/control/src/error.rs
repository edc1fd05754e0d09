//! Why a call was not done.

use mcpanel_domain::{Fault, Rejection};
use mcpanel_store::Conflict;

/// The outcome of a call.
pub type Result<T> = std::result::Result<T, Error>;

/// A call that was not done, or, where the store says that the outcome is unknown, may have been.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The rules refuse it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] mcpanel_store::Error),
    /// The idempotency key was used for another request.
    #[error("idempotency key `{key}` was used for a different request")]
    IdempotencyMismatch {
        /// The caller's key.
        key: String,
    },
    /// The document changed under every one of many tries.
    #[error("`{id}` is changed by others all the time; try again")]
    Contended {
        /// Which document.
        id: String,
    },
}

impl Error {
    /// Whether a document changed between reading and committing.
    pub(crate) fn conflict(&self) -> Option<&Conflict> {
        match self {
            Self::Store(mcpanel_store::Error::Conflict(conflict)) => Some(conflict),
            Self::Rejected(_)
            | Self::Store(_)
            | Self::IdempotencyMismatch { .. }
            | Self::Contended { .. } => None,
        }
    }

    /// Wrong input.
    pub(crate) fn invalid(faults: Vec<Fault>) -> Self {
        Self::Rejected(Rejection::Invalid { faults })
    }
}
