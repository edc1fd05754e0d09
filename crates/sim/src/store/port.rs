//! The port: every call lets others go first now and then, and a commit meets its fate.

use std::sync::Arc;

use async_trait::async_trait;
use mcpanel_domain::{
    AgentId, ArtifactId, KeyId, Namespace, OperationId, PipelineId, TaskId, TemplateId, Timestamp,
    agent::Agent,
    artifact::Artifact,
    key::ApiKey,
    log::Line,
    operation,
    pipeline::{Pipeline, StageCounts, Template},
    sample::{Activity, Sample},
    task::Task,
};
use mcpanel_store::{
    Commit, Due, Error, Grants, Held, IdempotencyRecord, Offer, Receipt, Result, Store,
    query::{
        ArtifactFilter, EventFilter, Events, Health, Listing, OperationFilter, Page, Payloads,
        PipelineFilter, Queue, TaskFilter, Totals,
    },
};
use tokio::sync::{oneshot, watch};

use super::{Fate, SimStore};
use crate::{executor::yield_now, mutation::Mutation};

#[async_trait]
impl Store for SimStore {
    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        yield_now().await;
        let fate = self.fate();
        if matches!(fate, Fate::CrashBefore) {
            self.crash("before a commit").await;
        }
        if matches!(fate, Fate::Refused) {
            self.shared
                .trace(|| "the store refuses a commit".to_owned());
            return Err(Error::Unavailable {
                reason: "the simulation says so".to_owned(),
            });
        }
        if matches!(fate, Fate::Unknown) {
            // Half of them were written. Other than after a failed flush, readers see them at once and later commits
            // are taken: what holds here holds there.
            if self.shared.random.lock().chance(50) {
                let _ = self.write(commit).await;
            }
            return self.unheard();
        }
        let acknowledged = commit.clone();
        let receipt = match (&self.instance, self.shared.mutation) {
            (Some(instance), _) => self.commit_shared(instance, commit).await?,
            (None, Some(mutation)) => self.commit_broken(mutation, commit).await?,
            (None, None) => self.write(commit).await?,
        };
        if matches!(fate, Fate::CrashAfter) {
            self.crash("after a commit, before the answer").await;
        }
        self.shared
            .observer
            .lock()
            .acknowledge(&acknowledged, receipt);
        self.interleave().await;
        Ok(receipt)
    }

    async fn tasks(&self, namespace: &Namespace, ids: &[TaskId]) -> Result<Vec<Option<Arc<Task>>>> {
        self.interleave().await;
        self.inner.tasks(namespace, ids).await
    }

    async fn payloads(
        &self,
        namespace: &Namespace,
        ids: &[TaskId],
    ) -> Result<Vec<Option<Payloads>>> {
        self.interleave().await;
        self.inner.payloads(namespace, ids).await
    }

    async fn list_tasks(
        &self,
        namespace: &Namespace,
        filter: &TaskFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Task>>> {
        self.interleave().await;
        self.inner.list_tasks(namespace, filter, page).await
    }

    async fn dependents(&self, namespace: &Namespace, id: &TaskId) -> Result<Vec<TaskId>> {
        self.interleave().await;
        self.inner.dependents(namespace, id).await
    }

    async fn logs(
        &self,
        namespace: &Namespace,
        id: &TaskId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Line>> {
        self.interleave().await;
        self.inner.logs(namespace, id, after, limit).await
    }

    async fn totals(&self, namespace: &Namespace) -> Result<Totals> {
        self.interleave().await;
        self.inner.totals(namespace).await
    }

    async fn queues(&self, namespace: &Namespace) -> Result<Vec<Queue>> {
        self.interleave().await;
        self.inner.queues(namespace).await
    }

    async fn activity(&self, namespace: &Namespace, minute: Timestamp) -> Result<Activity> {
        self.interleave().await;
        self.inner.activity(namespace, minute).await
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        self.interleave().await;
        self.inner.namespaces().await
    }

    async fn samples(
        &self,
        namespace: &Namespace,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Arc<Sample>>> {
        self.interleave().await;
        self.inner.samples(namespace, from, to).await
    }

    async fn purge_samples(&self, before: Timestamp) -> Result<u64> {
        self.interleave().await;
        self.inner.purge_samples(before).await
    }

    async fn take_ready(&self, offer: &Offer, now: Timestamp) -> Result<Vec<Arc<Task>>> {
        self.interleave().await;
        if let Some(instance) = &self.instance {
            return self.take_shared(instance, offer, now).await;
        }
        let taken = match self.shared.mutation {
            Some(mutation) => self.take_broken(mutation, offer, now).await,
            None => self.inner.take_ready(offer, now).await,
        };
        // Between the taking and the guard that gives back nothing may be awaited, here as in
        // every store: whoever is dropped there would lose what was set aside.
        taken
    }

    fn unreserve(&self, namespace: &Namespace, tasks: &[Arc<Task>]) {
        match &self.instance {
            _ if self.is_dead() => {}
            Some(instance) => {
                let mut queue = instance.common.queue.lock();
                tasks.iter().for_each(|task| queue.give_back(task));
            }
            None => self.inner.unreserve(namespace, tasks),
        }
    }

    fn grants(&self) -> Option<&dyn Grants> {
        let several = self.instance.is_some();
        several.then_some(self as &dyn Grants)
    }

    fn wait_ready(&self, offer: &Offer) -> oneshot::Receiver<()> {
        self.inner.wait_ready(offer)
    }

    async fn ready_ahead(&self, namespace: &Namespace, id: &TaskId) -> Result<Option<u64>> {
        self.interleave().await;
        self.inner.ready_ahead(namespace, id).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>> {
        self.interleave().await;
        if let Some(instance) = &self.instance {
            return Ok(self.due_shared(instance, now, limit));
        }
        self.inner.due(now, limit).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        self.inner.next_due().await
    }

    fn rearm(&self, due: &Due, at: Timestamp) {
        if let Some(instance) = &self.instance {
            self.rearm_shared(instance, due, at);
            return;
        }
        let forgotten =
            self.shared.breaks(Mutation::ForgetTimers) && matches!(due, Due::Task(_, _));
        if !forgotten {
            self.inner.rearm(due, at);
        }
    }

    async fn agent(&self, namespace: &Namespace, id: &AgentId) -> Result<Option<Arc<Agent>>> {
        self.interleave().await;
        self.inner.agent(namespace, id).await
    }

    async fn agents(&self, namespace: &Namespace) -> Result<Vec<Arc<Agent>>> {
        self.interleave().await;
        self.inner.agents(namespace).await
    }

    async fn leases(&self, namespace: &Namespace, id: &AgentId) -> Result<Vec<Held>> {
        self.interleave().await;
        self.inner.leases(namespace, id).await
    }

    async fn orphaned_leases(&self, limit: usize) -> Result<Vec<(Namespace, Held)>> {
        self.interleave().await;
        self.inner.orphaned_leases(limit).await
    }

    async fn pipeline(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Option<Arc<Pipeline>>> {
        self.interleave().await;
        self.inner.pipeline(namespace, id).await
    }

    async fn list_pipelines(
        &self,
        namespace: &Namespace,
        filter: &PipelineFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Pipeline>>> {
        self.interleave().await;
        self.inner.list_pipelines(namespace, filter, page).await
    }

    async fn stage_counts(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Vec<StageCounts>> {
        self.interleave().await;
        self.inner.stage_counts(namespace, id).await
    }

    async fn unsettled_pipelines(&self) -> Result<Vec<(Namespace, PipelineId)>> {
        self.interleave().await;
        self.inner.unsettled_pipelines().await
    }

    async fn doomed_tasks(&self, limit: usize) -> Result<Vec<(Namespace, TaskId, TaskId)>> {
        self.interleave().await;
        self.inner.doomed_tasks(limit).await
    }

    async fn template(
        &self,
        namespace: &Namespace,
        id: &TemplateId,
        version: Option<u32>,
    ) -> Result<Option<Arc<Template>>> {
        self.interleave().await;
        self.inner.template(namespace, id, version).await
    }

    async fn templates(&self, namespace: &Namespace) -> Result<Vec<Arc<Template>>> {
        self.interleave().await;
        self.inner.templates(namespace).await
    }

    async fn operation(
        &self,
        namespace: &Namespace,
        id: &OperationId,
    ) -> Result<Option<Arc<operation::Operation>>> {
        self.interleave().await;
        self.inner.operation(namespace, id).await
    }

    async fn list_operations(
        &self,
        namespace: &Namespace,
        filter: &OperationFilter,
        page: &Page,
    ) -> Result<Listing<Arc<operation::Operation>>> {
        self.interleave().await;
        self.inner.list_operations(namespace, filter, page).await
    }

    async fn running_operations(&self, limit: usize) -> Result<Vec<(Namespace, OperationId)>> {
        self.interleave().await;
        self.inner.running_operations(limit).await
    }

    async fn artifact(
        &self,
        namespace: &Namespace,
        id: &ArtifactId,
    ) -> Result<Option<Arc<Artifact>>> {
        self.interleave().await;
        self.inner.artifact(namespace, id).await
    }

    async fn list_artifacts(
        &self,
        namespace: &Namespace,
        filter: &ArtifactFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Artifact>>> {
        self.interleave().await;
        self.inner.list_artifacts(namespace, filter, page).await
    }

    async fn key_by_hash(&self, sha256: &[u8; 32]) -> Result<Option<Arc<ApiKey>>> {
        self.interleave().await;
        self.inner.key_by_hash(sha256).await
    }

    async fn key(&self, namespace: &Namespace, id: &KeyId) -> Result<Option<Arc<ApiKey>>> {
        self.interleave().await;
        self.inner.key(namespace, id).await
    }

    async fn keys(&self, namespace: &Namespace) -> Result<Vec<Arc<ApiKey>>> {
        self.interleave().await;
        self.inner.keys(namespace).await
    }

    async fn idempotency(
        &self,
        namespace: &Namespace,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>> {
        self.interleave().await;
        self.inner.idempotency(namespace, key).await
    }

    async fn purge_idempotency(&self, now: Timestamp) -> Result<u64> {
        self.interleave().await;
        self.inner.purge_idempotency(now).await
    }

    async fn events(
        &self,
        namespace: &Namespace,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<Events> {
        self.interleave().await;
        self.inner.events(namespace, filter, after, limit).await
    }

    async fn event_time(&self, after: u64) -> Result<Option<(u64, Timestamp)>> {
        self.interleave().await;
        self.inner.event_time(after).await
    }

    fn watch_events(&self) -> watch::Receiver<u64> {
        self.inner.watch_events()
    }

    async fn health(&self) -> Health {
        self.inner.health().await
    }
}
