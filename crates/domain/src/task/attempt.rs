//! The record of one try at a task.

use serde::{Deserialize, Serialize};

use super::TaskError;
use crate::{AgentId, SessionId, Timestamp};

/// One try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// The secret of its lease, kept so that the holder's repeated call is recognised after the end.
    pub nonce: u128,
    /// Who tried.
    pub agent_id: AgentId,
    /// In which session.
    pub session: SessionId,
    /// When it was given out.
    pub assigned_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended; none while it lasts.
    pub outcome: Option<Outcome>,
    /// Why it failed.
    pub error: Option<TaskError>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Completed,
    /// The agent reported an error.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// It took longer than allowed.
    TimedOut,
    /// The agent was not heard for as long as its lease lasted, or was replaced.
    LeaseLost,
    /// The agent gave it back.
    Released,
}

impl Outcome {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::LeaseLost => "lease_lost",
            Self::Released => "released",
        }
    }
}
