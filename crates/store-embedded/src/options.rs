//! How a store is opened.

use std::{sync::Arc, time::Duration};

use mcpanel_domain::Timestamp;

use crate::limits::{
    EVENTS_KEPT, LIST_LOOKS_MAX, LIVE_TASKS_MAX, OVERLAP_COMMITS_MIN, PARAMETERS_CACHED_BYTES,
    SEGMENT_BYTES,
};

/// How a store is opened. [`Options::new`] has the usual figures; tests make them small.
#[derive(Clone)]
pub struct Options {
    /// What time it is.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Size of one segment of the commit log, in bytes.
    pub segment_bytes: u64,
    /// Events kept at least.
    pub events_kept: u64,
    /// Tasks that may be live at once.
    pub live_tasks_max: usize,
    /// Parameters of waiting tasks kept in memory, in bytes.
    pub parameters_cached_bytes: usize,
    /// Stored documents that one page of a list looks at.
    pub list_looks_max: usize,
    /// Commits from which on a flush has a thread of its own, so that the next ones are checked meanwhile.
    pub overlap_commits_min: usize,
    /// How long a flush of the commit log takes at least: nothing, but for one who asks how the store would
    /// do on a slower disk.
    pub flush_at_least: Duration,
    /// Most pages of 8 KiB in the SQLite file; none for as many as the disk holds. Reaching it is like a
    /// full disk.
    pub table_pages_max: Option<u32>,
}

impl Options {
    /// The usual options, with this clock.
    pub fn new(clock: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self {
            clock,
            segment_bytes: SEGMENT_BYTES,
            events_kept: EVENTS_KEPT,
            live_tasks_max: LIVE_TASKS_MAX,
            parameters_cached_bytes: PARAMETERS_CACHED_BYTES,
            list_looks_max: LIST_LOOKS_MAX,
            overlap_commits_min: OVERLAP_COMMITS_MIN,
            flush_at_least: Duration::ZERO,
            table_pages_max: None,
        }
    }
}
