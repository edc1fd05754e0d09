//! Events of all namespaces, in the order of their numbers, and their way into the target.

use std::sync::Arc;

use mcpanel_domain::{Namespace, event::Numbered};
use mcpanel_store::{Commit, Portable, query::EventFilter};

use crate::{Census, Error, Kind, Progress};

/// Events looked at in one step, and written in one commit.
const STEP: usize = 1_000;

/// Events of all namespaces, oldest first.
pub struct Merged<'a> {
    store: &'a dyn Portable,
    namespaces: Vec<Namespace>,
    after: u64,
    newest: u64,
}

impl<'a> Merged<'a> {
    /// Those with a number above `after`.
    pub fn new(store: &'a dyn Portable, namespaces: Vec<Namespace>, after: u64) -> Self {
        Self {
            store,
            namespaces,
            after,
            newest: 0,
        }
    }

    /// The newest number that the store told of.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// The next ones; none at the end.
    pub async fn next(&mut self) -> mcpanel_store::Result<Option<Vec<Arc<Numbered>>>> {
        let filter = EventFilter::default();
        loop {
            let mut events = Vec::new();
            let mut reached = u64::MAX;
            for namespace in &self.namespaces {
                let found = self
                    .store
                    .events(namespace, &filter, self.after, STEP)
                    .await?;
                self.newest = self.newest.max(found.last);
                reached = reached.min(found.scanned_to);
                events.extend(found.events);
            }
            if self.namespaces.is_empty() || reached <= self.after {
                return Ok(None);
            }
            self.after = reached;
            events.retain(|event| event.seq <= reached);
            events.sort_by_key(|event| event.seq);
            if !events.is_empty() {
                return Ok(Some(events));
            }
        }
    }
}

/// Copies the events that the target lacks.
pub(crate) async fn copy(
    from: &dyn Portable,
    to: &dyn Portable,
    census: &Census,
    progress: Progress<'_>,
) -> Result<(), Error> {
    if census.of(Kind::Event).count == 0 {
        return Ok(());
    }
    let filter = EventFilter::default();
    let there = to
        .events(&Namespace::default_namespace(), &filter, u64::MAX, 1)
        .await
        .map_err(Error::target)?
        .last;
    if there > census.newest_event {
        return Err(Error::EventsAhead {
            target: there,
            source_last: census.newest_event,
        });
    }
    if there < census.events_from {
        to.number_events_from(census.events_from)
            .await
            .map_err(Error::target)?;
    }
    let after = there.max(census.events_from - 1);
    progress(Kind::Event, after + 1 - census.events_from);
    let mut merged = Merged::new(from, census.namespaces.clone(), after);
    while let Some(events) = merged.next().await.map_err(Error::source)? {
        let count = events.len() as u64;
        let wanted = events.last().map_or(0, |event| event.seq);
        let commit = Commit {
            events: events.iter().map(|event| event.event.clone()).collect(),
            import: true,
            ..Commit::default()
        };
        let receipt = to.commit(commit).await.map_err(Error::target)?;
        if receipt.last_seq != wanted {
            return Err(Error::Different {
                kind: Kind::Event,
                id: receipt.last_seq.to_string(),
            });
        }
        progress(Kind::Event, count);
    }
    Ok(())
}
