//! What a page answers when it cannot answer what was asked. Inner causes go to the log, never to the page.

use std::borrow::Cow;

use axum::http::StatusCode;
use mcpanel_control::Error as ControlError;
use mcpanel_domain::Rejection;
use mcpanel_store::Error as StoreError;

use crate::host::Refusal;

/// The outcome of a handler.
pub type Result<T> = std::result::Result<T, Failure>;

/// A request that was not done.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The HTTP status.
    pub status: StatusCode,
    /// What people read.
    pub detail: Cow<'static, str>,
}

impl Failure {
    /// What people read of a failure that is ours.
    pub const OURS: &'static str = "something went wrong here; the server's log says more";

    /// A failure with words for people.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            detail: detail.into(),
        }
    }

    /// There is no such thing, for this person.
    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            format!("there is no {what} `{}`", crate::ui::text::short(id, 64)),
        )
    }

    /// What was sent cannot be used.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A failure that people learn nothing about.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "the dashboard could not answer");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Self::OURS)
    }

    /// What the status means, as a heading.
    pub fn title(&self) -> &'static str {
        match self.status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::FORBIDDEN => "Not allowed",
            StatusCode::UNAUTHORIZED => "Sign in first",
            StatusCode::CONFLICT => "Not possible now",
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => "Not understood",
            StatusCode::SERVICE_UNAVAILABLE => "Not available at the moment",
            StatusCode::PAYLOAD_TOO_LARGE => "Too large",
            StatusCode::METHOD_NOT_ALLOWED => "Not possible here",
            _ => "Something went wrong",
        }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Rejected(rejection) => {
                let status = match &rejection {
                    Rejection::NotFound { .. } | Rejection::NoVersion { .. } => {
                        StatusCode::NOT_FOUND
                    }
                    Rejection::Invalid { .. } | Rejection::DependencyCycle { .. } => {
                        StatusCode::UNPROCESSABLE_ENTITY
                    }
                    _ => StatusCode::CONFLICT,
                };
                Self::new(status, rejection.to_string())
            }
            ControlError::Store(StoreError::ReadOnly { .. }) => {
                tracing::error!(%error, "the store takes no changes");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the store takes no changes at the moment; nothing was changed",
                )
            }
            ControlError::Store(StoreError::Overloaded { .. } | StoreError::Unavailable { .. }) => {
                tracing::error!(%error, "the store cannot answer");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the store cannot answer at the moment; nothing was changed, try again",
                )
            }
            ControlError::Store(StoreError::Unknown { .. }) => {
                tracing::error!(%error, "the store did not say whether it wrote something");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "it may have been done, the store did not say; look before you do it again",
                )
            }
            ControlError::Store(StoreError::Conflict(_)) => Self::new(
                StatusCode::CONFLICT,
                "somebody else changed it at the same time; look again and repeat the change",
            ),
            ControlError::Store(_) => Self::internal(error),
            other => Self::new(StatusCode::CONFLICT, other.to_string()),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Credential(why) => Self::new(StatusCode::UNAUTHORIZED, why),
            Refusal::Request(why) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, why),
            Refusal::Unavailable(why) => Self::new(StatusCode::SERVICE_UNAVAILABLE, why),
        }
    }
}
