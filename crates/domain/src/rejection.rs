//! Why the rules refuse a command. Nothing changes when they do.

use crate::{
    fault::Fault,
    id::{AgentId, TaskId},
    time::Timestamp,
};

/// A refused command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The lease is not the one that holds the task now.
    #[error("the lease does not hold this task: {why}")]
    StaleLease { why: &'static str },
    /// The lease was right but ran out before the call.
    #[error("the lease expired at {expired_at}; claim the task again")]
    LeaseExpired { expired_at: Timestamp },
    /// A newer registration of the same agent took over.
    #[error("this session of agent `{agent_id}` was superseded by a newer registration")]
    SessionSuperseded { agent_id: AgentId },
    /// The agent cannot take work now.
    #[error("agent `{agent_id}` cannot take work: {why}")]
    AgentUnavailable {
        agent_id: AgentId,
        why: &'static str,
    },
    /// The document's state does not allow the command.
    #[error("{what} is not possible while the {of} is `{state}`{hint}")]
    InvalidTransition {
        what: &'static str,
        of: &'static str,
        state: &'static str,
        hint: &'static str,
    },
    /// The input itself is wrong.
    #[error("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid { faults: Vec<Fault> },
    /// A document with this id exists already.
    #[error("{what} `{id}` exists already")]
    Exists { what: &'static str, id: String },
    /// No such document, for this caller.
    #[error("no {what} `{id}`")]
    NotFound { what: &'static str, id: String },
    /// A template that there is, in a version that there is not.
    #[error("template `{id}` has no version {version}; its newest version is {newest}")]
    NoVersion {
        id: String,
        version: u32,
        newest: u32,
    },
    /// The caller saw an older revision than the stored one.
    #[error(
        "the {what} is at revision {current}, not {given}; read it again and repeat the change"
    )]
    RevisionMismatch {
        what: &'static str,
        current: u64,
        given: u64,
    },
    /// Tasks would wait for each other in a circle.
    #[error("dependencies form a cycle: {}", cycle.iter().map(TaskId::as_str).collect::<Vec<_>>().join(" → "))]
    DependencyCycle { cycle: Vec<TaskId>, pointer: String },
}

impl Rejection {
    /// One fault as a rejection.
    pub fn fault(
        pointer: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            faults: vec![Fault::new(pointer, code, detail)],
        }
    }

    /// A missing document.
    pub fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound {
            what,
            id: id.to_string(),
        }
    }
}
