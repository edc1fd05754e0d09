//! How things stand and stood: queues, history, errors.

use mcpanel_domain::{Name, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{retry::ErrorType, schema};

/// How far back a history goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum HistoryRange {
    /// An hour, minute by minute.
    #[default]
    #[serde(rename = "1h")]
    Hour,
    /// A day, in steps of five minutes.
    #[serde(rename = "24h")]
    Day,
    /// A week, in steps of half an hour.
    #[serde(rename = "7d")]
    Week,
}

impl HistoryRange {
    /// How far back, in milliseconds.
    pub fn back_ms(self) -> u64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => 24 * 3_600_000,
            Self::Week => 7 * 24 * 3_600_000,
        }
    }

    /// How long each step is, in milliseconds: some 60 to 340 points.
    pub fn step_ms(self) -> u64 {
        match self {
            Self::Hour => 60_000,
            Self::Day => 5 * 60_000,
            Self::Week => 30 * 60_000,
        }
    }
}

/// Which history.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// How far back; an hour when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<HistoryRange>,
}

/// What happened, step by step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct History {
    pub range: HistoryRange,
    /// How long each step is.
    pub step_ms: u64,
    /// Oldest first. Steps in which the server was away are missing.
    pub points: Vec<HistoryPoint>,
}

/// One step of a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryPoint {
    /// When it begins.
    #[schema(value_type = schema::Time)]
    pub at: Timestamp,
    /// How many of its minutes were sampled.
    pub minutes: u64,
    /// Tasks by status at its end.
    pub tasks: TasksByStatus,
    /// Tasks that could have been given out at its end.
    pub ready: u64,
    /// Agents by status at its end.
    pub agents: AgentsByStatus,
    /// How long ago the oldest waiting task had been created, at the worst.
    pub oldest_waiting_ms: Option<u64>,
    /// Tasks created in it.
    pub created: u64,
    /// Tasks completed in it.
    pub completed: u64,
    /// Tasks that failed for good in it.
    pub failed: u64,
    /// Tasks cancelled in it.
    pub cancelled: u64,
    /// Attempts that failed in it and were followed by another.
    pub retried: u64,
    /// How long the middle one of the tasks that ended had waited for its first start; to within an eighth.
    pub wait_p50_ms: Option<u64>,
    /// What 95 of 100 had not waited longer than.
    pub wait_p95_ms: Option<u64>,
    /// How long the last attempt of the middle one took; to within an eighth.
    pub run_p50_ms: Option<u64>,
    /// What 95 of 100 did not exceed.
    pub run_p95_ms: Option<u64>,
}

/// How many tasks have each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TasksByStatus {
    pub pending: u64,
    pub assigned: u64,
    pub running: u64,
    pub completed: u64,
    pub failed: u64,
    pub retry: u64,
    pub cancelled: u64,
}

/// How many agents have each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentsByStatus {
    pub active: u64,
    pub inactive: u64,
    pub busy: u64,
    pub error: u64,
    pub suspect: u64,
}

/// The tasks that have not ended, by type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Queues {
    /// By type, in order; types without such tasks are left out.
    pub queues: Vec<Queue>,
}

/// The tasks of one type that have not ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Queue {
    #[schema(value_type = schema::Name)]
    pub task_type: Name,
    /// Those that wait: for their dependencies, their time or an agent.
    pub waiting: u64,
    /// Those that an agent holds.
    pub running: u64,
    /// When the oldest of the waiting ones was created.
    #[schema(value_type = Option<schema::Time>)]
    pub oldest_created_at: Option<Timestamp>,
    /// How long ago that was.
    pub oldest_waiting_ms: Option<u64>,
}

/// Which errors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TaskErrorsQuery {
    /// How far back; an hour when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<HistoryRange>,
}

/// Why tasks failed for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskErrors {
    pub range: HistoryRange,
    /// The most frequent first.
    pub errors: Vec<TaskErrorGroup>,
}

/// Failures for the same reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskErrorGroup {
    #[schema(value_type = schema::Name)]
    pub task_type: Name,
    /// The class of the errors.
    #[serde(rename = "type")]
    pub kind: ErrorType,
    /// What the messages have in common; `#` stands for figures, ids and quotations.
    pub message: String,
    /// What the newest of them says, word for word; left out once that task was retried or forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message: Option<String>,
    /// How many tasks failed so.
    pub count: u64,
    /// The newest of them.
    #[schema(value_type = schema::Id)]
    pub last_task_id: TaskId,
    #[schema(value_type = schema::Time)]
    pub last_at: Timestamp,
}
