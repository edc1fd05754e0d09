//! How failures of the layers below become problems: what callers may know, and what only the log may.

use mcpanel_control::Error;
use mcpanel_store::Error as StoreError;

use crate::error::{ApiError, Code};

/// When to try again after a moment's overload, in seconds.
const RETRY_SOON_S: u32 = 1;

/// When to try again while the store takes no changes, in seconds: somebody must free space first.
const RETRY_LATER_S: u32 = 30;

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Rejected(rejection) => rejection.into(),
            Error::IdempotencyMismatch { .. } => Self::new(
                Code::IdempotencyMismatch,
                format!("{error}; send a new key with a new request"),
            ),
            Error::Contended { .. } => {
                Self::new(Code::Overloaded, error.to_string()).retry_after_s(RETRY_SOON_S)
            }
            Error::Store(store) => from_store(store),
        }
    }
}

fn from_store(error: StoreError) -> ApiError {
    match &error {
        StoreError::Conflict(conflict) => ApiError::new(
            Code::Conflict,
            format!(
                "{} `{}` was changed by somebody else at the same time; try again",
                conflict.what, conflict.id
            ),
        ),
        StoreError::ReadOnly { .. } => ApiError::new(
            Code::StoreReadOnly,
            "reading works; nothing was changed. `/health` says why",
        )
        .retry_after_s(RETRY_LATER_S)
        .caused_by(error),
        StoreError::Unavailable { .. } => ApiError::new(
            Code::StoreUnavailable,
            "the store does not answer; try again in a moment, with the same `Idempotency-Key` or id where something is created",
        )
        .retry_after_s(RETRY_SOON_S)
        .caused_by(error),
        StoreError::Unknown { .. } => ApiError::new(
            Code::OutcomeUnknown,
            "it may have been done; repeating it with the same `Idempotency-Key`, id or lease is safe, otherwise look first",
        )
        .retry_after_s(RETRY_SOON_S)
        .caused_by(error),
        StoreError::Overloaded { what } => ApiError::new(
            Code::Overloaded,
            format!("{what}; nothing was changed, try again"),
        )
        .retry_after_s(RETRY_SOON_S),
        StoreError::Damaged { .. } => ApiError::internal(error),
    }
}
