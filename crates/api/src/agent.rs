//! Agents: programs that sign on, offer capabilities and take work.

use mcpanel_domain::{AgentId, Name, Namespace, Payload, SessionId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{page::page, patch::present, schema, task::Task};

/// How an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// Signed on and heard from lately.
    Active,
    /// Missed heartbeats.
    Suspect,
    /// Silent for as long as a lease lasts: its work was taken back.
    Inactive,
    /// Heard from, and holds as much as it may.
    Busy,
    /// Alive, and says that it cannot work.
    Error,
}

/// Whether an operator keeps work from an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// It is given work.
    Open,
    /// It finishes what it holds and is given nothing new.
    Draining,
    /// It is given nothing.
    Disabled,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Agent {
    #[schema(value_type = schema::Id)]
    pub agent_id: AgentId,
    #[schema(value_type = schema::Name)]
    pub namespace: Namespace,
    /// Its name for people.
    pub name: String,
    /// Its kind, such as `bias-detector`.
    #[serde(rename = "type")]
    #[schema(value_type = schema::Name)]
    pub kind: Name,
    /// What it can do; tasks name what they need.
    #[schema(value_type = Vec<schema::Name>)]
    pub capabilities: Vec<Name>,
    pub status: AgentStatus,
    /// What the agent last said about itself.
    pub status_message: Option<String>,
    pub admission: Admission,
    /// How many tasks it may hold at once.
    pub concurrency: u32,
    /// How many tasks it holds now.
    pub slots_in_use: u32,
    /// Its present sign-on.
    #[schema(value_type = Option<schema::Id>)]
    pub session_id: Option<SessionId>,
    #[schema(value_type = Option<schema::Time>)]
    pub last_heartbeat: Option<Timestamp>,
    #[schema(value_type = schema::Time)]
    pub registered_at: Timestamp,
    #[schema(value_type = schema::Time)]
    pub updated_at: Timestamp,
    #[schema(value_type = schema::Payload)]
    pub metadata: Payload,
    /// What its token allows.
    pub permissions: Vec<String>,
    pub version: Option<String>,
    pub endpoint_url: Option<String>,
    pub health_check_url: Option<String>,
    /// Grows with every change; the `ETag` carries it.
    pub revision: u64,
}

/// Signs an agent on. Under the id of a known agent it opens a new session, and the old session's work is
/// taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"agent_id": "bias-1", "name": "Bias detector", "type": "bias-detector", "capabilities": ["bias_detection"], "concurrency": 20}))]
pub struct RegisterAgent {
    /// Its id; made by the server when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub agent_id: Option<AgentId>,
    #[schema(value_type = schema::Title)]
    pub name: String,
    /// Its kind, such as `bias-detector`, `emotion-analyzer` or `therapist`.
    #[serde(rename = "type")]
    #[schema(value_type = schema::Name)]
    pub kind: Name,
    #[schema(value_type = schema::Capabilities)]
    pub capabilities: Vec<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Concurrency>)]
    pub concurrency: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    pub version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Url>)]
    pub endpoint_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Url>)]
    pub health_check_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub metadata: Option<Payload>,
}

/// A signed-on agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentRegistered {
    pub agent: Agent,
    /// The agent's own credential, for `Authorization: Bearer`. Shown once.
    pub token: String,
    /// When the token ends; register again before.
    #[schema(value_type = schema::Time)]
    pub token_expires_at: Timestamp,
    #[schema(value_type = schema::Id)]
    pub session_id: SessionId,
    /// How often to send a heartbeat, in milliseconds.
    pub heartbeat_interval_ms: u64,
    /// How long work is kept without a heartbeat, in milliseconds.
    pub lease_ttl_ms: u64,
}

/// Changes an agent. What is left out stays as it is; null takes an address away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"concurrency": 40}))]
pub struct UpdateAgent {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Title>)]
    pub name: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    pub kind: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Capabilities>)]
    pub capabilities: Option<Vec<Name>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Concurrency>)]
    pub concurrency: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<schema::Url>)]
    pub endpoint_url: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<schema::Url>)]
    pub health_check_url: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admission: Option<Admission>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub metadata: Option<Payload>,
}

/// What an agent may say of itself in a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportedStatus {
    /// Able to work.
    Active,
    /// Alive, and not able to work; `message` says why.
    Error,
}

/// A sign of life. It renews every lease of the session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"status": "active", "tasks": ["pipe_1.s2.000000"]}))]
pub struct Heartbeat {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ReportedStatus>,
    /// Every task in hand. Leases that are not named return to the queue at once, so that a delivery that
    /// was lost on the way does not wait for its lease to end. Leave it out to renew all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::TaskIds>)]
    pub tasks: Option<Vec<TaskId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Text>)]
    pub message: Option<String>,
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeartbeatAnswer {
    #[schema(value_type = schema::Id)]
    pub agent_id: AgentId,
    pub status: AgentStatus,
    /// How long to wait before the next heartbeat, in milliseconds.
    pub heartbeat_interval_ms: u64,
    /// Tasks in hand that somebody wants stopped: stop, then confirm with
    /// `POST /api/v1/tasks/{task_id}/cancel`.
    #[schema(value_type = Vec<schema::Id>)]
    pub cancel: Vec<TaskId>,
    /// Named tasks that this session does not hold any more: stop, the result would be refused.
    #[schema(value_type = Vec<schema::Id>)]
    pub lost: Vec<TaskId>,
    /// Until when the leases last without another heartbeat.
    #[schema(value_type = schema::Time)]
    pub leases_expire_at: Timestamp,
}

/// Asks for work.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"max": 20, "wait_ms": 5000}))]
pub struct Claim {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::ClaimMax>)]
    pub max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::ClaimWaitMs>)]
    pub wait_ms: Option<u64>,
}

/// Work handed out. Each task carries its `lease`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Claimed {
    pub tasks: Vec<Task>,
}

/// Which agents to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AgentQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<AgentStatus>,
    /// Only agents that offer this capability.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    #[param(value_type = Option<schema::Name>)]
    pub capability: Option<Name>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    #[param(value_type = Option<schema::Name>)]
    pub kind: Option<Name>,
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
    /// A page of agents.
    AgentPage, agents: Agent
}
