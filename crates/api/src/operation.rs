//! Operations: one wish about many tasks, carried out in the background.

use mcpanel_domain::{AgentId, Name, Namespace, OperationId, PipelineId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{page::page, schema, task::TaskStatus};

/// What is wished of each task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Put failed and cancelled ones back in the queue, with fresh retries.
    Retry,
    /// Stop them: those that wait at once, those that run as soon as their agents hear of it.
    Cancel,
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// Has tasks to go through.
    Running,
    /// Went through all.
    Completed,
    /// Somebody stopped it; what it did stays done.
    Aborted,
    /// Could not go on.
    Failed,
}

/// Which tasks. Everything that is given must hold; nothing given means every task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TaskSelection {
    /// Any of these. When left out: those that the operation can do something about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 7)]
    pub statuses: Vec<TaskStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    pub task_type: Option<Name>,
    /// Held, last run by, or meant for this agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub assigned_agent_id: Option<AgentId>,
    /// Held by this agent now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub held_by: Option<AgentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub pipeline_id: Option<PipelineId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::StageNumber>)]
    pub stage: Option<u16>,
    /// Created at this moment or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    pub created_from: Option<Timestamp>,
    /// Created before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    pub created_before: Option<Timestamp>,
    /// Changed at this moment or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    pub updated_from: Option<Timestamp>,
    /// Last changed before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    pub updated_before: Option<Timestamp>,
    /// Ended at this moment or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    pub ended_from: Option<Timestamp>,
    /// Ended before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    pub ended_before: Option<Timestamp>,
    /// Contained in the id, the type, the error or the parameters; case does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::SearchText>)]
    pub text: Option<String>,
}

/// Begins an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "retry", "filter": {"task_type": "bias_detection", "statuses": ["failed"]}, "reason": "the service is back"}))]
pub struct NewOperation {
    pub kind: OperationKind,
    /// Which tasks. Those created after the operation are never touched.
    #[serde(default)]
    pub filter: TaskSelection,
    /// Every task is meant. Needed when the filter names none in particular, so that nobody means all by accident.
    #[serde(default)]
    pub all: bool,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Text>)]
    pub reason: Option<String>,
    /// Only count the tasks and begin nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// A wish about many tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Operation {
    #[schema(value_type = schema::Id)]
    pub operation_id: OperationId,
    #[schema(value_type = schema::Name)]
    pub namespace: Namespace,
    pub kind: OperationKind,
    pub filter: TaskSelection,
    pub status: OperationStatus,
    /// How many tasks there were to go through when it began.
    pub matched: u64,
    /// There were more than were counted.
    pub matched_more: bool,
    /// Tasks that were changed.
    pub done: u64,
    /// Tasks that did not allow it any more.
    pub skipped: u64,
    /// Tasks that could not be changed.
    pub failed: u64,
    /// How far it is, 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: f64,
    pub reason: Option<String>,
    /// Why it was aborted or failed.
    pub error: Option<String>,
    pub created_by: String,
    #[schema(value_type = schema::Time)]
    pub created_at: Timestamp,
    #[schema(value_type = schema::Time)]
    pub updated_at: Timestamp,
    #[schema(value_type = Option<schema::Time>)]
    pub completed_at: Option<Timestamp>,
    pub revision: u64,
}

/// What an operation would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OperationPreview {
    pub kind: OperationKind,
    /// How many tasks it would go through.
    pub matched: u64,
    /// There are more than were counted.
    pub matched_more: bool,
    /// Always true: nothing was begun.
    pub dry_run: bool,
}

/// Which operations to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct OperationQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<OperationStatus>,
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
    /// A page of operations.
    OperationPage, operations: Operation
}
