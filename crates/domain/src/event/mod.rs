//! What happened, in the past tense. Events are recorded in the commit of the change they tell of.

mod detail;

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{AgentId, Namespace, PipelineId, TaskId, Timestamp};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// The kinds of events. The order is part of the stored form: add at the end only.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind { $($(#[$doc])* $name,)+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name on the wire, such as `task:completed`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

kinds! {
    /// A task was created.
    TaskCreated = "task:created",
    /// A task was given to an agent (the specification's `task:delegate`).
    TaskDelegated = "task:delegate",
    /// An agent began to run a task.
    TaskStarted = "task:started",
    /// A task or a pipeline moved on (the specification's `progress:update`).
    Progressed = "progress:update",
    /// A task was completed.
    TaskCompleted = "task:completed",
    /// A task failed for good.
    TaskFailed = "task:failed",
    /// An attempt failed or was lost; another will follow.
    TaskRetrying = "task:retry",
    /// An agent gave a task back.
    TaskReleased = "task:released",
    /// Somebody asked that a running task stop.
    TaskCancelRequested = "task:cancel_requested",
    /// A task was cancelled.
    TaskCancelled = "task:cancelled",
    /// A task that had ended was put back in the queue.
    TaskReplayed = "task:replayed",
    /// A task's settings were changed.
    TaskUpdated = "task:updated",
    /// An agent signed on (the specification's `agent:register`).
    AgentRegistered = "agent:register",
    /// An agent's settings were changed.
    AgentUpdated = "agent:updated",
    /// An agent missed heartbeats.
    AgentSuspected = "agent:suspect",
    /// An agent was silent for longer than its leases.
    AgentInactivated = "agent:inactive",
    /// An agent was heard again.
    AgentRecovered = "agent:active",
    /// An agent signed off.
    AgentUnregistered = "agent:unregistered",
    /// A pipeline was created.
    PipelineCreated = "pipeline:created",
    /// A pipeline began to run.
    PipelineStarted = "pipeline:started",
    /// A stage began to run.
    StageStarted = "pipeline:stage_started",
    /// A stage was completed.
    StageCompleted = "pipeline:stage_completed",
    /// A stage failed.
    StageFailed = "pipeline:stage_failed",
    /// A pipeline was completed.
    PipelineCompleted = "pipeline:completed",
    /// A pipeline failed.
    PipelineFailed = "pipeline:failed",
    /// A pipeline was cancelled.
    PipelineCancelled = "pipeline:cancelled",
    /// A pipeline that had ended was started again from a stage.
    PipelineReplayed = "pipeline:replayed",
    /// A pipeline's description was changed.
    PipelineUpdated = "pipeline:updated",
    /// An artifact was stored.
    ArtifactStored = "artifact:stored",
    /// An artifact was deleted.
    ArtifactDeleted = "artifact:deleted",
    /// A version of a template was stored.
    TemplateStored = "template:stored",
    /// An API key was made.
    KeyCreated = "key:created",
    /// An API key was revoked.
    KeyRevoked = "key:revoked",
    /// Somebody was shown the parameters of a task.
    TaskRevealed = "task:revealed",
    /// An operation on many tasks was created.
    OperationCreated = "operation:created",
    /// An operation dealt with some tasks.
    OperationProgressed = "operation:progress",
    /// An operation dealt with all its tasks.
    OperationCompleted = "operation:completed",
    /// Somebody stopped an operation.
    OperationAborted = "operation:aborted",
    /// An operation could not go on.
    OperationFailed = "operation:failed",
}

/// An event before it has a number: the rules write it, the store numbers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// When the rules decided it.
    pub at: Timestamp,
    /// Whose it is.
    pub namespace: Namespace,
    /// The task it tells of.
    pub task_id: Option<TaskId>,
    /// The agent it tells of.
    pub agent_id: Option<AgentId>,
    /// The pipeline it tells of.
    pub pipeline_id: Option<PipelineId>,
    /// The stage it tells of.
    pub stage: Option<u16>,
    /// The status afterwards.
    pub status: Option<Cow<'static, str>>,
    /// Per cent done, 0 to 100.
    pub progress: Option<f64>,
    /// A sentence for people, or a detail (`Event::capabilities`, `Event::deadline`); never health data.
    pub message: Option<String>,
    /// The task type, agent type, artifact role, template name or operation id, where it helps a listener.
    pub subject: Option<String>,
    /// Who caused it: `admin`, `key:<id>` or `agent:<id>`; none for what the server does by itself. Last, because the stored
    /// form of events that were written before there was one ends here.
    pub by: Option<Arc<str>>,
}

impl Event {
    /// An event with nothing but its kind, time and namespace.
    pub fn new(kind: Kind, at: Timestamp, namespace: Namespace) -> Self {
        Self {
            kind,
            at,
            namespace,
            task_id: None,
            agent_id: None,
            pipeline_id: None,
            stage: None,
            status: None,
            progress: None,
            message: None,
            subject: None,
            by: None,
        }
    }

    /// The same, caused by this caller, where it does not say already by whom.
    #[must_use]
    pub fn caused_by(mut self, actor: &Arc<str>) -> Self {
        self.by.get_or_insert_with(|| actor.clone());
        self
    }
}

/// An event with its number. Numbers grow by one within a store and are never used twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Numbered {
    /// The sequence number, from 1.
    pub seq: u64,
    /// The event.
    pub event: Event,
}
