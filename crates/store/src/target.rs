//! What a write is about, and which revision it expects: the guard that every store checks.

use mcpanel_domain::{
    AgentId, ArtifactId, KeyId, Namespace, OperationId, PipelineId, TaskId, TemplateId, Timestamp,
};
use rustc_hash::FxHashSet;

use crate::{Commit, Conflict, Result, Write};

/// A namespace and an id in it.
pub type Key<T> = (Namespace, T);

/// The document a write is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A task.
    Task(Key<TaskId>),
    /// An agent.
    Agent(Key<AgentId>),
    /// A pipeline.
    Pipeline(Key<PipelineId>),
    /// A template, whose versions are its revisions.
    Template(Key<TemplateId>),
    /// What is known about a file.
    Artifact(Key<ArtifactId>),
    /// An API key.
    Key(Key<KeyId>),
    /// The memory of an answered request.
    Idempotency(Key<String>),
    /// The log of a task, which must exist, at whatever revision.
    Logs(Key<TaskId>),
    /// An operation.
    Operation(Key<OperationId>),
    /// A sample, by its minute.
    Sample(Key<Timestamp>),
}

/// A document and the revision that a write expects it at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which document.
    pub subject: Subject,
    /// The revision it must have; zero when it must not exist.
    pub expected: u64,
}

impl Target {
    /// Whether a document at this revision, zero for none, is what the write expects.
    pub fn holds(&self, found: u64) -> bool {
        match self.subject {
            Subject::Logs(_) => found > 0,
            _ => found == self.expected,
        }
    }

    /// The conflict to answer when the document is at another revision.
    pub fn conflict(&self, found: u64) -> Conflict {
        let minute;
        let (what, id) = match &self.subject {
            Subject::Task(key) | Subject::Logs(key) => ("task", key.1.as_str()),
            Subject::Agent(key) => ("agent", key.1.as_str()),
            Subject::Pipeline(key) => ("pipeline", key.1.as_str()),
            Subject::Template(key) => ("template", key.1.as_str()),
            Subject::Artifact(key) => ("artifact", key.1.as_str()),
            Subject::Key(key) => ("key", key.1.as_str()),
            Subject::Idempotency(key) => ("idempotency", key.1.as_str()),
            Subject::Operation(key) => ("operation", key.1.as_str()),
            Subject::Sample(key) => {
                minute = key.1.to_string();
                ("sample", minute.as_str())
            }
        };
        Conflict {
            what,
            id: id.to_owned(),
            expected: self.expected,
            found,
        }
    }
}

impl Write {
    /// Whether it is a document with a revision of its own, so that one from elsewhere may come at any. Templates are
    /// not: each version is kept, so they come one after the other anywhere.
    fn is_whole_document(&self) -> bool {
        match self {
            Self::Task { .. }
            | Self::Agent(_)
            | Self::Pipeline(_)
            | Self::Artifact(_)
            | Self::Key(_)
            | Self::Operation(_) => true,
            Self::Template(_)
            | Self::Idempotency(_)
            | Self::Logs { .. }
            | Self::Sample(_)
            | Self::DeleteAgent { .. }
            | Self::DeleteArtifact { .. }
            | Self::DeleteOperation { .. } => false,
        }
    }

    /// What it is about, and which revision it expects.
    pub fn target(&self) -> Target {
        // A document of revision zero is nobody's successor: the wrapped figure matches nothing.
        let (subject, expected) = match self {
            Self::Task { task, .. } => (
                Subject::Task((task.namespace.clone(), task.id.clone())),
                task.revision.wrapping_sub(1),
            ),
            Self::Agent(doc) => (
                Subject::Agent((doc.namespace.clone(), doc.id.clone())),
                doc.revision.wrapping_sub(1),
            ),
            Self::DeleteAgent {
                namespace,
                id,
                revision,
            } => (Subject::Agent((namespace.clone(), id.clone())), *revision),
            Self::Pipeline(doc) => (
                Subject::Pipeline((doc.namespace.clone(), doc.id.clone())),
                doc.revision.wrapping_sub(1),
            ),
            Self::Template(doc) => (
                Subject::Template((doc.namespace.clone(), doc.id.clone())),
                u64::from(doc.version).wrapping_sub(1),
            ),
            Self::Artifact(doc) => (
                Subject::Artifact((doc.namespace.clone(), doc.id.clone())),
                doc.revision.wrapping_sub(1),
            ),
            Self::DeleteArtifact {
                namespace,
                id,
                revision,
            } => (
                Subject::Artifact((namespace.clone(), id.clone())),
                *revision,
            ),
            Self::Key(doc) => (
                Subject::Key((doc.namespace.clone(), doc.id.clone())),
                doc.revision.wrapping_sub(1),
            ),
            Self::Idempotency(record) => (
                Subject::Idempotency((record.namespace.clone(), record.key.clone())),
                0,
            ),
            Self::Logs {
                namespace, task_id, ..
            } => (Subject::Logs((namespace.clone(), task_id.clone())), 0),
            Self::Operation(doc) => (
                Subject::Operation((doc.namespace.clone(), doc.id.clone())),
                doc.revision.wrapping_sub(1),
            ),
            Self::DeleteOperation {
                namespace,
                id,
                revision,
            } => (
                Subject::Operation((namespace.clone(), id.clone())),
                *revision,
            ),
            Self::Sample(doc) => (Subject::Sample((doc.namespace.clone(), doc.minute)), 0),
        };
        Target { subject, expected }
    }
}

impl Commit {
    /// What must hold for it to be written, leaving out what it brings along itself: the log of a
    /// task that it creates. A commit that names a document twice could hide a conflict, so it is one;
    /// a delete names no revision to be zero, for there is nothing to delete.
    pub fn targets(&self) -> Result<Vec<Target>> {
        let mut targets: Vec<Target> = Vec::with_capacity(self.writes.len());
        let mut seen: FxHashSet<Subject> = FxHashSet::default();
        for write in &self.writes {
            let mut target = write.target();
            if self.import && write.is_whole_document() {
                target.expected = 0;
            }
            let deletes_nothing = target.expected == 0
                && matches!(
                    write,
                    Write::DeleteAgent { .. }
                        | Write::DeleteArtifact { .. }
                        | Write::DeleteOperation { .. }
                );
            if deletes_nothing {
                return Err(target.conflict(0).into());
            }
            if let Subject::Logs(key) = &target.subject {
                if !seen.contains(&Subject::Task(key.clone())) {
                    targets.push(target);
                }
                continue;
            }
            // A lone document, the usual commit, has nobody to clash with.
            if self.writes.len() > 1 && !seen.insert(target.subject.clone()) {
                return Err(target.conflict(u64::MAX).into());
            }
            targets.push(target);
        }
        Ok(targets)
    }
}
