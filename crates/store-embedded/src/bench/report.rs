//! What was measured.

use std::{fmt, time::Duration};

use hdrhistogram::Histogram;
use serde::{Serialize, Serializer};

use super::Config;

/// Longest commit that is told apart, in microseconds: ten seconds.
const LONGEST_US: u64 = 10_000_000;

/// Significant digits of what is told apart. Each worker has a histogram; with three digits they would
/// not fit into the processor's cache, and be what is measured.
const DIGITS: u8 = 2;

/// Both sides.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Tasks in flight.
    pub in_flight: usize,
    /// Completed tasks that were there before.
    pub preloaded: u64,
    /// The bare append log.
    pub bare: Side,
    /// The store.
    pub store: Side,
    /// Bytes on disk at the end.
    pub size_bytes: u64,
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
    latency_us: Histogram<u64>,
}

impl Report {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            in_flight: config.in_flight,
            preloaded: config.preloaded,
            bare: Side::new(),
            store: Side::new(),
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
            latency_us: Self::histogram(),
        }
    }

    /// An empty histogram, for one worker of a side.
    pub(super) fn histogram() -> Histogram<u64> {
        Histogram::new_with_bounds(1, LONGEST_US, DIGITS)
            .expect("the bounds are fixed and in order")
    }

    pub(super) fn count(&mut self, commits: u64, flushes: u64) {
        self.commits += commits;
        self.flushes += flushes;
    }

    pub(super) fn add(&mut self, lifecycles: u64, latency_us: &Histogram<u64>) {
        self.lifecycles += lifecycles;
        self.latency_us
            .add(latency_us)
            .expect("both histograms have the same bounds");
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
        self.latency_us.value_at_quantile(quantile) as f64 / 1_000.0
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
        write!(
            f,
            "ratio {:.2}; {} MB on disk",
            self.ratio(),
            self.size_bytes / 1_000_000
        )
    }
}
