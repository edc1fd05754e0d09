//! A stage: what it is to do, and how far this run of it is.

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::{Name, Payload, Timestamp, retry::RetryConfig};

/// What a stage is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageDefinition {
    /// Its number, from 1; also the order in which it is shown.
    pub number: u16,
    /// What people call it.
    pub name: String,
    /// The type of its tasks.
    pub task_type: Name,
    /// What an agent must offer; `[task_type]` when empty.
    pub capabilities: Vec<Name>,
    /// Stages that must be completed before it.
    pub dependencies: Vec<u16>,
    /// How many tasks it has.
    pub mode: Mode,
    /// Longest time one attempt at one of its tasks may run, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// When its tasks are tried again.
    pub retry: RetryConfig,
    /// Given to each of its tasks.
    pub parameters: Payload,
}

/// How many tasks a stage has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// One task.
    Single,
    /// One task for each chunk that the stages before it (or, for a first stage, the pipeline's
    /// inputs) brought.
    Map,
    /// One task that gets everything the stages before it brought.
    Reduce,
}

impl Mode {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Map => "map",
            Self::Reduce => "reduce",
        }
    }
}

/// A stage of one pipeline run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// What it is to do.
    pub definition: StageDefinition,
    /// Where it stands.
    pub status: StageStatus,
    /// Which run of it this is, from 1; its tasks' ids hold it.
    pub run: u32,
    /// How many tasks this run has; known once it is started.
    pub total: u32,
    /// Its failed tasks are being put back in the queue.
    pub replaying: bool,
    /// When this run began.
    pub started_at: Option<Timestamp>,
    /// When this run ended.
    pub completed_at: Option<Timestamp>,
}

/// The specification's stage status, and `cancelled`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StageStatus {
    /// Waits for other stages.
    Pending,
    /// Has tasks to do.
    Running,
    /// All its tasks are completed.
    Completed,
    /// A task failed for good.
    Failed,
    /// Stopped.
    Cancelled,
}

impl StageStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Stage {
    /// A stage that has not begun.
    pub fn pending(definition: StageDefinition) -> Self {
        Self {
            definition,
            status: StageStatus::Pending,
            run: 1,
            total: 0,
            replaying: false,
            started_at: None,
            completed_at: None,
        }
    }

    /// Per cent done, from what its tasks say.
    pub fn progress(&self, facts: &Facts) -> f64 {
        match self.status {
            StageStatus::Completed => 100.0,
            StageStatus::Pending => 0.0,
            StageStatus::Running | StageStatus::Failed | StageStatus::Cancelled => {
                if self.total == 0 {
                    return 0.0;
                }
                let counts = facts.of(self.definition.number, self.run);
                (counts.percent_sum / f64::from(self.total)).clamp(0.0, 100.0)
            }
        }
    }
}
