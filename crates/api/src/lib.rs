//! The wire contract: request and response bodies shared by server and client.
//!
//! Field names are those of the specification's documents (`snake_case`); [`RetryConfig`] keeps the
//! specification's `camelCase`. Times are RFC 3339 in UTC with milliseconds, durations whole
//! milliseconds in fields that end in `_ms`, free-form JSON stays the bytes it came as
//! ([`Payload`]).
//!
//! Every type derives its JSON Schema, and the schema is the only place that states a bound: the
//! server checks bodies against it before parsing, and `openapi/openapi.json` is made of it. Types
//! that the domain owns (ids, times, payloads) are described by the marker types in [`schema`].
//!
//! Requests refuse unknown fields, so that a misspelt option is an error and not a surprise.
//! Responses accept them, so that an older client can read a newer server.

pub mod agent;
pub mod artifact;
pub mod auth;
pub mod discovery;
pub mod event;
pub mod health;
pub mod history;
pub mod key;
pub mod operation;
pub mod page;
mod patch;
pub mod pipeline;
pub mod problem;
pub mod retry;
pub mod schema;
pub mod socket;
pub mod task;
pub mod template;

pub use mcpanel_domain::{
    AgentId, ArtifactId, KeyId, Name, Namespace, OperationId, Payload, PipelineId, SessionId,
    TaskId, TemplateId, Timestamp,
};
pub use problem::{Fault, Problem};
pub use retry::{BackoffStrategy, ErrorType, RetryConfig};
