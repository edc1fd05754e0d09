//! Events: replaying what happened, and following what happens.

use std::sync::Arc;

use mcpanel_store::query::{EventFilter, Events};
use tokio::sync::watch;

use crate::{Result, Scope, core::Core};

/// Reads the event log.
#[derive(Clone)]
pub struct EventManager {
    core: Arc<Core>,
}

/// Events that one read looks at: a few hundred kilobytes at most.
pub const EVENTS_PER_READ_MAX: usize = 1_000;

impl EventManager {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Events after a number, oldest first.
    pub async fn list(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<Events> {
        let limit = limit.min(EVENTS_PER_READ_MAX);
        Ok(self
            .core
            .store
            .events(&scope.namespace, filter, after, limit)
            .await?)
    }

    /// The newest event number, as it changes. A follower reads on whenever it does, so a slow one
    /// holds nothing up and nothing is buffered for it.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.core.store.watch_events()
    }
}
