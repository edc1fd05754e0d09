//! The newest events, in memory.

use std::{collections::VecDeque, sync::Arc};

use mcpanel_domain::event::Numbered;

use super::Run;

/// Events kept in memory: what a page's watchers that were away for some seconds ask for again, about 3 MB.
const RING_MAX: usize = 10_000;

/// Events without gaps, oldest first.
#[derive(Default)]
pub(super) struct Ring {
    events: VecDeque<Arc<Numbered>>,
    /// The number before the first.
    floor: u64,
}

impl Ring {
    /// An empty ring at this number.
    pub(super) fn at(last: u64) -> Self {
        Self {
            events: VecDeque::new(),
            floor: last,
        }
    }

    pub(super) fn last(&self) -> u64 {
        self.floor + self.events.len() as u64
    }

    /// Takes in a run; tells whether anything is new. After a gap it begins anew.
    pub(super) fn add(&mut self, run: Run) -> bool {
        if run.first > self.last() + 1 {
            *self = Self::at(run.first - 1);
        }
        let last = self.last();
        let new = run.events.into_iter().filter(|event| event.seq > last);
        self.events.extend(new);
        let over = self.events.len().saturating_sub(RING_MAX);
        self.events.drain(..over);
        self.floor += over as u64;
        self.last() > last
    }

    /// Events above `after`; `None` when some of them are not here.
    pub(super) fn after(&self, after: u64, limit: usize) -> Option<Vec<Arc<Numbered>>> {
        if after < self.floor {
            return None;
        }
        let skip = usize::try_from(after - self.floor).unwrap_or(usize::MAX);
        Some(self.events.iter().skip(skip).take(limit).cloned().collect())
    }
}
