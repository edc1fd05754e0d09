//! The business layer. Every change is **load → decide → commit → act**:
//!
//! 1. *load* the documents, with the revisions they have;
//! 2. *decide* with the pure rules of `mcpanel_domain`;
//! 3. *commit* the new documents and events in one durable piece, guarded by those revisions; on a conflict
//!    begin again;
//! 4. *act* on the effects. Each is safe to repeat, and [`reconcile`] finds those that a crash left.
//!
//! - [`TaskManager`]: creating, claiming, holding and ending tasks
//! - [`AgentManager`]: sign-on, heartbeats, liveness
//! - [`PipelineOrchestrator`]: runs of stage graphs, templates
//! - [`OperationManager`]: one wish about many tasks
//! - [`HistoryManager`]: how things stand and stood
//! - [`EventManager`]: replaying and following what happened
//! - [`Catalog`]: artifacts and API keys
//!
//! Time and randomness come from [`Env`], so that a simulation can hand in its own.

mod act;
mod agents;
mod catalog;
mod core;
mod env;
mod error;
mod events;
mod grants;
mod history;
mod idempotency;
mod operations;
mod pipelines;
pub mod reconcile;
mod scope;
mod search;
mod tasks;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use mcpanel_store::Store;

pub use agents::{AgentManager, AgentView, HeartbeatAnswer};
pub use catalog::{Catalog, NewArtifact, NewKey};
pub use env::Env;
pub use error::{Error, Result};
pub use events::{EVENTS_PER_READ_MAX, EventManager, Span};
/// For whoever shows what becomes of leases that nobody gave.
#[doc(hidden)]
pub use grants::token::sign as sign_lease;
pub use history::{ERROR_GROUPS_SHOWN, HistoryManager, POINTS_MAX, Point, Reason};
pub use idempotency::{Created, Idempotency};
pub use operations::{OperationManager, OperationRequest, PREVIEW_TASKS_MAX};
pub use pipelines::{
    PipelineOrchestrator, PipelineRequest, PipelineSearch, PipelineView, REPORTED_TASKS_MAX,
    StagePace, StageReport, StagesFrom,
};
pub use scope::Scope;
pub use search::{SEARCH_MS_MAX, SEARCHED_MAX};
pub use tasks::{
    Blocker, Claim, Claimed, Completion, Explanation, TaskManager, TaskView,
    describe as describe_blocker,
};

/// The managers over one store.
#[derive(Clone)]
pub struct Control {
    /// Tasks.
    pub tasks: TaskManager,
    /// Agents.
    pub agents: AgentManager,
    /// Pipelines and templates.
    pub pipelines: PipelineOrchestrator,
    /// Operations on many tasks.
    pub operations: OperationManager,
    /// How things stand and stood.
    pub history: HistoryManager,
    /// Events.
    pub events: EventManager,
    /// Artifacts and API keys.
    pub catalog: Catalog,
    core: Arc<core::Core>,
}

impl Control {
    /// Managers over `store`, with time and randomness from `env`.
    pub fn new(store: Arc<dyn Store>, env: Arc<dyn Env>) -> Self {
        let core = Arc::new(core::Core::new(store, env));
        Self {
            tasks: TaskManager::new(core.clone()),
            agents: AgentManager::new(core.clone()),
            pipelines: PipelineOrchestrator::new(core.clone()),
            operations: OperationManager::new(core.clone()),
            history: HistoryManager::new(core.clone()),
            events: EventManager::new(core.clone()),
            catalog: Catalog::new(core.clone()),
            core,
        }
    }

    /// The store below, for health and totals.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.core.store
    }

    /// The time as this control sees it.
    pub fn now(&self) -> mcpanel_domain::Timestamp {
        self.core.now()
    }
}
