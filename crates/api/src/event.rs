//! Events: everything that happened, numbered.

use mcpanel_domain::{AgentId, Namespace, PipelineId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::schema;

/// Something that happened. Events never hold payloads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "seq": 4711, "type": "task:completed", "timestamp": "2026-01-02T03:04:05.678Z", "namespace": "default",
    "task_id": "pipe_1.s2.000000", "pipeline_id": "pipe_1", "stage": 2, "agent_id": "bias-1",
    "status": "completed", "progress": 100.0
}))]
pub struct Event {
    /// Its number; numbers grow, and none is used twice.
    pub seq: u64,
    /// What happened, such as `task:completed`.
    #[serde(rename = "type")]
    pub kind: String,
    #[schema(value_type = schema::Time)]
    pub timestamp: Timestamp,
    #[schema(value_type = schema::Name)]
    pub namespace: Namespace,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub task_id: Option<TaskId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub agent_id: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub pipeline_id: Option<PipelineId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<u16>,
    /// The status afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Per cent done, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The task type, agent type, artifact role or template, where it helps a listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// Which events to read or follow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Only events with a greater number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Only kinds that begin with this, such as `task:` or `task:completed`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    #[param(value_type = Option<schema::Name>)]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    #[param(value_type = Option<schema::Id>)]
    pub task_id: Option<TaskId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    #[param(value_type = Option<schema::Id>)]
    pub pipeline_id: Option<PipelineId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    #[param(value_type = Option<schema::Id>)]
    pub agent_id: Option<AgentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Limit>)]
    #[param(value_type = Option<schema::Limit>)]
    pub limit: Option<u32>,
}

/// Events, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventPage {
    pub events: Vec<Event>,
    /// What to give as `after` to read on.
    pub next_after: u64,
    /// Whether there are more events now.
    pub has_more: bool,
}
