//! Events: replaying what happened, and following what happens.

use std::sync::Arc;

use mcpanel_domain::Timestamp;
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

/// How far events may be out of the order of their times, in milliseconds: an event has the time at which a change was
/// decided and gets its number once it is committed, on whichever instance comes first. Commits end within seconds.
const DISORDER_MS: u64 = 60_000;

/// The part of the event log where the events of some time are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// They have greater numbers than this one.
    pub after: u64,
    /// They have no greater numbers than this one; none when they may go on.
    pub to: Option<u64>,
}

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

    /// Where the events are that a filter's times leave: found by halves, so that asking for a day costs some twenty
    /// looks and not a reading of all that happened since.
    pub async fn span(&self, filter: &EventFilter) -> Result<Span> {
        let after = match filter.from {
            Some(from) => self.number_at(from.minus_ms(DISORDER_MS)).await?,
            None => 0,
        };
        let to = match filter.before {
            Some(before) => Some(self.number_at(before.plus_ms(DISORDER_MS)).await?),
            None => None,
        };
        Ok(Span { after, to })
    }

    /// The number of the last event before a moment.
    async fn number_at(&self, moment: Timestamp) -> Result<u64> {
        let mut low = 0;
        let mut high = *self.watch().borrow();
        while low < high {
            let middle = low + (high - low) / 2;
            match self.core.store.event_time(middle).await? {
                Some((seq, at)) if at < moment => low = seq,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// The newest event number, as it changes. A follower reads on whenever it does, so a slow one
    /// holds nothing up and nothing is buffered for it.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.core.store.watch_events()
    }
}
