//! When calls are made and when they are spared.

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::LinkHealth;

/// How many calls about a key fail one after another before more are spared.
const PART_FAILURES_MAX: u32 = 2;

/// For how long they are spared, in milliseconds; then one is made to see.
const PART_SPARED_MS: u64 = 1_000;

/// Keys of which failures are remembered. More fail at once only when all of the cluster does.
const PARTS_MAX: usize = 10_000;

/// Weight of the newest answer in the average latency: one part in so many.
const AVERAGE_OF: u64 = 16;

/// Counts failures in a row.
pub(super) struct Circuit {
    failures_max: u32,
    failures: u32,
    figures: LinkHealth,
}

/// How a call went.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    /// Answered, after so long.
    Well(Duration),
    /// Answered, with an error that says nothing about the server.
    Refused,
    /// Not in time, or by a server that cannot now.
    Slow,
    /// The connection broke: the next call would fail too.
    Gone,
}

impl Circuit {
    pub(super) fn new(failures_max: u32) -> Self {
        Self {
            failures_max,
            failures: 0,
            figures: LinkHealth::default(),
        }
    }

    /// Takes note of a call; tells whether the circuit opens with it.
    pub(super) fn note(&mut self, verdict: Verdict) -> bool {
        match verdict {
            Verdict::Well(took) => {
                self.failures = 0;
                self.figures.answered += 1;
                let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                let average = self.figures.latency_us;
                self.figures.latency_us = average - average / AVERAGE_OF + took / AVERAGE_OF;
                return false;
            }
            Verdict::Refused => {
                self.figures.failed += 1;
                return false;
            }
            Verdict::Slow => self.failures += 1,
            Verdict::Gone => self.failures = self.failures_max.max(self.failures + 1),
        }
        self.figures.failed += 1;
        let opens = self.failures == self.failures_max;
        if opens {
            self.figures.opened += 1;
        }
        self.failures >= self.failures_max
    }

    /// A call was not made.
    pub(super) fn spare(&mut self) {
        self.figures.spared += 1;
    }

    /// The server answers again.
    pub(super) fn close(&mut self) {
        self.failures = 0;
    }

    pub(super) fn health(&self, up: bool, reason: Option<String>) -> LinkHealth {
        LinkHealth {
            up,
            reason,
            ..self.figures.clone()
        }
    }
}

/// Keys of a cluster whose node is away.
#[derive(Default)]
pub(super) struct Parts(FxHashMap<String, Part>);

struct Part {
    failures: u32,
    spared_until: Option<Instant>,
}

impl Parts {
    /// Whether calls about this key are spared now.
    pub(super) fn is_spared(&self, key: &str) -> bool {
        self.0
            .get(key)
            .and_then(|part| part.spared_until)
            .is_some_and(|until| Instant::now() < until)
    }

    /// Takes note of a call.
    pub(super) fn note(&mut self, key: &str, verdict: Option<Verdict>) {
        match verdict {
            Some(Verdict::Slow | Verdict::Gone) => {}
            Some(Verdict::Well(_) | Verdict::Refused) => {
                self.0.remove(key);
                return;
            }
            None => return,
        }
        if self.0.len() >= PARTS_MAX {
            self.0.clear();
        }
        let part = self.0.entry(key.to_owned()).or_insert(Part {
            failures: 0,
            spared_until: None,
        });
        part.failures += 1;
        if part.failures >= PART_FAILURES_MAX {
            part.spared_until = Some(Instant::now() + Duration::from_millis(PART_SPARED_MS));
        }
    }
}
