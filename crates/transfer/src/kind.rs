//! The kinds of things that a store holds, in the order in which they are copied.

use std::fmt;

/// A kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Templates, each version.
    Template,
    /// API keys.
    Key,
    /// Agents.
    Agent,
    /// Pipelines.
    Pipeline,
    /// Tasks with payloads and log lines.
    Task,
    /// What is known about artifacts.
    Artifact,
    /// The bytes of artifacts.
    Bytes,
    /// Operations on many tasks.
    Operation,
    /// Figures of minutes.
    Sample,
    /// Memories of answered requests.
    Idempotency,
    /// Events.
    Event,
}

impl Kind {
    /// All of them, in the order in which they are copied: whatever one refers to comes first.
    pub const ALL: [Self; 11] = [
        Self::Template,
        Self::Key,
        Self::Agent,
        Self::Pipeline,
        Self::Task,
        Self::Artifact,
        Self::Bytes,
        Self::Operation,
        Self::Sample,
        Self::Idempotency,
        Self::Event,
    ];

    /// The word for many of them.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Template => "templates",
            Self::Key => "API keys",
            Self::Agent => "agents",
            Self::Pipeline => "pipelines",
            Self::Task => "tasks",
            Self::Artifact => "artifacts",
            Self::Bytes => "artifacts' bytes",
            Self::Operation => "operations",
            Self::Sample => "samples",
            Self::Idempotency => "answered requests",
            Self::Event => "events",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Template => "template",
            Self::Key => "API key",
            Self::Agent => "agent",
            Self::Pipeline => "pipeline",
            Self::Task => "task",
            Self::Artifact => "artifact",
            Self::Bytes => "file",
            Self::Operation => "operation",
            Self::Sample => "sample",
            Self::Idempotency => "answered request",
            Self::Event => "event",
        })
    }
}
