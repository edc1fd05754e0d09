//! What the Redis half asks of the truth: to rebuild what was lost, and to fill the views.

use std::sync::Arc;

use async_trait::async_trait;
use mcpanel_domain::{
    AgentId, Namespace, PipelineId, TaskId,
    agent::Agent,
    event::Numbered,
    pipeline::{Pipeline, StageCounts},
    task::Task,
};
use mcpanel_store::{Result, query::Position};

/// A task as it is now, and whether it waits for tasks that are not completed.
pub type Standing = (Arc<Task>, bool);

/// The truth, as it is now.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// A word that no other database has: what is derived from another one is worth nothing.
    async fn identity(&self) -> Result<String>;
    /// Namespaces that have tasks or agents.
    async fn namespaces(&self) -> Result<Vec<Namespace>>;
    /// Tasks of a namespace that have not ended, newest first, from `after` on.
    async fn live_tasks(
        &self,
        namespace: &Namespace,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<Standing>>;
    /// Tasks by id, in the order asked; `None` for those that do not exist.
    async fn standing(
        &self,
        namespace: &Namespace,
        ids: &[TaskId],
    ) -> Result<Vec<Option<Standing>>>;
    /// An agent.
    async fn agent(&self, namespace: &Namespace, id: &AgentId) -> Result<Option<Arc<Agent>>>;
    /// All agents of a namespace.
    async fn agents(&self, namespace: &Namespace) -> Result<Vec<Arc<Agent>>>;
    /// A pipeline and how many tasks of each stage stand where.
    async fn pipeline(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Option<(Arc<Pipeline>, Vec<StageCounts>)>>;
    /// Pipelines of all namespaces that have not settled.
    async fn unsettled(&self) -> Result<Vec<(Namespace, PipelineId)>>;
    /// The number of the newest event.
    async fn newest_event(&self) -> Result<u64>;
    /// Events of all namespaces with a number above `after`, oldest first, without gaps among them.
    async fn events_after(&self, after: u64, limit: usize) -> Result<Vec<Arc<Numbered>>>;
}
