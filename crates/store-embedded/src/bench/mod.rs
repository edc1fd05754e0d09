//! How fast the store is, next to the least that durability costs on the same disk in the same run.
//!
//! The yardstick is a bare append log: records of 700 bytes, one `fdatasync` for all that wait. Both sides
//! are given the same work in turns: tasks that are created (700 bytes, of which 545 are
//! parameters), assigned and completed, each step a commit of its own that is awaited before the next, with
//! many tasks in flight.

mod bare;
mod pages;
mod report;
mod work;

use std::{path::PathBuf, sync::Arc, time::Duration};

use mcpanel_domain::Timestamp;
use mcpanel_store::Store;

use crate::{EmbeddedStore, OpenError, Options, limits::SEGMENT_BYTES};

pub use report::{PageTime, Report, Side};

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Config {
    /// An empty folder to work in; what is written there is left behind.
    pub dir: PathBuf,
    /// Tasks in flight at any moment.
    pub in_flight: usize,
    /// Rounds of each side, in turns, so that a disk that slows down slows both.
    pub rounds: u32,
    /// How long a round lasts.
    pub round: Duration,
    /// Completed tasks that are in the store before.
    pub preloaded: u64,
    /// How long a flush takes at least, on both sides: a slower disk than the one at hand.
    pub flush_at_least: Duration,
    /// Size of the segments of the store's commit log, in bytes.
    pub segment_bytes: u64,
}

impl Config {
    /// The usual figures: 256 in flight, five rounds of four seconds each.
    pub fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            in_flight: 256,
            rounds: 5,
            round: Duration::from_secs(4),
            preloaded: 0,
            flush_at_least: Duration::ZERO,
            segment_bytes: SEGMENT_BYTES,
        }
    }
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] mcpanel_store::Error),
    /// The bare log failed.
    #[error("the bare log failed: {0}")]
    Bare(#[from] std::io::Error),
}

/// Measures both sides.
pub async fn run(config: &Config, clock: Clock) -> Result<Report, Error> {
    let options = Options {
        segment_bytes: config.segment_bytes,
        flush_at_least: config.flush_at_least,
        ..Options::new(clock.clone())
    };
    let store = EmbeddedStore::open(config.dir.join("store"), options)?;
    work::preload(&store, config.preloaded, &clock).await?;
    let mut report = Report::new(config);
    for _ in 0..config.rounds {
        bare::round(config, &mut report.bare).await?;
        let before = store.health().await;
        work::round(&store, config, &clock, &mut report.store).await?;
        let after = store.health().await;
        report.store.count(
            after.commits - before.commits,
            after.flushes - before.flushes,
        );
    }
    report.pages = pages::measure(&*store).await?;
    report.size_bytes = store.health().await.size_bytes.unwrap_or(0);
    store.close().await;
    Ok(report)
}

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
