//! What a stage is, and how its work fails.

use std::io;

use mcpanel_domain::retry::ErrorType;
use serde_json::{Map, Value};

use crate::job::Job;

/// The counts a stage answers with: `records_in`, `records_out`, `dropped` by reason, and more.
pub type Summary = Map<String, Value>;

/// One of the six kinds of work.
pub trait Stage: Send + Sync {
    /// The task type this stage takes.
    fn task_type(&self) -> &'static str;
    /// Does the whole work of one task.
    fn run(&self, job: &dyn Job) -> Result<Summary, StageError>;
}

/// Why a stage could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The data is wrong and will be wrong again: not retried.
    #[error("{message}")]
    BadInput {
        /// Stable code of the case.
        code: &'static str,
        /// What is wrong, where, and what would be right.
        message: String,
    },
    /// A parameter is wrong: not retried.
    #[error("parameter `{name}` is wrong: {message}")]
    BadParameter {
        /// The parameter.
        name: String,
        /// What would be right.
        message: String,
    },
    /// An artifact could not be read or written.
    #[error("{doing} failed")]
    Io {
        /// What was being done, to which artifact.
        doing: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The temporary database on disk failed.
    #[error("the temporary database failed")]
    Scratch(#[from] rusqlite::Error),
    /// Another service did not do its part.
    #[error("{service} failed: {message}")]
    Service {
        /// The service.
        service: String,
        /// What it said.
        message: String,
    },
    /// The task was cancelled while it ran.
    #[error("the task was cancelled")]
    Cancelled,
}

impl StageError {
    /// The data is wrong in the way `code` names.
    pub fn bad_input(code: &'static str, message: impl Into<String>) -> Self {
        Self::BadInput {
            code,
            message: message.into(),
        }
    }

    /// Turns an I/O error into one that tells what was being done.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// The specification's class of error, which decides about a retry.
    pub fn error_type(&self) -> ErrorType {
        match self {
            Self::BadInput { .. } | Self::BadParameter { .. } => ErrorType::Validation,
            Self::Io { .. } | Self::Scratch(_) => ErrorType::System,
            Self::Service { .. } => ErrorType::ExternalService,
            Self::Cancelled => ErrorType::BusinessLogic,
        }
    }

    /// Stable code of the case, such as `missing_columns`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadInput { code, .. } => code,
            Self::BadParameter { .. } => "bad_parameter",
            Self::Io { .. } => "io",
            Self::Scratch(_) => "scratch",
            Self::Service { .. } => "service",
            Self::Cancelled => "cancelled",
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
}
