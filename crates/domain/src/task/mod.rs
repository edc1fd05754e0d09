//! Tasks: what they are made of. The rules are in [`decide`](mod@decide), the checks of new ones in [`new`].
//!
//! ```text
//!            ┌────────── retry ◄─────────┐
//!            ▼             (lost lease,  │ retryable error)
//! pending ─► assigned ─► running ────────┤
//!    │          │           │            ├─► failed ──┐ replay
//!    │          └───────────┴────────────┴─► completed│
//!    └────────────────────────────────────► cancelled─┴─► pending
//! ```

mod attempt;
pub mod command;
pub mod decide;
mod filter;
mod lease;
pub mod new;
mod progress;
mod search;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use attempt::{Attempt, Outcome};
pub use command::Command;
pub use decide::{Decision, Effect, decide, event, touch};
pub use filter::Filter;
pub use lease::{Lease, Proof};
pub use new::NewTask;
pub use progress::{COUNTERS_MAX, Progress};
pub use search::{Needle, Search, fingerprint};

use crate::{
    AgentId, Name, Namespace, Payload, PipelineId, TaskId, Timestamp,
    limits::CANCEL_GRACE_MS,
    retry::{ErrorType, RetryConfig},
};

/// A task without its parameters and result, which the rules never look into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its id, unique within the namespace.
    pub id: TaskId,
    /// Whose it is.
    pub namespace: Namespace,
    /// Counts changes, from 1. A commit is guarded by it.
    pub revision: u64,
    /// What kind of work it is.
    pub task_type: Name,
    /// What an agent must offer to run it; sorted, without repeats.
    pub capabilities: Arc<[Name]>,
    /// The only agent that may run it, where one was named.
    pub target: Option<AgentId>,
    /// Where it belongs in a pipeline.
    pub place: Option<Place>,
    /// Where it stands.
    pub state: State,
    /// Higher runs first.
    pub priority: i32,
    /// Tasks that must be completed before it.
    pub dependencies: Arc<[TaskId]>,
    /// Not before this moment.
    pub run_at: Option<Timestamp>,
    /// Fails when it has not ended by then.
    pub deadline: Option<Timestamp>,
    /// Longest time one attempt may run, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// When it is tried again.
    pub retry: Arc<RetryConfig>,
    /// Retries used since it was created or replayed.
    pub retry_count: u32,
    /// Deliveries in a row that no agent began to run.
    pub unstarted: u32,
    /// The number of the newest attempt: the fencing token. It only ever grows.
    pub attempt: u32,
    /// The newest attempts, oldest first, at most [`ATTEMPTS_KEPT`](crate::limits::ATTEMPTS_KEPT).
    pub attempts: Vec<Attempt>,
    /// How far it is.
    pub progress: Progress,
    /// When somebody asked that it stop, and why.
    pub cancel_requested: Option<CancelRequest>,
    /// The last error.
    pub error: Option<TaskError>,
    /// Free-form, small.
    pub metadata: Option<Payload>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the first attempt began to run.
    pub started_at: Option<Timestamp>,
    /// When it ended, in whichever way.
    pub completed_at: Option<Timestamp>,
    /// Who created it.
    pub created_by: Arc<str>,
}

/// Where a task stands; each variant holds only what that state has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum State {
    /// Waits for its dependencies, its time, or an agent.
    Pending,
    /// An agent was given it and has not said that it began.
    Assigned(Lease),
    /// An agent runs it.
    Running(Lease),
    /// Waits for its next attempt.
    Retry {
        /// Not before this moment.
        at: Timestamp,
    },
    /// Done.
    Completed,
    /// Failed for good.
    Failed,
    /// Stopped by somebody, or because a dependency will never complete.
    Cancelled,
}

/// [`State`] without its contents, to count and filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// See [`State::Pending`].
    Pending,
    /// See [`State::Assigned`].
    Assigned,
    /// See [`State::Running`].
    Running,
    /// See [`State::Completed`].
    Completed,
    /// See [`State::Failed`].
    Failed,
    /// See [`State::Retry`].
    Retry,
    /// See [`State::Cancelled`].
    Cancelled,
}

impl Status {
    /// Every status, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Assigned,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Retry,
        Self::Cancelled,
    ];

    /// The specification's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Assigned => "assigned",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Retry => "retry",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the specification's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether nothing more happens of itself.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Cancelled => true,
            Self::Pending | Self::Assigned | Self::Running | Self::Retry => false,
        }
    }
}

/// Where a task belongs in a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Which pipeline.
    pub pipeline_id: PipelineId,
    /// Which stage.
    pub stage: u16,
    /// Which task of the stage, from 0.
    pub index: u32,
    /// Which run of the stage, from 1: a stage that is run again gets new tasks.
    pub run: u32,
}

/// Why a task or an attempt failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskError {
    /// The specification's class.
    pub kind: ErrorType,
    /// For people.
    pub message: String,
    /// Free-form, such as a traceback.
    pub details: Option<Payload>,
}

impl TaskError {
    /// An error without details.
    pub fn new(kind: ErrorType, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            details: None,
        }
    }
}

/// Somebody's wish that a running task stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CancelRequest {
    /// When it was asked.
    pub at: Timestamp,
    /// Who asked.
    pub by: String,
    /// Why, for people.
    pub reason: Option<String>,
}

impl Task {
    /// The state without its contents.
    pub fn status(&self) -> Status {
        match self.state {
            State::Pending => Status::Pending,
            State::Assigned(_) => Status::Assigned,
            State::Running(_) => Status::Running,
            State::Retry { .. } => Status::Retry,
            State::Completed => Status::Completed,
            State::Failed => Status::Failed,
            State::Cancelled => Status::Cancelled,
        }
    }

    /// The lease that holds it, if one does.
    pub fn lease(&self) -> Option<&Lease> {
        match &self.state {
            State::Assigned(lease) | State::Running(lease) => Some(lease),
            State::Pending
            | State::Retry { .. }
            | State::Completed
            | State::Failed
            | State::Cancelled => None,
        }
    }

    /// The agent that holds it or ran it last.
    pub fn last_agent(&self) -> Option<&AgentId> {
        self.attempts.last().map(|attempt| &attempt.agent_id)
    }

    /// From when an agent may be given it, as far as its own clock fields say; `None` when its
    /// state forbids it. Dependencies are not considered.
    pub fn ready_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Pending => Some(self.run_at.unwrap_or(Timestamp::ZERO)),
            State::Retry { at } => Some(at),
            State::Assigned(_)
            | State::Running(_)
            | State::Completed
            | State::Failed
            | State::Cancelled => None,
        }
    }

    /// When [`Command::Tick`] next has something to do. `alive_until` is how long the holding
    /// session's heartbeats keep its leases.
    pub fn next_due(&self, alive_until: Timestamp) -> Option<Timestamp> {
        if self.status().is_terminal() {
            return None;
        }
        let lease = self.lease().map(|lease| lease.expires_at.max(alive_until));
        let timeout = match (&self.state, self.timeout_ms) {
            (State::Running(lease), Some(ms)) => {
                Some(lease.started_at.unwrap_or(lease.granted_at).plus_ms(ms))
            }
            _ => None,
        };
        let grace = self
            .cancel_requested
            .as_ref()
            .map(|request| request.at.plus_ms(CANCEL_GRACE_MS));
        [self.deadline, lease, timeout, grace]
            .into_iter()
            .flatten()
            .min()
    }
}
