//! Tasks: units of work, made by callers or by pipelines, done by agents.
//!
//! - here: the task itself, making, changing and listing tasks
//! - [`work`]: what the agent that holds a task says about it
//! - [`explain`]: why a task does not run
//! - [`history`]: attempts and log lines

pub mod explain;
pub mod history;
pub mod work;

use std::collections::BTreeMap;

use mcpanel_domain::{AgentId, Name, Namespace, Payload, PipelineId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    page::page,
    patch::present,
    retry::{ErrorType, RetryConfig},
    schema,
};
pub use explain::{Blocker, BlockerKind, Explanation};
pub use history::{
    AppendLogs, Attempt, AttemptOutcome, Attempts, LogLevel, LogLine, LogPage, NewLogLine,
};
pub use work::{
    Cancel, Complete, CompleteBatch, Completion, CompletionOutcome, CompletionResult,
    CompletionsDone, Fail, NewTaskError, Release, ReportProgress, Start,
};

/// Where a task is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Waits for its dependencies, its `run_at`, or an agent.
    Pending,
    /// An agent holds its lease and has not said yet that it began.
    Assigned,
    /// An agent works on it.
    Running,
    Completed,
    /// No attempt is left, or the error is not worth another.
    Failed,
    /// Failed, and waits for its next attempt.
    Retry,
    Cancelled,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Task {
    #[schema(value_type = schema::Id)]
    pub task_id: TaskId,
    #[schema(value_type = schema::Name)]
    pub namespace: Namespace,
    /// The pipeline run it belongs to.
    #[schema(value_type = Option<schema::Id>)]
    pub pipeline_id: Option<PipelineId>,
    /// The number of its stage within the pipeline.
    pub stage: Option<u16>,
    /// Its place among the tasks of its stage, from 0.
    pub index: Option<u32>,
    #[schema(value_type = schema::Name)]
    pub task_type: Name,
    pub status: TaskStatus,
    /// The agent that holds it, or held it last.
    #[schema(value_type = Option<schema::Id>)]
    pub assigned_agent_id: Option<AgentId>,
    /// The only agent that may run it.
    #[schema(value_type = Option<schema::Id>)]
    pub agent_id: Option<AgentId>,
    /// What an agent must offer to run it.
    #[schema(value_type = Vec<schema::Name>)]
    pub capabilities: Vec<Name>,
    #[schema(value_type = schema::Payload)]
    pub parameters: Payload,
    #[schema(value_type = Option<schema::Payload>)]
    pub result: Option<Payload>,
    /// Why the last attempt failed, or why the task was cancelled.
    pub error: Option<TaskError>,
    /// Attempts after the first.
    pub retry_count: u32,
    pub max_retries: u32,
    pub retry_config: RetryConfig,
    /// The number of the present or last attempt, from 1; 0 before the first.
    pub attempt: u32,
    /// How far it is, 0 to 100; never goes back.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: f64,
    /// What the agent last said about it.
    pub message: Option<String>,
    /// The agent's own counters, such as `records`.
    #[schema(value_type = schema::Counters)]
    pub counters: BTreeMap<Name, u64>,
    /// Somebody asked for it to stop; the agent hears with its next heartbeat.
    pub cancel_requested: bool,
    /// Higher runs first.
    #[schema(value_type = schema::Priority)]
    pub priority: i32,
    #[schema(value_type = Vec<schema::Id>)]
    pub dependencies: Vec<TaskId>,
    /// Not before this moment.
    #[schema(value_type = Option<schema::Time>)]
    pub run_at: Option<Timestamp>,
    /// Fails when not completed by this moment.
    #[schema(value_type = Option<schema::Time>)]
    pub deadline: Option<Timestamp>,
    /// How long one attempt may take, in milliseconds.
    #[schema(value_type = Option<schema::TimeoutMs>)]
    pub timeout_ms: Option<u64>,
    #[schema(value_type = schema::Payload)]
    pub metadata: Payload,
    /// Who made it.
    pub created_by: String,
    #[schema(value_type = schema::Time)]
    pub created_at: Timestamp,
    #[schema(value_type = schema::Time)]
    pub updated_at: Timestamp,
    /// When the present or last attempt began.
    #[schema(value_type = Option<schema::Time>)]
    pub started_at: Option<Timestamp>,
    /// When it ended, in whichever way.
    #[schema(value_type = Option<schema::Time>)]
    pub completed_at: Option<Timestamp>,
    /// Grows with every change; the `ETag` carries it.
    pub revision: u64,
    /// The proof of holding it, shown only to the agent that claims it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Lease>)]
    pub lease: Option<String>,
    /// Until when the lease lasts without a heartbeat, shown with the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    pub lease_expires_at: Option<Timestamp>,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"type": "validation", "message": "the CSV has no column `questionText`"}))]
pub struct TaskError {
    #[serde(rename = "type")]
    pub kind: ErrorType,
    pub message: String,
    #[schema(value_type = Option<schema::Payload>)]
    pub details: Option<Payload>,
}

/// Makes a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"task_type": "bias_detection", "parameters": {"text": "…"}, "priority": 10, "timeout_ms": 60000}))]
pub struct NewTask {
    /// The kind of work.
    #[schema(value_type = schema::Name)]
    pub task_type: Name,
    /// Its id; made by the server when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub task_id: Option<TaskId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub parameters: Option<Payload>,
    /// Higher runs first; 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Priority>)]
    pub priority: Option<i32>,
    /// What an agent must offer to run it; the task type when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Capabilities>)]
    pub capabilities: Option<Vec<Name>>,
    /// Tasks that must complete first. A failed one cancels this task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = schema::Dependencies)]
    pub dependencies: Vec<TaskId>,
    /// Not before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    pub run_at: Option<Timestamp>,
    /// Fails when not completed by this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    pub deadline: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::TimeoutMs>)]
    pub timeout_ms: Option<u64>,
    /// Attempts after the first; wins over `retry_config.maxRetries`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Retries>)]
    pub max_retries: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_config: Option<RetryConfig>,
    /// The only agent that may run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub agent_id: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub metadata: Option<Payload>,
}

impl NewTask {
    /// A task of this type with everything else left to its default.
    pub fn of_type(task_type: Name) -> Self {
        Self {
            task_type,
            task_id: None,
            parameters: None,
            priority: None,
            capabilities: None,
            dependencies: Vec::new(),
            run_at: None,
            deadline: None,
            timeout_ms: None,
            max_retries: None,
            retry_config: None,
            agent_id: None,
            metadata: None,
        }
    }
}

/// Makes tasks, all or none. They may depend on each other in any order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTasks {
    #[schema(min_items = 1, max_items = 1000)]
    pub tasks: Vec<NewTask>,
}

