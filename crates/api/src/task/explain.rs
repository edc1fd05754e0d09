//! Why a task does not run.

use mcpanel_domain::{AgentId, Name, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TaskStatus;
use crate::schema;

/// What stands between a task and its running.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "task_id": "task_01jgk3v8f2q4x6z8b0d2f4h6j8",
    "status": "pending",
    "summary": "no agent offers `bias_detection`",
    "blockers": [{"kind": "no_capable_agent", "detail": "no agent offers `bias_detection`", "capability": "bias_detection"}]
}))]
pub struct Explanation {
    #[schema(value_type = schema::Id)]
    pub task_id: TaskId,
    pub status: TaskStatus,
    /// The whole story in one sentence.
    pub summary: String,
    /// Everything it waits for; empty when it runs, has ended, or is next in the queue.
    pub blockers: Vec<Blocker>,
}

/// What kind of thing a task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlockerKind {
    /// Another task must complete first.
    Dependency,
    /// Its `run_at` has not come.
    NotYetDue,
    /// The pause before its next attempt has not ended.
    RetryPause,
    /// No agent offers what it needs.
    NoCapableAgent,
    /// Agents that offer what it needs are not alive or not willing.
    AgentsUnavailable,
    /// Agents that offer what it needs hold as much as they may.
    AllSlotsBusy,
    /// It is meant for one agent, and that one is not there.
    TargetAgent,
    /// Other ready tasks come first.
    Queued,
    /// It was asked to stop, and the agent has not confirmed yet.
    CancelRequested,
}

/// One thing a task waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Blocker {
    pub kind: BlockerKind,
    /// What it is, for people.
    pub detail: String,
    /// The task waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub task_id: Option<TaskId>,
    /// The agent waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub agent_id: Option<AgentId>,
    /// What nobody offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    pub capability: Option<Name>,
    /// When the wait ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    pub at: Option<Timestamp>,
}
