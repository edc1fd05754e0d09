//! Reads the log of events from its end towards its beginning, a bounded piece at a time.

use std::sync::Arc;

use mcpanel_control::{Scope, Span};
use mcpanel_domain::event::Numbered;
use mcpanel_store::query::EventFilter;

use crate::{Dashboard, error::Result};

/// Events that one read of the log looks at.
const READ: u64 = 1_000;

/// Where the reading is.
#[derive(Debug, Clone)]
pub struct Backwards {
    /// The newest number that was not looked at.
    end: u64,
    /// Numbers up to this one are not looked at.
    floor: u64,
    /// Numbers up to this one are not asked for.
    after: u64,
    /// The oldest number that is kept.
    first_kept: u64,
}

impl Backwards {
    /// Looks at `most` events of a span, beginning with the number `top`.
    pub fn from(top: u64, most: u64, span: Span) -> Self {
        let end = span.to.map_or(top, |to| to.min(top));
        Self {
            end,
            floor: end.saturating_sub(most).max(span.after),
            after: span.after,
            first_kept: 1,
        }
    }

    /// What the next piece holds of what is looked for, newest first; none after the last piece.
    pub async fn next(
        &mut self,
        dashboard: &Dashboard,
        scope: &Scope,
        filter: &EventFilter,
    ) -> Result<Option<Vec<Arc<Numbered>>>> {
        if self.end <= self.floor {
            return Ok(None);
        }
        let begin = self.end.saturating_sub(READ).max(self.floor);
        let limit = usize::try_from(self.end - begin).unwrap_or(usize::MAX);
        let events = &dashboard.control.events;
        let page = events.list(scope, filter, begin, limit).await?;
        self.first_kept = page.first_kept;
        let end = self.end;
        let found = page.events.into_iter().rev();
        let found = found.filter(|event| event.seq <= end).collect();
        self.end = if begin < self.first_kept { 0 } else { begin };
        Ok(Some(found))
    }

    /// The number below which somebody could go on; none at the beginning of the log.
    pub fn rest(&self) -> Option<u64> {
        Some(self.end + 1).filter(|before| *before > self.first_kept.max(self.after + 1))
    }
}
