//! Socket.IO: what travels under which event.
//!
//! Payloads, in either direction, have the specification's `camelCase` names. Acknowledgements are `ok: true` with the
//! fields of the REST answer, or `ok: false` with those of a [`Problem`].
//!
//! What an agent says about a task has the fields of the REST body and the task's id. It is written out rather than made
//! of that body by `flatten`: serde would read the payloads into values first, and they are kept as the bytes that came.

use std::collections::BTreeMap;

use mcpanel_domain::{AgentId, Name, Namespace, Payload, PipelineId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Problem, schema,
    task::{NewLogLine, NewTaskError, TaskStatus},
};

/// Signs an agent on (the specification's `agent:register`), and has tasks pushed to this socket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"agentId": "bias-1", "agentType": "bias-detector", "capabilities": ["bias_detection"], "metadata": {}}))]
pub struct AgentRegister {
    /// Its id; made by the server when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub agent_id: Option<AgentId>,
    /// Its kind, such as `bias-detector`, `emotion-analyzer` or `therapist`.
    #[schema(value_type = schema::Name)]
    pub agent_type: Name,
    /// Its name for people; its id or kind when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Title>)]
    pub name: Option<String>,
    #[schema(value_type = schema::Capabilities)]
    pub capabilities: Vec<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub metadata: Option<Payload>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Concurrency>)]
    pub concurrency: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    pub version: Option<String>,
}

/// Says that work on a task begins, or was stopped as asked: `task:start`, `task:cancel`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskHeld {
    #[schema(value_type = schema::Id)]
    pub task_id: TaskId,
    #[schema(value_type = schema::Lease)]
    pub lease: String,
}

/// Says how far a task is: `task:progress`, or the specification's `progress:update`, whose other fields are read and
/// not needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskProgress {
    #[schema(value_type = schema::Id)]
    pub task_id: TaskId,
    #[schema(value_type = schema::Lease)]
    pub lease: String,
    /// How far, 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Text>)]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = schema::Counters)]
    pub counters: BTreeMap<Name, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub pipeline_id: Option<PipelineId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::StageNumber>)]
    pub stage: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    pub status: Option<String>,
}

/// Says that a task is done: `task:complete`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskComplete {
    #[schema(value_type = schema::Id)]
    pub task_id: TaskId,
    #[schema(value_type = schema::Lease)]
    pub lease: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub result: Option<Payload>,
}

/// Says that the attempt failed: `task:fail`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskFail {
    #[schema(value_type = schema::Id)]
    pub task_id: TaskId,
    #[schema(value_type = schema::Lease)]
    pub lease: String,
    pub error: NewTaskError,
}

/// Gives a task back: `task:release`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskRelease {
    #[schema(value_type = schema::Id)]
    pub task_id: TaskId,
    #[schema(value_type = schema::Lease)]
    pub lease: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Text>)]
    pub reason: Option<String>,
}

/// Adds lines to a task's log: `task:log`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskLog {
    #[schema(value_type = schema::Id)]
    pub task_id: TaskId,
    #[schema(value_type = schema::Lease)]
    pub lease: String,
    #[schema(min_items = 1, max_items = 1000)]
    pub lines: Vec<NewLogLine>,
}

/// How a task stands after a call about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskAnswer {
    pub task_id: TaskId,
    pub status: TaskStatus,
    pub attempt: u32,
    pub progress: f64,
    /// Whether somebody wants it stopped.
    pub cancel_requested: bool,
}

/// A message to an agent in the specification's form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice<T> {
    /// The event's name again.
    #[serde(rename = "type")]
    pub kind: String,
    pub timestamp: Timestamp,
    pub namespace: Namespace,
    pub payload: T,
}

/// A task pushed to an agent: the specification's `task:delegate`, with the lease. It asks for an acknowledgement:
/// `{accepted: true}`, or `{accepted: false, reason}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskDelegate {
    pub task_id: TaskId,
    pub agent_id: AgentId,
    pub task_type: Name,
    /// Its input; null when it is too large for a message, see `parametersOmitted`.
    pub parameters: Option<Payload>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// All calls about the task carry it.
    pub lease: String,
    pub attempt: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline_id: Option<PipelineId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    pub priority: i32,
    /// Whether the parameters are too large to be delivered: read them with `GET /api/v1/tasks/{task_id}`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parameters_omitted: bool,
}

/// Tells an agent that a task it holds should stop: `task:cancel`. It stops, and answers with `task:cancel` of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskCancel {
    pub task_id: TaskId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Has events told: `subscribe`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Subscribe {
    /// `pipeline:<id>`, `task:<id>`, `agent:<id>`, or `namespace` for all there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// Several rooms at once; an event that is in more than one comes once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rooms: Vec<String>,
    /// The number of the last event seen: what came since is told first. From the next one to happen when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// The acknowledgement of `subscribe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribed {
    /// The number up to which everything of these rooms was told, or passed over.
    pub last_seq: u64,
    /// How many events were told of before this acknowledgement.
    pub replayed: u64,
    /// Events after `after` are gone or too many: read anew what you know from events. What happens after `last_seq` is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resync: bool,
}

/// The acknowledgement of `unsubscribe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribed {
    /// How many rooms the socket is in now.
    pub rooms: u64,
}

/// Events are missing before this: read anew what you know from them. What happens after `last_seq` is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resync {
    pub last_seq: u64,
}

/// The acknowledgement of `agent:drain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drained {
    /// Always true: nothing new is pushed to this socket until `agent:attach`.
    pub draining: bool,
}

/// Why the server ends a socket: `disconnect:reason`, sent before the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisconnectReason {
    /// For programs, stable: `token_expired`, `key_revoked`, `session_superseded`, `attached_elsewhere`, `agent_unregistered`,
    /// `slow_reader`, `too_many` or `stopping`.
    pub code: String,
    /// For people.
    pub detail: String,
    /// Whether connecting again with the same credentials can succeed.
    pub retry: bool,
}

/// An acknowledgement.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Ack<T> {
    /// It was done.
    Done {
        /// Always true.
        ok: bool,
        #[serde(flatten)]
        answer: T,
    },
    /// It was not done.
    Refused {
        /// Always false.
        ok: bool,
        #[serde(flatten)]
        problem: Box<Problem>,
    },
}

impl<T> From<Result<T, Box<Problem>>> for Ack<T> {
    fn from(outcome: Result<T, Box<Problem>>) -> Self {
        match outcome {
            Ok(answer) => Self::Done { ok: true, answer },
            Err(problem) => Self::Refused { ok: false, problem },
        }
    }
}
