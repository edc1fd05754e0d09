//! Events after a number.

use std::sync::Arc;

use mcpanel_domain::{Namespace, Timestamp, event::Numbered};
use mcpanel_store::{
    Error, Result,
    query::{EventFilter, Events},
};

use super::with_tables;
use crate::{recent::Block, shared::Shared};

#[cfg(test)]
mod tests;

/// What memory has of the events after a number.
pub struct Look {
    blocks: Vec<Arc<Block>>,
    /// The first number in memory, if any.
    memory_from: u64,
    last: u64,
    first_kept: u64,
}

/// Looks at memory.
pub fn look(shared: &Shared, after: u64) -> Look {
    let state = shared.state.lock();
    let mut blocks: Vec<Arc<Block>> = Vec::new();
    let mut memory_from = state.last_seq + 1;
    // Newest first, and from the back: a listener that follows closely needs the last one only.
    for recent in state.recents() {
        if let Some(first) = recent.blocks.first() {
            memory_from = first.first;
        }
        blocks.extend(
            recent
                .blocks
                .iter()
                .rev()
                .take_while(|block| block.last() > after)
                .cloned(),
        );
    }
    blocks.reverse();
    Look {
        blocks,
        memory_from,
        last: state.last_seq,
        first_kept: state.first_kept,
    }
}

impl Look {
    /// Whether the tables are not needed.
    pub fn is_enough(&self, after: u64) -> bool {
        after >= self.memory_from - 1
    }

    /// The events that were asked for.
    pub fn events(
        self,
        shared: &Shared,
        namespace: &Namespace,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<Events> {
        self.those(shared, after, limit, |event| {
            event.event.namespace == *namespace && filter.matches(event)
        })
    }

    /// Number and time of the first event.
    pub fn first(self, shared: &Shared, after: u64) -> Result<Option<(u64, Timestamp)>> {
        let found = self.those(shared, after, 1, |_| true)?;
        Ok(found
            .events
            .first()
            .map(|first| (first.seq, first.event.at)))
    }

    fn those(
        self,
        shared: &Shared,
        after: u64,
        limit: usize,
        is_asked_for: impl Fn(&Numbered) -> bool,
    ) -> Result<Events> {
        // Nothing is to be looked for before the first one: the numbers of a store that took in another's begin there.
        let mut first_kept = self.first_kept;
        let mut after = after.max(first_kept.saturating_sub(1));
        let mut blocks: Vec<Arc<Block>> = Vec::new();
        if !self.is_enough(after) {
            let stored = with_tables(shared, |read| read.blocks(after, limit))?;
            let first = stored.first().map_or(self.memory_from, |block| block.first);
            let first = first.min(self.memory_from);
            if first > after + 1 {
                // Removed since memory was looked at: whoever asked is told, rather than led past it.
                (first_kept, after) = (first, first - 1);
            }
            blocks.extend(
                stored
                    .into_iter()
                    .filter(|block| block.first < self.memory_from)
                    .map(Arc::new),
            );
        }
        let reached = blocks.last().map_or(after, |block| block.last());
        // Without a gap only: what the tables did not read to its end goes on with the next page.
        if self.is_enough(reached) {
            blocks.extend(self.blocks);
        }
        let mut found = Events {
            events: Vec::new(),
            scanned_to: after,
            last: self.last,
            first_kept,
        };
        let mut looked = 0;
        for block in blocks {
            if looked == limit {
                break;
            }
            let events = block.events().ok_or_else(|| Error::Damaged {
                what: format!("events {} to {}", block.first, block.last()),
            })?;
            for event in events.iter().filter(|event| event.seq > after) {
                if looked == limit {
                    break;
                }
                looked += 1;
                found.scanned_to = event.seq;
                if is_asked_for(event) {
                    found.events.push(event.clone());
                }
            }
        }
        Ok(found)
    }
}
