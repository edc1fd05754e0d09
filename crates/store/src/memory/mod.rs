//! The in-memory store: the first implementation, and the model the others are held to.
//!
//! Everything is behind one lock and every call is done at once, so that a simulation decides by
//! itself what happens in which order.

mod documents;
mod lists;
mod portable;

use std::sync::Arc;

use async_trait::async_trait;
use mcpanel_domain::{
    AgentId, ArtifactId, KeyId, Namespace, OperationId, PipelineId, TaskId, TemplateId, Timestamp,
    agent::Agent,
    artifact::Artifact,
    key::ApiKey,
    log::Line,
    operation::Operation,
    pipeline::{Pipeline, StageCounts, Template},
    sample::{Activity, Sample},
    task::Task,
};
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use crate::{
    Commit, Due, Held, IdempotencyRecord, Offer, Receipt, Result, Store,
    query::{
        ArtifactFilter, EventFilter, Events, Health, Listing, OperationFilter, Page, Payloads,
        PipelineFilter, Queue, TaskFilter, Totals,
    },
};
use documents::Documents;

/// A store in memory. Cheap to make; gone with the process.
pub struct MemoryStore {
    inner: Mutex<Documents>,
    last_seq: watch::Sender<u64>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl MemoryStore {
    /// An empty store. `clock` is asked only to see which tasks' time has come.
    pub fn new(clock: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self {
            inner: Mutex::new(Documents::default()),
            last_seq: watch::Sender::new(0),
            clock,
        }
    }

    /// A store that holds what this one holds durably, and nothing that was only in memory
    /// (reservations, waiters): what a restarted process finds.
    pub fn restarted(&self) -> Self {
        let documents = self.inner.lock().restarted((self.clock)());
        let last_seq = watch::Sender::new(documents.last_seq());
        Self {
            inner: Mutex::new(documents),
            last_seq,
            clock: self.clock.clone(),
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        let receipt = self.inner.lock().commit(commit, (self.clock)())?;
        self.last_seq.send_if_modified(|last| {
            let newer = receipt.last_seq > *last;
            *last = (*last).max(receipt.last_seq);
            newer
        });
        Ok(receipt)
    }

    async fn tasks(&self, namespace: &Namespace, ids: &[TaskId]) -> Result<Vec<Option<Arc<Task>>>> {
        let inner = self.inner.lock();
        Ok(ids.iter().map(|id| inner.task(namespace, id)).collect())
    }

    async fn payloads(
        &self,
        namespace: &Namespace,
        ids: &[TaskId],
    ) -> Result<Vec<Option<Payloads>>> {
        let inner = self.inner.lock();
        Ok(ids.iter().map(|id| inner.payloads(namespace, id)).collect())
    }

    async fn list_tasks(
        &self,
        namespace: &Namespace,
        filter: &TaskFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Task>>> {
        Ok(self.inner.lock().list_tasks(namespace, filter, page))
    }

    async fn dependents(&self, namespace: &Namespace, id: &TaskId) -> Result<Vec<TaskId>> {
        Ok(self.inner.lock().hot.dependents(namespace, id))
    }

    async fn logs(
        &self,
        namespace: &Namespace,
        id: &TaskId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Line>> {
        Ok(self.inner.lock().logs(namespace, id, after, limit))
    }

    async fn totals(&self, namespace: &Namespace) -> Result<Totals> {
        Ok(self.inner.lock().hot.totals(namespace))
    }

    async fn queues(&self, namespace: &Namespace) -> Result<Vec<Queue>> {
        Ok(self.inner.lock().hot.queues(namespace))
    }

    async fn activity(&self, namespace: &Namespace, minute: Timestamp) -> Result<Activity> {
        Ok(self.inner.lock().hot.activity(namespace, minute))
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        Ok(self.inner.lock().hot.namespaces())
    }

    async fn samples(
        &self,
        namespace: &Namespace,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Arc<Sample>>> {
        Ok(self.inner.lock().samples(namespace, from, to))
    }

    async fn purge_samples(&self, before: Timestamp) -> Result<u64> {
        Ok(self.inner.lock().purge_samples(before))
    }

    async fn take_ready(&self, offer: &Offer, now: Timestamp) -> Result<Vec<Arc<Task>>> {
        Ok(self.inner.lock().hot.take_ready(offer, now))
    }

    fn unreserve(&self, namespace: &Namespace, tasks: &[Arc<Task>]) {
        let now = (self.clock)();
        self.inner.lock().hot.unreserve(namespace, tasks, now);
    }

    fn wait_ready(&self, offer: &Offer) -> oneshot::Receiver<()> {
        self.inner.lock().hot.wait_ready(offer)
    }

    async fn ready_ahead(&self, namespace: &Namespace, id: &TaskId) -> Result<Option<u64>> {
        Ok(self.inner.lock().hot.ready_ahead(namespace, id))
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>> {
        Ok(self.inner.lock().hot.due(now, limit))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        Ok(self.inner.lock().hot.next_due())
    }

    fn rearm(&self, due: &Due, at: Timestamp) {
        self.inner.lock().hot.rearm(due, at);
    }

    async fn agent(&self, namespace: &Namespace, id: &AgentId) -> Result<Option<Arc<Agent>>> {
        Ok(self.inner.lock().hot.agent(namespace, id).cloned())
    }

    async fn agents(&self, namespace: &Namespace) -> Result<Vec<Arc<Agent>>> {
        Ok(self.inner.lock().hot.agents(namespace))
    }

    async fn leases(&self, namespace: &Namespace, id: &AgentId) -> Result<Vec<Held>> {
        Ok(self.inner.lock().hot.leases(namespace, id))
    }

    async fn orphaned_leases(&self, limit: usize) -> Result<Vec<(Namespace, Held)>> {
        Ok(self.inner.lock().hot.orphaned_leases(limit))
    }

    async fn pipeline(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Option<Arc<Pipeline>>> {
        Ok(self.inner.lock().pipeline(namespace, id))
    }

    async fn list_pipelines(
        &self,
        namespace: &Namespace,
        filter: &PipelineFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Pipeline>>> {
        Ok(self.inner.lock().list_pipelines(namespace, filter, page))
    }

    async fn stage_counts(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Vec<StageCounts>> {
        Ok(self.inner.lock().hot.stage_counts(namespace, id))
    }

    async fn unsettled_pipelines(&self) -> Result<Vec<(Namespace, PipelineId)>> {
        Ok(self.inner.lock().hot.unsettled())
    }

    async fn doomed_tasks(&self, limit: usize) -> Result<Vec<(Namespace, TaskId, TaskId)>> {
        Ok(self.inner.lock().hot.doomed(limit))
    }

    async fn template(
        &self,
        namespace: &Namespace,
        id: &TemplateId,
        version: Option<u32>,
    ) -> Result<Option<Arc<Template>>> {
        Ok(self.inner.lock().template(namespace, id, version))
    }

    async fn templates(&self, namespace: &Namespace) -> Result<Vec<Arc<Template>>> {
        Ok(self.inner.lock().templates(namespace))
    }

    async fn operation(
        &self,
        namespace: &Namespace,
        id: &OperationId,
    ) -> Result<Option<Arc<Operation>>> {
        Ok(self.inner.lock().operation(namespace, id))
    }

    async fn list_operations(
        &self,
        namespace: &Namespace,
        filter: &OperationFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Operation>>> {
        Ok(self.inner.lock().list_operations(namespace, filter, page))
    }

    async fn running_operations(&self, limit: usize) -> Result<Vec<(Namespace, OperationId)>> {
        let inner = self.inner.lock();
        let running = inner
            .operations
            .iter()
            .filter(|(_, operation)| !operation.status.is_terminal());
        Ok(running.take(limit).map(|(key, _)| key.clone()).collect())
    }

    async fn artifact(
        &self,
        namespace: &Namespace,
        id: &ArtifactId,
    ) -> Result<Option<Arc<Artifact>>> {
        Ok(self.inner.lock().artifact(namespace, id))
    }

    async fn list_artifacts(
        &self,
        namespace: &Namespace,
        filter: &ArtifactFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Artifact>>> {
        Ok(self.inner.lock().list_artifacts(namespace, filter, page))
    }

    async fn key_by_hash(&self, sha256: &[u8; 32]) -> Result<Option<Arc<ApiKey>>> {
        Ok(self.inner.lock().key_by_hash(sha256))
    }

    async fn key(&self, namespace: &Namespace, id: &KeyId) -> Result<Option<Arc<ApiKey>>> {
        Ok(self.inner.lock().key(namespace, id))
    }

    async fn keys(&self, namespace: &Namespace) -> Result<Vec<Arc<ApiKey>>> {
        Ok(self.inner.lock().keys(namespace))
    }

    async fn idempotency(
        &self,
        namespace: &Namespace,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>> {
        Ok(self.inner.lock().idempotency(namespace, key))
    }

    async fn purge_idempotency(&self, now: Timestamp) -> Result<u64> {
        Ok(self.inner.lock().purge_idempotency(now))
    }

    async fn events(
        &self,
        namespace: &Namespace,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<Events> {
        Ok(self.inner.lock().events(namespace, filter, after, limit))
    }

    async fn event_time(&self, after: u64) -> Result<Option<(u64, Timestamp)>> {
        Ok(self.inner.lock().event_time(after))
    }

    fn watch_events(&self) -> watch::Receiver<u64> {
        self.last_seq.subscribe()
    }

    async fn health(&self) -> Health {
        let commits = self.inner.lock().commits();
        Health {
            engine: "memory",
            read_only: None,
            reads: true,
            size_bytes: None,
            flushes: commits,
            commits,
        }
    }
}
