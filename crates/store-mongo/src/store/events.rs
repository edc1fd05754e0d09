//! Events: from memory while Redis tells of them, from MongoDB otherwise.

use std::{sync::atomic::Ordering, time::Duration};

use mcpanel_domain::Namespace;
use mcpanel_store::{
    Result,
    query::{EventFilter, Events},
};

use super::MongoStore;
use crate::answer;

/// How long a page of events waits for those whose numbers are known and which are on their way through Redis: some
/// milliseconds, usually. After that MongoDB is asked.
const ARRIVAL_PATIENCE: Duration = Duration::from_millis(50);

impl MongoStore {
    /// A page of events.
    pub(super) async fn page_of_events(
        &self,
        namespace: &Namespace,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<Events> {
        if let Some(events) = self.recent_events(namespace, filter, after, limit).await {
            return Ok(events);
        }
        let last = self.sequencer.last();
        let events = answer::events(&self.mongo, namespace, filter, after, limit, last).await?;
        self.sequencer.advance(events.last);
        self.first_kept
            .fetch_max(events.first_kept, Ordering::Relaxed);
        Ok(events)
    }

    /// Events that are in memory because Redis told of them, if there are any above `after`.
    async fn recent_events(
        &self,
        namespace: &Namespace,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Option<Events> {
        let first_kept = self.first_kept.load(Ordering::Relaxed);
        let stream = self.shared.as_ref()?.events();
        let page = after.saturating_add(u64::try_from(limit).unwrap_or(u64::MAX));
        let wanted = page.min(self.sequencer.last());
        if stream.last() < wanted {
            if !stream.is_live() {
                return None;
            }
            let mut arriving = stream.watch();
            let arrived = arriving.wait_for(|last| *last >= wanted);
            tokio::time::timeout(ARRIVAL_PATIENCE, arrived)
                .await
                .ok()?
                .ok()?;
        }
        let mut events = stream.recent(after, limit)?;
        let scanned_to = events.last()?.seq;
        if first_kept == 0 {
            return None;
        }
        events.retain(|each| each.event.namespace == *namespace && filter.matches(each));
        self.sequencer.advance(scanned_to);
        Some(Events {
            events,
            scanned_to,
            last: self.sequencer.last(),
            first_kept,
        })
    }
}
