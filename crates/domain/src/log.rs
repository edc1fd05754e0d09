//! Lines that agents write about a task while they run it.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The specification's log levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For developers.
    Debug,
    /// Usual.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
    /// Somebody must act.
    Critical,
}

impl Level {
    /// The specification's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Number within the task, from 1; set by the store.
    pub seq: u64,
    /// When the agent wrote it, or when it arrived.
    pub at: Timestamp,
    /// Which attempt wrote it.
    pub attempt: u32,
    /// How bad it is.
    pub level: Level,
    /// What it says.
    pub message: String,
}
