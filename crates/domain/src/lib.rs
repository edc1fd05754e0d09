//! The rules of mcpanel, pure.
//!
//! Every change of state is **load → decide → commit → act**. This crate holds *decide*: functions
//! of a document, a command and the time handed in, which answer with the new document, the events
//! to record and the effects to perform afterwards. There is no clock, no randomness, no async and no
//! I/O here, so that every rule can be tested by calling it.
//!
//! - [`task`]: leases with fencing, attempts, retries, cancellation
//! - [`agent`]: sessions, heartbeats, liveness
//! - [`pipeline`]: templates, stage graphs, runs
//! - [`operation`]: one wish about many tasks
//! - [`sample`]: how things stood and what happened, minute by minute
//! - [`event`]: what happened, in the past tense
//! - [`limits`]: every bound, named, with the reason for its figure

pub mod agent;
pub mod artifact;
pub mod event;
pub mod fault;
pub mod id;
pub mod key;
pub mod limits;
pub mod log;
pub mod operation;
pub mod payload;
pub mod pipeline;
pub mod rejection;
pub mod retry;
pub mod sample;
pub mod task;
pub mod text;
pub mod time;

pub use fault::Fault;
pub use id::{
    AgentId, ArtifactId, KeyId, Name, Namespace, OperationId, PipelineId, SessionId, TaskId,
    TemplateId,
};
pub use payload::Payload;
pub use rejection::Rejection;
pub use time::Timestamp;
