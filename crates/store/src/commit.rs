//! What can be written, as one piece.

use std::sync::Arc;

use mcpanel_domain::{
    AgentId, ArtifactId, Namespace, OperationId, Payload, TaskId, Timestamp,
    agent::Agent,
    artifact::Artifact,
    event::Event,
    key::ApiKey,
    log::Line,
    operation::Operation,
    pipeline::{Pipeline, Template},
    sample::Sample,
    task::Task,
};

/// Writes and events that become durable together, or not at all.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Documents, each one revision ahead of the stored one (1 for a new one).
    pub writes: Vec<Write>,
    /// What happened; the store numbers them in this order.
    pub events: Vec<Event>,
    /// Whether it brings what another store kept: then its documents must not be there yet, at whatever revision they are.
    pub import: bool,
}

/// One document to write.
#[derive(Debug, Clone)]
pub enum Write {
    /// A task, and its payloads where they are new.
    Task {
        task: Arc<Task>,
        parameters: Option<Payload>,
        result: Option<Payload>,
    },
    /// An agent.
    Agent(Arc<Agent>),
    /// Remove an agent that is at this revision.
    DeleteAgent {
        namespace: Namespace,
        id: AgentId,
        revision: u64,
    },
    /// A pipeline.
    Pipeline(Arc<Pipeline>),
    /// A new version of a template; must be one more than the newest stored.
    Template(Arc<Template>),
    /// What is known about a file.
    Artifact(Arc<Artifact>),
    /// Remove what is known about a file that is at this revision.
    DeleteArtifact {
        namespace: Namespace,
        id: ArtifactId,
        revision: u64,
    },
    /// An API key.
    Key(Arc<ApiKey>),
    /// That a request was answered; must not be there yet, or have run out.
    Idempotency(IdempotencyRecord),
    /// Log lines of a task; the store numbers them.
    Logs {
        namespace: Namespace,
        task_id: TaskId,
        lines: Vec<Line>,
    },
    /// An operation.
    Operation(Arc<Operation>),
    /// Forget an operation that is at this revision.
    DeleteOperation {
        namespace: Namespace,
        id: OperationId,
        revision: u64,
    },
    /// How a namespace stood after a minute; must not be there yet.
    Sample(Arc<Sample>),
}

/// The memory of an answered request.
#[derive(Debug, Clone, PartialEq)]
pub struct IdempotencyRecord {
    /// Whose.
    pub namespace: Namespace,
    /// The caller and its key, as one text.
    pub key: String,
    /// SHA-256 of what was asked.
    pub fingerprint: [u8; 32],
    /// What was created, for the repeated answer.
    pub outcome: Payload,
    /// When it was answered.
    pub created_at: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

/// That a commit is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The number of its last event, or of the last one before it when it had none.
    pub last_seq: u64,
}

impl Commit {
    /// A commit of one document.
    pub fn of(write: Write) -> Self {
        Self {
            writes: vec![write],
            ..Self::default()
        }
    }

    /// The same with these events too.
    #[must_use]
    pub fn with_events(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        self.events.extend(events);
        self
    }

    /// The same with this write too.
    #[must_use]
    pub fn with(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    /// The same, with events that were caused by this caller where they do not say already by whom.
    #[must_use]
    pub fn caused_by(mut self, actor: &Arc<str>) -> Self {
        for event in &mut self.events {
            event.by.get_or_insert_with(|| actor.clone());
        }
        self
    }

    /// Adds another commit's writes and events, to become durable with these.
    pub fn absorb(&mut self, other: Self) {
        self.writes.extend(other.writes);
        self.events.extend(other.events);
    }

    /// Whether it has nothing to write.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.events.is_empty()
    }
}
