//! What the agent that holds a task says about it. Each call carries the lease that the claim
//! answered; a lease that holds the task no more changes nothing.

use std::collections::BTreeMap;

use mcpanel_domain::{Name, Payload, TaskId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{problem::Problem, retry::ErrorType, schema};

/// Says that work on a task begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lease": "1-00112233445566778899aabbccddeeff"}))]
pub struct Start {
    #[schema(value_type = schema::Lease)]
    pub lease: String,
}

/// Says how far a task is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lease": "1-00112233445566778899aabbccddeeff", "progress": 42.5, "message": "630 of 1482 rows", "counters": {"records": 630}}))]
pub struct ReportProgress {
    #[schema(value_type = schema::Lease)]
    pub lease: String,
    /// How far, 0 to 100. A number lower than an earlier one is kept at the earlier one.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Text>)]
    pub message: Option<String>,
    /// Counters of the agent's own, such as `records`, shown beside the progress.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = schema::Counters)]
    pub counters: BTreeMap<Name, u64>,
}

/// Says that a task is done. Repeating it with the same lease is answered alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lease": "1-00112233445566778899aabbccddeeff", "result": {"rows": 1482}}))]
pub struct Complete {
    #[schema(value_type = schema::Lease)]
    pub lease: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub result: Option<Payload>,
}

/// One task of a [`CompleteBatch`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"task_id": "pipe_1.s2.000000", "lease": "1-00112233445566778899aabbccddeeff", "result": {"rows": 100}}))]
pub struct Completion {
    #[schema(value_type = schema::Id)]
    pub task_id: TaskId,
    #[schema(value_type = schema::Lease)]
    pub lease: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub result: Option<Payload>,
}

/// Says that tasks are done. Each is decided by itself; the answer tells which were refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteBatch {
    #[schema(min_items = 1, max_items = 1000)]
    pub completions: Vec<Completion>,
}

/// Whether a completion was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompletionOutcome {
    /// The task is completed with this result.
    Completed,
    /// Nothing changed; `problem` says why.
    Refused,
}

/// What became of one completion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompletionResult {
    #[schema(value_type = schema::Id)]
    pub task_id: TaskId,
    pub status: CompletionOutcome,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// What became of the completions, in the order of the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompletionsDone {
    pub results: Vec<CompletionResult>,
}

/// Why an attempt failed, as the agent tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "external_service", "message": "the analysis service answered 503"}))]
pub struct NewTaskError {
    /// The class, which decides whether the task's retry policy tries again.
    #[serde(rename = "type")]
    pub kind: ErrorType,
    #[schema(value_type = schema::Text)]
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub details: Option<Payload>,
}

/// Says that the attempt failed. The retry policy decides whether there is another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fail {
    #[schema(value_type = schema::Lease)]
    pub lease: String,
    pub error: NewTaskError,
}

/// Cancels a task, or confirms that a running one was stopped.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"reason": "the wrong file was given"}))]
pub struct Cancel {
    /// Given by the agent that holds the task, to say that it stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Lease>)]
    pub lease: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Text>)]
    pub reason: Option<String>,
}

/// Gives a task back unharmed: it returns to the queue and no retry is used up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lease": "1-00112233445566778899aabbccddeeff", "reason": "shutting down"}))]
pub struct Release {
    #[schema(value_type = schema::Lease)]
    pub lease: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Text>)]
    pub reason: Option<String>,
}
