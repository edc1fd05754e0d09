//! The port: who answers what.

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
use mcpanel_store::{
    Commit, Due, Grants, Held, IdempotencyRecord, Offer, Receipt, Result, Store,
    query::{
        ArtifactFilter, EventFilter, Events, Health, Listing, OperationFilter, Page, Payloads,
        PipelineFilter, Queue as TypeQueue, TaskFilter, Totals,
    },
};
use tokio::sync::{oneshot, watch};

use super::MongoStore;
use crate::answer;

#[async_trait]
impl Store for MongoStore {
    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        self.write(commit).await
    }

    async fn tasks(&self, namespace: &Namespace, ids: &[TaskId]) -> Result<Vec<Option<Arc<Task>>>> {
        self.documents(namespace, ids).await
    }

    async fn payloads(
        &self,
        namespace: &Namespace,
        ids: &[TaskId],
    ) -> Result<Vec<Option<Payloads>>> {
        answer::payloads(&self.mongo, namespace, ids).await
    }

    async fn list_tasks(
        &self,
        namespace: &Namespace,
        filter: &TaskFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Task>>> {
        answer::list_tasks(&self.mongo, namespace, filter, page).await
    }

    async fn count_tasks(
        &self,
        namespace: &Namespace,
        filter: &TaskFilter,
        cap: u64,
    ) -> Result<u64> {
        self.count(namespace, filter, cap).await
    }

    async fn dependents(&self, namespace: &Namespace, id: &TaskId) -> Result<Vec<TaskId>> {
        answer::dependents(&self.mongo, namespace, id).await
    }

    async fn logs(
        &self,
        namespace: &Namespace,
        id: &TaskId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Line>> {
        answer::logs(&self.mongo, namespace, id, after, limit).await
    }

    async fn totals(&self, namespace: &Namespace) -> Result<Totals> {
        self.total(namespace).await
    }

    async fn queues(&self, namespace: &Namespace) -> Result<Vec<TypeQueue>> {
        answer::queues(&self.mongo, namespace).await
    }

    async fn activity(&self, namespace: &Namespace, minute: Timestamp) -> Result<Activity> {
        self.activities.of(namespace, minute).await
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        answer::namespaces(&self.mongo).await
    }

    async fn samples(
        &self,
        namespace: &Namespace,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Arc<Sample>>> {
        answer::samples(&self.mongo, namespace, from, to).await
    }

    async fn purge_samples(&self, before: Timestamp) -> Result<u64> {
        answer::purge_samples(&self.mongo, before).await
    }

    async fn take_ready(&self, offer: &Offer, now: Timestamp) -> Result<Vec<Arc<Task>>> {
        self.take(offer, now).await
    }

    fn unreserve(&self, namespace: &Namespace, tasks: &[Arc<Task>]) {
        self.give_back(namespace, tasks);
    }

    fn grants(&self) -> Option<&dyn Grants> {
        Some(&*self.ledger)
    }

    fn wait_ready(&self, offer: &Offer) -> oneshot::Receiver<()> {
        self.wait(offer)
    }

    async fn ready_ahead(&self, namespace: &Namespace, id: &TaskId) -> Result<Option<u64>> {
        self.ahead(namespace, id).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>> {
        self.ended_timers(now, limit).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        self.next_timer().await
    }

    fn rearm(&self, due: &Due, at: Timestamp) {
        self.timers.put_off(due, at);
    }

    async fn agent(&self, namespace: &Namespace, id: &AgentId) -> Result<Option<Arc<Agent>>> {
        answer::agent(&self.mongo, namespace, id).await
    }

    async fn agents(&self, namespace: &Namespace) -> Result<Vec<Arc<Agent>>> {
        answer::agents(&self.mongo, namespace).await
    }

    async fn leases(&self, namespace: &Namespace, id: &AgentId) -> Result<Vec<Held>> {
        answer::leases(&self.mongo, namespace, id).await
    }

    async fn orphaned_leases(&self, limit: usize) -> Result<Vec<(Namespace, Held)>> {
        answer::orphaned_leases(&self.mongo, limit).await
    }

    async fn pipeline(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Option<Arc<Pipeline>>> {
        answer::pipeline(&self.mongo, namespace, id).await
    }

    async fn list_pipelines(
        &self,
        namespace: &Namespace,
        filter: &PipelineFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Pipeline>>> {
        answer::list_pipelines(&self.mongo, namespace, filter, page).await
    }

    async fn stage_counts(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Vec<StageCounts>> {
        answer::stage_counts(&self.mongo, namespace, id).await
    }

    async fn unsettled_pipelines(&self) -> Result<Vec<(Namespace, PipelineId)>> {
        answer::unsettled(&self.mongo, &self.live_pipelines).await
    }

    async fn doomed_tasks(&self, limit: usize) -> Result<Vec<(Namespace, TaskId, TaskId)>> {
        answer::doomed(&self.mongo, limit).await
    }

    async fn template(
        &self,
        namespace: &Namespace,
        id: &TemplateId,
        version: Option<u32>,
    ) -> Result<Option<Arc<Template>>> {
        self.cached_template(namespace, id, version).await
    }

    async fn templates(&self, namespace: &Namespace) -> Result<Vec<Arc<Template>>> {
        answer::templates(&self.mongo, namespace).await
    }

    async fn artifact(
        &self,
        namespace: &Namespace,
        id: &ArtifactId,
    ) -> Result<Option<Arc<Artifact>>> {
        answer::artifact(&self.mongo, namespace, id).await
    }

    async fn list_artifacts(
        &self,
        namespace: &Namespace,
        filter: &ArtifactFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Artifact>>> {
        answer::list_artifacts(&self.mongo, namespace, filter, page).await
    }

    async fn key_by_hash(&self, sha256: &[u8; 32]) -> Result<Option<Arc<ApiKey>>> {
        self.cached_key(sha256).await
    }

    async fn key(&self, namespace: &Namespace, id: &KeyId) -> Result<Option<Arc<ApiKey>>> {
        answer::key(&self.mongo, namespace, id).await
    }

    async fn keys(&self, namespace: &Namespace) -> Result<Vec<Arc<ApiKey>>> {
        answer::keys(&self.mongo, namespace).await
    }

    async fn idempotency(
        &self,
        namespace: &Namespace,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>> {
        answer::idempotency(&self.mongo, namespace, key).await
    }

    async fn purge_idempotency(&self, now: Timestamp) -> Result<u64> {
        answer::purge_idempotency(&self.mongo, now).await
    }

    async fn operation(
        &self,
        namespace: &Namespace,
        id: &OperationId,
    ) -> Result<Option<Arc<Operation>>> {
        answer::operation(&self.mongo, namespace, id).await
    }

    async fn list_operations(
        &self,
        namespace: &Namespace,
        filter: &OperationFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Operation>>> {
        answer::list_operations(&self.mongo, namespace, filter, page).await
    }

    async fn running_operations(&self, limit: usize) -> Result<Vec<(Namespace, OperationId)>> {
        answer::running_operations(&self.mongo, limit).await
    }

    async fn events(
        &self,
        namespace: &Namespace,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<Events> {
        self.page_of_events(namespace, filter, after, limit).await
    }

    async fn event_time(&self, after: u64) -> Result<Option<(u64, Timestamp)>> {
        answer::event_time(&self.mongo, after).await
    }

    fn watch_events(&self) -> watch::Receiver<u64> {
        self.sequencer.watch()
    }

    async fn health(&self) -> Health {
        self.look().await
    }
}
