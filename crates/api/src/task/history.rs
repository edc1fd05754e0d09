//! What happened to a task: its attempts and the lines its agents logged.

use mcpanel_domain::{AgentId, SessionId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TaskError;
use crate::schema;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    Completed,
    /// The agent reported an error.
    Failed,
    Cancelled,
    /// It took longer than `timeout_ms`, or than the task's deadline.
    TimedOut,
    /// The agent was not heard for as long as its lease lasted, or was replaced.
    LeaseLost,
    /// The agent gave it back.
    Released,
}

/// One try at a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// Its number, from 1.
    pub attempt: u32,
    #[schema(value_type = schema::Id)]
    pub agent_id: AgentId,
    #[schema(value_type = schema::Id)]
    pub session_id: SessionId,
    /// How it ended; null while it lasts.
    pub outcome: Option<AttemptOutcome>,
    /// When the task was handed out.
    #[schema(value_type = schema::Time)]
    pub assigned_at: Timestamp,
    /// When the agent said that it began.
    #[schema(value_type = Option<schema::Time>)]
    pub started_at: Option<Timestamp>,
    #[schema(value_type = Option<schema::Time>)]
    pub ended_at: Option<Timestamp>,
    pub error: Option<TaskError>,
}

/// The attempts of a task, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Attempts {
    #[schema(value_type = schema::Id)]
    pub task_id: TaskId,
    pub attempts: Vec<Attempt>,
}

/// How much a log line matters.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

/// A line that an agent logs about a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"level": "info", "message": "read 1482 rows"}))]
pub struct NewLogLine {
    pub level: LogLevel,
    #[schema(value_type = schema::Text)]
    pub message: String,
    /// When it happened; the moment of arrival when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    pub timestamp: Option<Timestamp>,
}

/// Adds lines to the log of a task in hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppendLogs {
    #[schema(value_type = schema::Lease)]
    pub lease: String,
    #[schema(min_items = 1, max_items = 1000)]
    pub lines: Vec<NewLogLine>,
}

/// A line of a task's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// Its number within the task, from 1.
    pub seq: u64,
    /// The attempt that logged it.
    pub attempt: u32,
    pub level: LogLevel,
    pub message: String,
    #[schema(value_type = schema::Time)]
    pub timestamp: Timestamp,
}

/// A page of log lines, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    pub lines: Vec<LogLine>,
    /// Where the next page begins; null when there are no more lines yet.
    #[schema(value_type = Option<schema::Cursor>)]
    pub next_cursor: Option<String>,
}
