//! How long a search by text looks.
//!
//! No store keeps an index of texts: inputs are health data, and an index would be a copy of them. So a search reads what
//! the other conditions leave, newest first, and stops after a while; the page's `next` says where, and the next page goes
//! on from there.

use mcpanel_domain::Timestamp;
use mcpanel_store::query::{Page, Position};

use crate::core::Core;

/// Documents that one page of a search looks at, most. About as many as are read in the time below.
pub const SEARCHED_MAX: usize = 20_000;

/// How long one page of a search reads, in milliseconds: a page of the dashboard is to be there in a tenth of a
/// second.
pub const SEARCH_MS_MAX: u64 = 80;

/// Documents read at once. Enough that few rounds are needed, few enough that the clock is looked at in time.
const CHUNK: usize = 250;

/// What one page of a search has looked at, chunk by chunk.
pub(crate) struct Looks<'a> {
    core: &'a Core,
    began: Timestamp,
    looked: usize,
    chunk: Page,
}

impl<'a> Looks<'a> {
    /// Begins where the wanted page does.
    pub(crate) fn begin(core: &'a Core, page: &Page) -> Self {
        Self {
            core,
            began: core.now(),
            looked: 0,
            chunk: Page {
                after: page.after.clone(),
                limit: CHUNK,
            },
        }
    }

    /// The chunk to read now.
    pub(crate) fn page(&self) -> &Page {
        &self.chunk
    }

    /// Goes on to the next chunk, or tells that the search ends: there is no more, or it looked for long enough.
    pub(crate) fn end_after(&mut self, read: usize, next: Option<&Position>) -> bool {
        self.looked += read;
        self.chunk.after = next.cloned();
        next.is_none()
            || self.looked >= SEARCHED_MAX
            || self.core.now().ms_since(self.began) >= SEARCH_MS_MAX
    }
}
