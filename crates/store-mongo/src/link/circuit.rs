//! When calls are made and when they are spared.

use std::time::Duration;

use super::LinkHealth;

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

    pub(super) fn health(&self, up: bool) -> LinkHealth {
        LinkHealth { up, ..self.figures }
    }
}
