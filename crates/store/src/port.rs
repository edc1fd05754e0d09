//! The port itself.

use std::sync::Arc;

use async_trait::async_trait;
use mcpanel_domain::{
    AgentId, ArtifactId, KeyId, Name, Namespace, OperationId, PipelineId, SessionId, TaskId,
    TemplateId, Timestamp,
    agent::Agent,
    artifact::Artifact,
    key::ApiKey,
    log::Line,
    operation::Operation,
    pipeline::{Pipeline, StageCounts, Template},
    sample::{Activity, Sample},
    task::Task,
};
use tokio::sync::{oneshot, watch};

use crate::{
    Commit, Grants, IdempotencyRecord, Receipt, Result,
    query::{
        ArtifactFilter, EventFilter, Events, Health, Listing, OperationFilter, Page, Payloads,
        PipelineFilter, Queue, TaskFilter, Totals,
    },
};

/// What an agent session offers when it asks for work.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Whose tasks.
    pub namespace: Namespace,
    /// Who asks.
    pub agent_id: AgentId,
    /// In which session.
    pub session: SessionId,
    /// What it can do, sorted.
    pub capabilities: Vec<Name>,
    /// Most tasks it holds at once; what it holds already is counted by the store.
    pub concurrency: u32,
    /// Most tasks it wants now.
    pub max: u32,
}

/// A live lease, as far as its owner's bookkeeping needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Which task.
    pub task_id: TaskId,
    /// Which attempt.
    pub attempt: u32,
    /// In which session of the agent.
    pub session: SessionId,
}

/// A document whose time has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Due {
    /// A task's `Tick`.
    Task(Namespace, TaskId),
    /// An agent's `Tick`.
    Agent(Namespace, AgentId),
}

/// Tasks set aside for one claim. Those that are not committed as assigned go back to the queue
/// when this is dropped, also when the caller went away in the middle.
pub struct Reserved {
    /// The tasks, best first.
    pub tasks: Vec<Arc<Task>>,
    namespace: Namespace,
    store: Arc<dyn Store>,
}

impl Reserved {
    /// Sets `tasks` aside until it is dropped.
    pub fn new(store: Arc<dyn Store>, namespace: Namespace, tasks: Vec<Arc<Task>>) -> Self {
        Self {
            tasks,
            namespace,
            store,
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.tasks.is_empty() {
            self.store.unreserve(&self.namespace, &self.tasks);
        }
    }
}

/// A store: documents with revisions, a ready queue, timers, and an event log.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Writes all of it, durably, or nothing. Commits of several callers may share one flush.
    async fn commit(&self, commit: Commit) -> Result<Receipt>;

    // --- tasks ---