/// The tasks made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TasksMade {
    /// The tasks, in the order of the request. Left out with `Prefer: return=minimal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Vec<Task>>,
    /// Their ids, with `Prefer: return=minimal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<schema::Id>>)]
    pub task_ids: Option<Vec<TaskId>>,
}

/// Changes a task that waits. What is left out stays as it is; null takes a time away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"priority": 100, "deadline": null}))]
pub struct UpdateTask {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Priority>)]
    pub priority: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<schema::Time>)]
    pub run_at: Option<Option<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<schema::Time>)]
    pub deadline: Option<Option<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<schema::TimeoutMs>)]
    pub timeout_ms: Option<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Retries>)]
    pub max_retries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_config: Option<RetryConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Capabilities>)]
    pub capabilities: Option<Vec<Name>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Dependencies>)]
    pub dependencies: Option<Vec<TaskId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub metadata: Option<Payload>,
}

/// Hands a task to an agent now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"agent_id": "bias-1"}))]
pub struct Delegate {
    /// The agent; the best one when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub agent_id: Option<AgentId>,
}

/// Which tasks to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TaskQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<TaskStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    #[param(value_type = Option<schema::Name>)]
    pub task_type: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    #[param(value_type = Option<schema::Id>)]
    pub pipeline_id: Option<PipelineId>,
    /// A stage of the pipeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::StageNumber>)]
    #[param(value_type = Option<schema::StageNumber>)]
    pub stage: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    #[param(value_type = Option<schema::Id>)]
    pub assigned_agent_id: Option<AgentId>,
    /// Held by this agent now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    #[param(value_type = Option<schema::Id>)]
    pub held_by: Option<AgentId>,
    /// Created at this moment or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    #[param(value_type = Option<schema::Time>)]
    pub created_from: Option<Timestamp>,
    /// Created before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    #[param(value_type = Option<schema::Time>)]
    pub created_before: Option<Timestamp>,
    /// Changed at this moment or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    #[param(value_type = Option<schema::Time>)]
    pub updated_from: Option<Timestamp>,
    /// Last changed before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    #[param(value_type = Option<schema::Time>)]
    pub updated_before: Option<Timestamp>,
    /// Ended at this moment or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    #[param(value_type = Option<schema::Time>)]
    pub ended_from: Option<Timestamp>,
    /// Ended before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    #[param(value_type = Option<schema::Time>)]
    pub ended_before: Option<Timestamp>,
    /// Contained in the id, the type, the error or the parameters; case does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::SearchText>)]
    #[param(value_type = Option<schema::SearchText>)]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Limit>)]
    #[param(value_type = Option<schema::Limit>)]
    pub limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Cursor>)]
    #[param(value_type = Option<schema::Cursor>)]
    pub cursor: Option<String>,
}

page! {
    /// A page of tasks.
    TaskPage, tasks: Task
}
