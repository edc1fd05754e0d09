//! What was measured.

use std::{fmt, time::Duration};

use serde::{Serialize, Serializer};

use super::Config;

/// Both sides.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Tasks in flight.
    pub in_flight: usize,
    /// Completed tasks that were there before.
    pub preloaded: u64,
    /// How long a flush took at least, in milliseconds; zero when the disk alone decided.
    pub flush_at_least_ms: f64,
    /// The bare append log.
    pub bare: Side,
    /// The store.
    pub store: Side,
    /// How long pages of lists take at the end.
    pub pages: Vec<PageTime>,
    /// Bytes on disk at the end.
    pub size_bytes: u64,
}

/// How long a page of a list takes.
#[derive(Debug, Clone, Serialize)]
pub struct PageTime {
    /// Which tasks.
    pub what: &'static str,
    /// The slowest of a few times, in milliseconds.
    pub slowest_ms: f64,
}

/// One side, over all rounds.
#[derive(Debug, Clone)]
pub struct Side {
    /// Tasks that were created, assigned and completed.
    pub lifecycles: u64,
    /// The time they took.
    pub elapsed: Duration,
    /// Commits, and the flushes that made them durable.
    pub commits: u64,
    /// Flushes.
    pub flushes: u64,
    /// The time each took, in microseconds; sorted when it is asked for.
    latency_us: Vec<u32>,
}

impl Report {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            in_flight: config.in_flight,
            preloaded: config.preloaded,
            flush_at_least_ms: config.flush_at_least.as_secs_f64() * 1_000.0,
            bare: Side::new(),
            store: Side::new(),
            pages: Vec::new(),
            size_bytes: 0,
        }
    }

    /// The store's throughput as a part of the bare log's.
    pub fn ratio(&self) -> f64 {
        self.store.lifecycles_per_s() / self.bare.lifecycles_per_s()
    }
}

impl Side {
    pub(super) fn new() -> Self {
        Self {
            lifecycles: 0,
            elapsed: Duration::ZERO,
            commits: 0,
            flushes: 0,
            latency_us: Vec::new(),
        }
    }

    pub(super) fn count(&mut self, commits: u64, flushes: u64) {
        self.commits += commits;
        self.flushes += flushes;
    }

    pub(super) fn add(&mut self, lived: Lived) {
        self.lifecycles += lived.lifecycles;
        self.latency_us.extend(lived.latency_us);
    }

    /// Tasks a second.
    pub fn lifecycles_per_s(&self) -> f64 {
        self.lifecycles as f64 / self.elapsed.as_secs_f64()
    }

    /// How many commits shared a flush, on average.
    pub fn commits_per_flush(&self) -> f64 {
        self.commits as f64 / self.flushes.max(1) as f64
    }

    /// The time within which this part of the commits was answered, in milliseconds.
    pub fn commit_ms(&self, quantile: f64) -> f64 {
        let mut sorted = self.latency_us.clone();
        let last = sorted.len().saturating_sub(1);
        let at = (last as f64 * quantile).round() as usize;
        if sorted.is_empty() {
            return 0.0;
        }
        let (_, found, _) = sorted.select_nth_unstable(at);
        f64::from(*found) / 1_000.0
    }
}

/// What one worker did in a round.
#[derive(Debug, Default)]
pub(super) struct Lived {
    pub(super) lifecycles: u64,
    /// A list, not a histogram: hundreds of those would not fit into the processor's cache, and be what
    /// is measured.
    latency_us: Vec<u32>,
}

impl Lived {
    /// Notes a commit.
    pub(super) fn commit(&mut self, took: Duration) {
        let us = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.latency_us.push(us);
    }
}

impl Serialize for Side {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = serializer.serialize_struct("Side", 9)?;
        fields.serialize_field("lifecycles", &self.lifecycles)?;
        fields.serialize_field("elapsed_ms", &self.elapsed.as_millis())?;
        fields.serialize_field("lifecycles_per_s", &self.lifecycles_per_s())?;
        fields.serialize_field("commits", &self.commits)?;
        fields.serialize_field("flushes", &self.flushes)?;
        fields.serialize_field("commits_per_flush", &self.commits_per_flush())?;
        fields.serialize_field("commit_p50_ms", &self.commit_ms(0.5))?;
        fields.serialize_field("commit_p95_ms", &self.commit_ms(0.95))?;
        fields.serialize_field("commit_p99_ms", &self.commit_ms(0.99))?;
        fields.end()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} in flight, {} tasks before; three durable writes a task",
            self.in_flight, self.preloaded
        )?;
        if self.flush_at_least_ms > 0.0 {
            writeln!(
                f,
                "each flush made to take {} ms at least, on both sides",
                self.flush_at_least_ms
            )?;
        }
        writeln!(
            f,
            "{:<10} {:>12} {:>9} {:>9} {:>9} {:>9} {:>14}",
            "", "lifecycles/s", "p50 ms", "p95 ms", "p99 ms", "flushes", "commits/flush"
        )?;
        for (name, side) in [("bare log", &self.bare), ("store", &self.store)] {
            writeln!(
                f,
                "{:<10} {:>12.0} {:>9.2} {:>9.2} {:>9.2} {:>9} {:>14.1}",
                name,
                side.lifecycles_per_s(),
                side.commit_ms(0.5),
                side.commit_ms(0.95),
                side.commit_ms(0.99),
                side.flushes,
                side.commits_per_flush()
            )?;
        }
        for page in &self.pages {
            writeln!(
                f,
                "a page of tasks, {}: {:.1} ms",
                page.what, page.slowest_ms
            )?;
        }
        write!(
            f,
            "ratio {:.2}; {} MB on disk",
            self.ratio(),
            self.size_bytes / 1_000_000
        )
    }
}
