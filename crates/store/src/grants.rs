//! Assignments that their documents do not say yet.
//!
//! A task that is done within a second or two need not have its assignment written: the queue that gave it out
//! remembers who has it, and the completion writes both. A [`Grant`] is what the queue remembers. It is bound to the
//! revision of the document that it was given on, so a document that moved on makes it void, and whoever writes first
//! on that revision wins. Forgetting grants therefore loses no task and completes none twice: a forgotten one is
//! given out again, and of two holders one is told that it came late.

use std::fmt;

use async_trait::async_trait;
use mcpanel_domain::{
    AgentId, Namespace, SessionId, TaskId, Timestamp,
    task::{Lease, Task},
};

use crate::{Held, Result};

/// An assignment that the task's document does not say yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// Which task.
    pub task_id: TaskId,
    /// The revision of the document that it was given on.
    pub revision: u64,
    /// The attempt that it begins.
    pub attempt: u32,
    /// What only the holder knows.
    pub nonce: u128,
    /// Who was given it.
    pub agent_id: AgentId,
    /// In which session.
    pub session: SessionId,
    /// When.
    pub granted_at: Timestamp,
}

impl Grant {
    /// The grant of a lease on the document at `revision`.
    pub fn of(task_id: TaskId, revision: u64, lease: &Lease) -> Self {
        Self {
            task_id,
            revision,
            attempt: lease.attempt,
            nonce: lease.nonce,
            agent_id: lease.agent_id.clone(),
            session: lease.session.clone(),
            granted_at: lease.granted_at,
        }
    }

    /// Whether it still says more than the document: nothing was written since it was given.
    pub fn holds(&self, document: &Task) -> bool {
        document.id == self.task_id
            && document.revision == self.revision
            && document.attempt + 1 == self.attempt
    }

    /// For its owner's bookkeeping, like a written lease.
    pub fn held(&self) -> Held {
        Held {
            task_id: self.task_id.clone(),
            attempt: self.attempt,
            session: self.session.clone(),
        }
    }
}

impl fmt::Debug for Grant {
    /// Hides the secret part: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Grant({} r{} attempt {} to {}/{})",
            self.task_id, self.revision, self.attempt, self.agent_id, self.session
        )
    }
}

/// Where grants are remembered, by a store that can do so beside its documents. It may forget any of them at any time.
#[async_trait]
pub trait Grants: Send + Sync {
    /// The key that leases are signed with: one for all processes that share the documents, and nobody else's.
    fn key(&self) -> &[u8; 32];
    /// Remembers grants of tasks that were set aside for a claim; tells of each whether that was still so. An error says
    /// that nothing can be remembered now: write the assignments instead.
    async fn note(&self, namespace: &Namespace, grants: &[Grant]) -> Result<Vec<bool>>;
    /// The grants of tasks at these revisions, in the order asked; none where none is remembered.
    async fn of_tasks(&self, namespace: &Namespace, tasks: &[(TaskId, u64)]) -> Vec<Option<Grant>>;
    /// The grants of an agent that are known, in all its sessions, and whether none can be missing.
    async fn of_agent(&self, namespace: &Namespace, id: &AgentId) -> (Vec<Grant>, bool);
    /// Grants that are old enough to be written into their documents, at most `limit`. Each is told again until it
    /// was written, or [`Grants::drop_void`] was called.
    async fn ripe(&self, limit: usize) -> Vec<(Namespace, Grant)>;
    /// Forgets grants whose documents moved on.
    async fn drop_void(&self, namespace: &Namespace, grants: &[Grant]);
}
