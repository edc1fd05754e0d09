//! What the process answers to its caller. The numbers are documented and do not change.

use mcpanel_client::Error;

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Done.
    Ok = 0,
    /// It failed.
    Failure = 1,
    /// The command line is wrong (clap's own code).
    Usage = 2,
    /// What was named does not exist.
    NotFound = 3,
    /// Credentials are missing or not enough.
    Auth = 4,
    /// Somebody else changed it, or its state forbids it.
    Conflict = 5,
    /// The task or pipeline that was waited for failed.
    WatchedFailed = 6,
    /// The task or pipeline that was waited for was cancelled.
    WatchedCancelled = 7,
    /// It was still running when the time was over.
    StillRunning = 8,
    /// The server cannot be reached.
    Unreachable = 9,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
}

/// The table that `mcpanel help` shows.
pub const TABLE: &str = "\
Exit codes:
  0    done
  1    failed
  2    the command line is wrong
  3    what was named does not exist
  4    credentials are missing or not enough
  5    somebody else changed it, or its state forbids it
  6    the task or pipeline that was waited for failed
  7    the task or pipeline that was waited for was cancelled
  8    it was still running when the time was over
  9    the server cannot be reached
  130  stopped by Ctrl-C";

/// A failure that carries its own exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What the process answers.
    pub code: Code,
    /// What is said about it.
    pub message: String,
}

impl Failure {
    /// A failure with this code.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl Code {
    /// The code that tells a script most about an error.
    pub fn of(error: &anyhow::Error) -> Self {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.code;
        }
        match error.downcast_ref::<Error>() {
            Some(error) => match error.status() {
                Some(401 | 403) => Self::Auth,
                Some(404) => Self::NotFound,
                Some(409 | 412 | 428) => Self::Conflict,
                Some(_) => Self::Failure,
                None if error.is_transient() => Self::Unreachable,
                None => Self::Failure,
            },
            None => Self::Failure,
        }
    }
}

impl From<Code> for std::process::ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}
