//! The port, answered from memory and tables.

use std::sync::{Arc, atomic::Ordering};

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
use mcpanel_store::{
    Commit, Due, Held, IdempotencyRecord, Offer, Receipt, Result, Store,
    query::{
        ArtifactFilter, EventFilter, Events, Health, Listing, OperationFilter, Page, Payloads,
        PipelineFilter, Queue, TaskFilter, Totals,
    },
};
use tokio::sync::{oneshot, watch};

use super::EmbeddedStore;
use crate::{
    read::{self, off_thread, with_tables},
    settler::{self, Outdated},
};

/// The highest number that SQLite holds; callers may ask for what comes after any.
const NUMBER_MAX: u64 = i64::MAX.unsigned_abs();

#[async_trait]
impl Store for EmbeddedStore {
    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        self.write(commit).await
    }

    async fn tasks(&self, namespace: &Namespace, ids: &[TaskId]) -> Result<Vec<Option<Arc<Task>>>> {
        read::tasks::tasks(&self.shared, namespace, ids).await
    }

    async fn payloads(
        &self,
        namespace: &Namespace,
        ids: &[TaskId],
    ) -> Result<Vec<Option<Payloads>>> {
        read::tasks::payloads(&self.shared, namespace, ids).await
    }

    async fn list_tasks(
        &self,
        namespace: &Namespace,
        filter: &TaskFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Task>>> {
        self.list(namespace, filter, page, read::lists::tasks).await
    }

    async fn dependents(&self, namespace: &Namespace, id: &TaskId) -> Result<Vec<TaskId>> {
        Ok(self.shared.state.lock().hot.dependents(namespace, id))
    }

    async fn logs(
        &self,
        namespace: &Namespace,
        id: &TaskId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Line>> {
        let (shared, namespace, id) = (self.shared.clone(), namespace.clone(), id.clone());
        let after = after.min(NUMBER_MAX);
        off_thread(move || read::tasks::logs(&shared, &namespace, &id, after, limit)).await
    }

    async fn totals(&self, namespace: &Namespace) -> Result<Totals> {
        Ok(self.shared.state.lock().hot.totals(namespace))
    }

    async fn queues(&self, namespace: &Namespace) -> Result<Vec<Queue>> {
        Ok(self.shared.state.lock().hot.queues(namespace))
    }

    async fn activity(&self, namespace: &Namespace, minute: Timestamp) -> Result<Activity> {
        Ok(self.shared.state.lock().hot.activity(namespace, minute))
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        Ok(self.shared.state.lock().hot.namespaces())
    }

    async fn samples(
        &self,
        namespace: &Namespace,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Arc<Sample>>> {
        let (shared, namespace) = (self.shared.clone(), namespace.clone());
        off_thread(move || read::samples::samples(&shared, &namespace, from, to)).await
    }

    async fn purge_samples(&self, before: Timestamp) -> Result<u64> {
        let in_memory = {
            let mut state = self.shared.state.lock();
            // What is being written to the tables just now stays there until the next purge, unseen.
            state.samples_from = state.samples_from.max(before);
            let had = state.active.samples.len();
            state
                .active
                .samples
                .retain(|(_, minute), _| *minute >= before);
            had - state.active.samples.len()
        };
        let purged = self.settler.purge(Outdated::Samples, before)?;
        let stored = purged.await.unwrap_or_else(|_| Err(settler::gone()))?;
        Ok(stored + in_memory as u64)
    }

    async fn take_ready(&self, offer: &Offer, now: Timestamp) -> Result<Vec<Arc<Task>>> {
        Ok(self.shared.state.lock().hot.take_ready(offer, now))
    }

    fn unreserve(&self, namespace: &Namespace, tasks: &[Arc<Task>]) {
        let now = self.shared.now();
        self.shared
            .state
            .lock()
            .hot
            .unreserve(namespace, tasks, now);
    }

    fn wait_ready(&self, offer: &Offer) -> oneshot::Receiver<()> {
        self.shared.state.lock().hot.wait_ready(offer)
    }

    async fn ready_ahead(&self, namespace: &Namespace, id: &TaskId) -> Result<Option<u64>> {
        Ok(self.shared.state.lock().hot.ready_ahead(namespace, id))
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>> {
        Ok(self.shared.state.lock().hot.due(now, limit))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        Ok(self.shared.state.lock().hot.next_due())
    }

    fn rearm(&self, due: &Due, at: Timestamp) {
        self.shared.state.lock().hot.rearm(due, at);
    }

    async fn agent(&self, namespace: &Namespace, id: &AgentId) -> Result<Option<Arc<Agent>>> {
        Ok(self.shared.state.lock().hot.agent(namespace, id).cloned())
    }

    async fn agents(&self, namespace: &Namespace) -> Result<Vec<Arc<Agent>>> {
        Ok(self.shared.state.lock().hot.agents(namespace))
    }

    async fn leases(&self, namespace: &Namespace, id: &AgentId) -> Result<Vec<Held>> {
        Ok(self.shared.state.lock().hot.leases(namespace, id))
    }

    async fn orphaned_leases(&self, limit: usize) -> Result<Vec<(Namespace, Held)>> {
        Ok(self.shared.state.lock().hot.orphaned_leases(limit))
    }

    async fn pipeline(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Option<Arc<Pipeline>>> {
        let key = (namespace.clone(), id.clone());
        if let Some(found) = self.shared.state.lock().pipeline(&key) {
            return Ok(Some(found.clone()));
        }
        with_tables(&self.shared, |read| read.document(namespace, id.as_str()))
            .map(|found| found.map(Arc::new))
    }

    async fn list_pipelines(
        &self,
        namespace: &Namespace,
        filter: &PipelineFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Pipeline>>> {
        self.list(namespace, filter, page, read::lists::pipelines)
            .await
    }

    async fn stage_counts(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Vec<StageCounts>> {
        let key = (namespace.clone(), id.clone());
        {
            let state = self.shared.state.lock();
            if state.hot.has_stage_counts(&key) {
                return Ok(state.hot.stage_counts(namespace, id));
            }
        }
        with_tables(&self.shared, |read| read.stage_counts(namespace, id))
    }

    async fn unsettled_pipelines(&self) -> Result<Vec<(Namespace, PipelineId)>> {
        Ok(self.shared.state.lock().hot.unsettled())
    }

    async fn doomed_tasks(&self, limit: usize) -> Result<Vec<(Namespace, TaskId, TaskId)>> {
        Ok(self.shared.state.lock().hot.doomed(limit))
    }

    async fn template(
        &self,
        namespace: &Namespace,
        id: &TemplateId,
        version: Option<u32>,
    ) -> Result<Option<Arc<Template>>> {
        let state = self.shared.state.lock();
        let versions = state.templates.get(&(namespace.clone(), id.clone()));
        Ok(versions.and_then(|versions| match version {
            Some(version) => versions
                .iter()
                .find(|each| each.version == version)
                .cloned(),
            None => versions.last().cloned(),
        }))
    }

    async fn templates(&self, namespace: &Namespace) -> Result<Vec<Arc<Template>>> {
        Ok(self.shared.state.lock().newest_templates(namespace))
    }

    async fn operation(
        &self,
        namespace: &Namespace,
        id: &OperationId,
    ) -> Result<Option<Arc<Operation>>> {
        let key = (namespace.clone(), id.clone());
        if let Some(found) = self.shared.state.lock().operation(&key) {
            return Ok(found.clone());
        }
        with_tables(&self.shared, |read| read.document(namespace, id.as_str()))
            .map(|found| found.map(Arc::new))
    }

    async fn list_operations(
        &self,
        namespace: &Namespace,
        filter: &OperationFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Operation>>> {
        self.list(namespace, filter, page, read::lists::operations)
            .await
    }

    async fn running_operations(&self, limit: usize) -> Result<Vec<(Namespace, OperationId)>> {
        let state = self.shared.state.lock();
        Ok(state.running.iter().take(limit).cloned().collect())
    }

    async fn artifact(
        &self,
        namespace: &Namespace,
        id: &ArtifactId,
    ) -> Result<Option<Arc<Artifact>>> {
        let key = (namespace.clone(), id.clone());
        let recent = {
            let state = self.shared.state.lock();
            state
                .recents()
                .find_map(|recent| recent.artifacts.get(&key))
                .cloned()
        };
        match recent {
            Some(found) => Ok(found),
            None => with_tables(&self.shared, |read| read.document(namespace, id.as_str()))
                .map(|found| found.map(Arc::new)),
        }
    }

    async fn list_artifacts(
        &self,
        namespace: &Namespace,
        filter: &ArtifactFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Artifact>>> {
        self.list(namespace, filter, page, read::lists::artifacts)
            .await
    }

    async fn key_by_hash(&self, sha256: &[u8; 32]) -> Result<Option<Arc<ApiKey>>> {
        let state = self.shared.state.lock();
        let found = state.keys_by_hash.get(sha256);
        Ok(found.and_then(|key| state.keys.get(key)).cloned())
    }

    async fn key(&self, namespace: &Namespace, id: &KeyId) -> Result<Option<Arc<ApiKey>>> {
        let key = (namespace.clone(), id.clone());
        Ok(self.shared.state.lock().keys.get(&key).cloned())
    }

    async fn keys(&self, namespace: &Namespace) -> Result<Vec<Arc<ApiKey>>> {
        Ok(self.shared.state.lock().keys_of(namespace))
    }

    async fn idempotency(
        &self,
        namespace: &Namespace,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>> {
        let at = (namespace.clone(), key.to_owned());
        let (recent, purged_to) = {
            let state = self.shared.state.lock();
            let recent = state
                .recents()
                .find_map(|recent| recent.idempotency.get(&at))
                .cloned();
            (recent, state.purged_to)
        };
        let found = match recent {
            Some(found) => Some(found),
            None => with_tables(&self.shared, |read| read.idempotency(namespace, key))?,
        };
        Ok(found.filter(|record| record.expires_at > purged_to))
    }

    async fn purge_idempotency(&self, now: Timestamp) -> Result<u64> {
        let in_memory = {
            let mut state = self.shared.state.lock();
            // What is being written to the tables just now stays there until the next purge, unseen.
            state.purged_to = state.purged_to.max(now);
            let before = state.active.idempotency.len();
            state
                .active
                .idempotency
                .retain(|_, record| record.expires_at > now);
            before - state.active.idempotency.len()
        };
        let purged = self.settler.purge(Outdated::Idempotency, now)?;
        let stored = purged.await.unwrap_or_else(|_| Err(settler::gone()))?;
        Ok(stored + in_memory as u64)
    }

    async fn events(
        &self,
        namespace: &Namespace,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<Events> {
        let after = after.min(NUMBER_MAX);
        let look = read::events::look(&self.shared, after);
        if look.is_enough(after) {
            return look.events(&self.shared, namespace, filter, after, limit);
        }
        let (shared, namespace, filter) = (self.shared.clone(), namespace.clone(), filter.clone());
        off_thread(move || look.events(&shared, &namespace, &filter, after, limit)).await
    }

    async fn event_time(&self, after: u64) -> Result<Option<(u64, Timestamp)>> {
        let after = after.min(NUMBER_MAX);
        let look = read::events::look(&self.shared, after);
        if look.is_enough(after) {
            return look.first(&self.shared, after);
        }
        let shared = self.shared.clone();
        off_thread(move || look.first(&shared, after)).await
    }

    fn watch_events(&self) -> watch::Receiver<u64> {
        self.shared.last_seq.subscribe()
    }

    async fn health(&self) -> Health {
        Health {
            engine: "embedded",
            read_only: self.shared.why_read_only(),
            reads: true,
            size_bytes: Some(self.size_bytes()),
            flushes: self.shared.flushes.load(Ordering::Relaxed),
            commits: self.shared.commits.load(Ordering::Relaxed),
        }
    }
}
