//! The seam between the truth and what is derived from it elsewhere.
//!
//! MongoDB decides; when a transaction is durable the store tells a [`Projection`] what changed, and a
//! [`ReadyQueue`] is asked which tasks are next. Both may forget everything at any time: nothing they
//! say is believed before MongoDB's revision agrees, and the store goes on without them.

use std::sync::Arc;

use async_trait::async_trait;
use mcpanel_domain::{
    AgentId, Namespace, TaskId, Timestamp, agent::Agent, event::Numbered, pipeline::Pipeline,
    task::Task,
};
use mcpanel_store::Offer;
use tokio::sync::oneshot;

/// A change that is durable.
#[derive(Debug, Clone)]
pub enum Change {
    /// A task was created or changed, or lost its last open dependency (then `old` equals `new`).
    Task {
        /// The document before; none when it was created.
        old: Option<Arc<Task>>,
        /// The document now.
        new: Arc<Task>,
        /// Whether it waits for tasks that are not completed: then it is not ready, whatever its state says.
        blocked: bool,
    },
    /// An agent was registered, changed, or removed (then `new` is none).
    Agent {
        /// The document before, as far as it was known.
        old: Option<Arc<Agent>>,
        /// The document now.
        new: Option<Arc<Agent>>,
        /// Its namespace.
        namespace: Namespace,
        /// Its id.
        id: AgentId,
    },
    /// A pipeline was created or changed. How far its tasks are must be asked for: see
    /// [`Source::pipeline`](crate::Source::pipeline).
    Pipeline {
        /// The document now.
        new: Arc<Pipeline>,
    },
}

/// Who keeps a view of the documents elsewhere.
#[async_trait]
pub trait Projection: Send + Sync + 'static {
    /// Takes in changes that are durable, in the order of their commits as far as one lane of one instance
    /// goes: a change with a lower revision than one seen before is old news. Bounded in time
    /// (half a second at most); a failure is its own affair, to be repaired later from MongoDB.
    async fn apply(&self, changes: &[Change]);

    /// Takes in events that have their numbers, oldest first, without gaps among them. Other
    /// instances may tell of the same.
    async fn publish(&self, events: &[Arc<Numbered>]);
}

/// The queue cannot be asked now: ask MongoDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is away")]
pub struct Away;

/// A queue of ready tasks that all instances share.
#[async_trait]
pub trait ReadyQueue: Send + Sync + 'static {
    /// Sets aside the best tasks for an offer, at most `room`, best first. What is not given back or
    /// assigned comes back by itself after a few seconds. `room` is what the session's live leases leave
    /// free; reservations in flight are the queue's to count.
    async fn take(&self, offer: &Offer, room: u32, now: Timestamp) -> Result<Vec<TaskId>, Away>;
    /// Gives back tasks that were set aside at these revisions and were not assigned.
    fn give_back(&self, namespace: &Namespace, tasks: &[Arc<Task>]);
    /// Drops ids that MongoDB says are not ready: they were left behind by mistake.
    fn forget(&self, namespace: &Namespace, ids: &[TaskId]);
    /// Fires when a task may have become ready for this offer, or a slot of the agent free, on whichever instance.
    fn wait(&self, offer: &Offer) -> oneshot::Receiver<()>;
    /// Ready tasks that come before this one; `None` when it is not ready.
    async fn ahead(&self, task: &Task) -> Result<Option<u64>, Away>;
    /// How many tasks of a namespace could be given out.
    async fn ready(&self, namespace: &Namespace) -> Result<u64, Away>;
}
