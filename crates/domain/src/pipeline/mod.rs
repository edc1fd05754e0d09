//! Pipelines: a graph of stages, each a set of tasks.
//!
//! A [`Template`] is versioned data. A [`Pipeline`] is one run of it and keeps the stages it started with.
//! Data between stages travels as artifacts; what a stage's tasks are called follows from
//! (pipeline, run, stage, index), so starting a stage twice is harmless. How many tasks of a
//! stage stand where is counted from the task documents, never kept as a number that could drift.

mod decide;
mod facts;
mod graph;
mod stage;
pub mod techdeck;
mod template;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use decide::{Changes, Command, Decision, Effect, decide, event};
pub use facts::{Facts, StageCounts};
pub use graph::check as check_graph;
pub use stage::{Mode, Stage, StageDefinition, StageStatus};
pub use template::{NewPipeline, NewTemplate, Template, create, create_template};

use crate::{Namespace, Payload, PipelineId, TemplateId, Timestamp};

/// One run of a graph of stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Its id, unique within the namespace.
    pub id: PipelineId,
    /// Whose it is.
    pub namespace: Namespace,
    /// Counts changes, from 1.
    pub revision: u64,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The template and its version, where it was made from one.
    pub template: Option<(TemplateId, u32)>,
    /// Where it stands.
    pub status: Status,
    /// Its stages, by number.
    pub stages: Vec<Stage>,
    /// What it works on.
    pub input_data: Payload,
    /// What came out: the results of the tasks of its last stages.
    pub output_data: Option<Payload>,
    /// Free-form.
    pub metadata: Payload,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Priority of its tasks.
    pub priority: i32,
    /// Why it failed or was cancelled.
    pub error: Option<String>,
    /// Per cent that was once shown; progress never goes below it.
    pub progress_floor: f64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it began to run.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// Who created it.
    pub created_by: String,
}

/// The specification's pipeline status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// Waits for somebody to start it.
    Created,
    /// Some stage runs, or will in a moment.
    Running,
    /// All stages are completed.
    Completed,
    /// A stage failed.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Created,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The specification's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
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
            Self::Created | Self::Running => false,
        }
    }
}

impl Pipeline {
    /// The stage of this number.
    pub fn stage(&self, number: u16) -> Option<&Stage> {
        self.stages
            .iter()
            .find(|stage| stage.definition.number == number)
    }

    /// Per cent done of the whole: the mean of its stages, never below what was once shown.
    pub fn progress(&self, facts: &Facts) -> f64 {
        if self.status == Status::Completed || self.stages.is_empty() {
            return 100.0;
        }
        let sum: f64 = self.stages.iter().map(|stage| stage.progress(facts)).sum();
        let count = u32::try_from(self.stages.len()).unwrap_or(u32::MAX);
        (sum / f64::from(count)).max(self.progress_floor)
    }
}
