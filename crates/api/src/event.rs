//! Events: everything that happened, numbered.

use mcpanel_domain::{AgentId, Name, Namespace, PipelineId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::schema;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "seq": 4711, "type": "task:completed", "timestamp": "2026-01-02T03:04:05.678Z", "namespace": "default",
    "payload": {
        "taskId": "pipe_1.s2.000000", "pipelineId": "pipe_1", "stage": 2, "agentId": "bias-1",
        "taskType": "bias_detection", "status": "completed", "progress": 100.0
    }
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
    /// Who caused it: `admin`, `key:<id>` or `agent:<id>`; left out for what the server does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What it happened to.
    pub payload: EventPayload,
}

/// What an event tells of, under the specification's names. What does not apply is left out. The contents of parameters,
/// results and metadata never travel with events: they may be health data, and are read from their documents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct EventPayload {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub task_id: Option<TaskId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    pub task_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub agent_id: Option<AgentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    pub agent_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub pipeline_id: Option<PipelineId>,
    /// What people call the pipeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_name: Option<String>,
    /// The stage's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<u16>,
    /// The status afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Per cent done, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
    /// A sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub artifact_id: Option<String>,
    /// What the artifact is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    pub role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub template_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub operation_id: Option<String>,
    /// What the agent that signed on can do: with `agent:register`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Capabilities>)]
    pub capabilities: Option<Vec<Name>>,
    /// When the task must have ended: with `task:delegate`, where it has a deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    pub deadline: Option<Timestamp>,
    /// With `task:delegate`, always empty: the task's agent gets them with its delivery, others from the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<LeftOut>,
    /// With `agent:register`, always empty: read it from the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<LeftOut>,
}

/// An object whose contents stay where they are: `{}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftOut {}

/// Which events to read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Only events with a greater number; from the oldest that is kept when left out.
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
    /// Only what this caller caused, such as `admin`, `key:<id>` or `agent:<id>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Contained in the message, in what the event is about or in its ids; case does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::SearchText>)]
    #[param(value_type = Option<schema::SearchText>)]
    pub text: Option<String>,
    /// Happened at this moment or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    #[param(value_type = Option<schema::Time>)]
    pub happened_from: Option<Timestamp>,
    /// Happened before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    #[param(value_type = Option<schema::Time>)]
    pub happened_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Limit>)]
    #[param(value_type = Option<schema::Limit>)]
    pub limit: Option<u32>,
}

/// Which events to follow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct FollowQuery {
    /// Only events with a greater number; from the next one to happen when left out. `Last-Event-ID` comes first.
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
    /// Only what this caller caused, such as `admin`, `key:<id>` or `agent:<id>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Contained in the message, in what the event is about or in its ids; case does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::SearchText>)]
    #[param(value_type = Option<schema::SearchText>)]
    pub text: Option<String>,
}

/// Events, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventPage {
    pub events: Vec<Event>,
    /// What to give as `after` to read on.
    pub next_after: u64,
    /// The number of the newest event there is.
    pub last_seq: u64,
    /// Whether there is more to read now, after `next_after`.
    pub has_more: bool,
    /// Events between `after` and the first of these are gone, or `after` was never reached here: what was learnt
    /// from events before must be read anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
}

/// The data of `event: reset` on the stream: events are missing before this, so read anew what you know from events.
/// The stream goes on after `last_seq`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventReset {
    /// The number of the newest event there is.
    pub last_seq: u64,
    /// The number of the oldest event that is kept.
    pub first_kept: u64,
}