    /// Tasks by id, in the order asked; `None` for those that do not exist.
    async fn tasks(&self, namespace: &Namespace, ids: &[TaskId]) -> Result<Vec<Option<Arc<Task>>>>;
    /// The payloads of tasks, in the order asked; `None` for those that do not exist.
    async fn payloads(
        &self,
        namespace: &Namespace,
        ids: &[TaskId],
    ) -> Result<Vec<Option<Payloads>>>;
    /// A page of tasks, newest first. It may be shorter than asked for, or empty, and still not be the last.
    async fn list_tasks(
        &self,
        namespace: &Namespace,
        filter: &TaskFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Task>>>;
    /// Tasks that have not ended and wait for this one.
    async fn dependents(&self, namespace: &Namespace, id: &TaskId) -> Result<Vec<TaskId>>;
    /// Log lines of a task with a number above `after`, oldest first.
    async fn logs(
        &self,
        namespace: &Namespace,
        id: &TaskId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Line>>;
    /// How many tasks there are.
    async fn totals(&self, namespace: &Namespace) -> Result<Totals>;
    /// How many tasks pass a filter, counted up to `cap`.
    async fn count_tasks(
        &self,
        namespace: &Namespace,
        filter: &TaskFilter,
        cap: u64,
    ) -> Result<u64> {
        count_by_pages(self, namespace, filter, cap).await
    }
    /// Tasks that have not ended, by type; those types that have any, by name.
    async fn queues(&self, namespace: &Namespace) -> Result<Vec<Queue>>;

    // --- history ---

    /// What the commits of this minute did to tasks, by the `updated_at` of each; nothing when the minute lies too
    /// far back ([`ACTIVITY_MINUTES_KEPT`]). These are figures to look at, not to decide by: where several
    /// processes share a store, the last second of one that was killed may be missing.
    async fn activity(&self, namespace: &Namespace, minute: Timestamp) -> Result<Activity>;
    /// Namespaces that have tasks or agents, in order.
    async fn namespaces(&self) -> Result<Vec<Namespace>>;
    /// Samples of minutes from `from` on and before `to`, oldest first.
    async fn samples(
        &self,
        namespace: &Namespace,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Arc<Sample>>>;
    /// Forgets samples of minutes before this one, of all namespaces; tells how many.
    async fn purge_samples(&self, before: Timestamp) -> Result<u64>;

    // --- the ready queue ---

    /// Sets aside the best ready tasks for this offer: at most `max`, and no more than the session
    /// has free slots. By priority, then fairly between pipelines, then earliest deadline, then age.
    async fn take_ready(&self, offer: &Offer, now: Timestamp) -> Result<Vec<Arc<Task>>>;
    /// Gives back what was set aside and not committed as assigned. Committed ones are left alone.
    fn unreserve(&self, namespace: &Namespace, tasks: &[Arc<Task>]);
    /// Fires when a task may have become ready for this offer, or a slot of the agent free. May fire for nothing.
    fn wait_ready(&self, offer: &Offer) -> oneshot::Receiver<()>;
    /// Ready tasks that come before this one for whoever could run it; `None` when it is not ready.
    async fn ready_ahead(&self, namespace: &Namespace, id: &TaskId) -> Result<Option<u64>>;

    /// Where assignments are remembered before they are written, if this store can do that. Without it, each claim
    /// commits what it gives out.
    fn grants(&self) -> Option<&dyn Grants> {
        None
    }

    // --- timers ---

    /// Documents whose `Tick` has something to do at `now`, at most `limit`; also makes tasks ready
    /// whose time has come.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>>;
    /// When [`Store::due`] next has something to do.
    async fn next_due(&self) -> Result<Option<Timestamp>>;
    /// The document has nothing to do before `at` after all (a heartbeat kept its lease).
    fn rearm(&self, due: &Due, at: Timestamp);

    // --- agents ---

    /// An agent.
    async fn agent(&self, namespace: &Namespace, id: &AgentId) -> Result<Option<Arc<Agent>>>;
    /// All agents of a namespace, by id.
    async fn agents(&self, namespace: &Namespace) -> Result<Vec<Arc<Agent>>>;
    /// The live leases of an agent, in all its sessions.
    async fn leases(&self, namespace: &Namespace, id: &AgentId) -> Result<Vec<Held>>;
    /// Leases whose session is not the present session of a registered agent.
    async fn orphaned_leases(&self, limit: usize) -> Result<Vec<(Namespace, Held)>>;

    // --- pipelines ---

    /// A pipeline.
    async fn pipeline(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Option<Arc<Pipeline>>>;
    /// A page of pipelines, newest first.
    async fn list_pipelines(
        &self,
        namespace: &Namespace,
        filter: &PipelineFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Pipeline>>>;
    /// How many tasks of each stage stand where.
    async fn stage_counts(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Vec<StageCounts>>;
    /// Pipelines that reconcilers should look at: running ones, ended ones with live tasks, and
    /// completed ones without output.
    async fn unsettled_pipelines(&self) -> Result<Vec<(Namespace, PipelineId)>>;
    /// Waiting tasks one of whose dependencies failed or was cancelled: (task, dependency).
    async fn doomed_tasks(&self, limit: usize) -> Result<Vec<(Namespace, TaskId, TaskId)>>;
    /// A version of a template, the newest when none is named.
    async fn template(
        &self,
        namespace: &Namespace,
        id: &TemplateId,
        version: Option<u32>,
    ) -> Result<Option<Arc<Template>>>;
    /// The newest version of every template of a namespace, by id.
    async fn templates(&self, namespace: &Namespace) -> Result<Vec<Arc<Template>>>;

    // --- operations ---

    /// An operation.
    async fn operation(
        &self,
        namespace: &Namespace,
        id: &OperationId,
    ) -> Result<Option<Arc<Operation>>>;
    /// A page of operations, newest first.
    async fn list_operations(
        &self,
        namespace: &Namespace,
        filter: &OperationFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Operation>>>;
    /// Operations that have not ended, of all namespaces, in the order of their keys.
    async fn running_operations(&self, limit: usize) -> Result<Vec<(Namespace, OperationId)>>;

    // --- artifacts, keys, idempotency ---

    /// What is known about a file.
    async fn artifact(
        &self,
        namespace: &Namespace,
        id: &ArtifactId,
    ) -> Result<Option<Arc<Artifact>>>;
    /// A page of artifacts: newest first.
    async fn list_artifacts(
        &self,
        namespace: &Namespace,
        filter: &ArtifactFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Artifact>>>;
    /// The API key whose secret has this SHA-256, of any namespace.
    async fn key_by_hash(&self, sha256: &[u8; 32]) -> Result<Option<Arc<ApiKey>>>;
    /// An API key by its public id.
    async fn key(&self, namespace: &Namespace, id: &KeyId) -> Result<Option<Arc<ApiKey>>>;
    /// All API keys of a namespace, newest first.
    async fn keys(&self, namespace: &Namespace) -> Result<Vec<Arc<ApiKey>>>;
    /// The memory of an answered request.
    async fn idempotency(
        &self,
        namespace: &Namespace,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>>;
    /// Forgets idempotency records that ran out; tells how many.
    async fn purge_idempotency(&self, now: Timestamp) -> Result<u64>;

    // --- events ---

    /// Events of a namespace with a number above `after`, oldest first; looks at most at `limit`
    /// events, so that a page may hold fewer than there are.
    async fn events(
        &self,
        namespace: &Namespace,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<Events>;
    /// Number and time of the first event above `after`, whatever its namespace; no more of it, since it may be
    /// another's. Finding events by time needs it.
    async fn event_time(&self, after: u64) -> Result<Option<(u64, Timestamp)>>;
    /// The newest event number, as it changes.
    fn watch_events(&self) -> watch::Receiver<u64>;

    // --- itself ---

    /// How the store is.
    async fn health(&self) -> Health;
}

/// Minutes whose activity a store keeps at hand: enough for a sampler that was away for a moment.
pub const ACTIVITY_MINUTES_KEPT: usize = 10;

/// Tasks read at once while counting.
const COUNT_PAGE: usize = 500;

/// Counts by reading: for a store that has no shorter way.
pub async fn count_by_pages<S: Store + ?Sized>(
    store: &S,
    namespace: &Namespace,
    filter: &TaskFilter,
    cap: u64,
) -> Result<u64> {
    if filter.names_statuses_only() {
        let totals = store.totals(namespace).await?;
        return Ok(totals.of(&filter.statuses).min(cap));
    }
    let mut counted = 0;
    let mut page = Page::first(COUNT_PAGE);
    while counted < cap {
        let listing = store.list_tasks(namespace, filter, &page).await?;
        counted += u64::try_from(listing.items.len()).unwrap_or(u64::MAX);
        match listing.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    Ok(counted.min(cap))
}
