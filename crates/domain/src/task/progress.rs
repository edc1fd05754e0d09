//! How far a task is. It never goes back, unless somebody asks for another run of a task that has ended and is no
//! stage's.

use serde::{Deserialize, Serialize};

use crate::Name;

/// How far a task is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Per cent, 0 to 100; never falls while the task has not ended, not even when another attempt begins anew.
    pub percent: f64,
    /// The agent's words.
    pub message: Option<String>,
    /// The agent's counters, such as `records`; at most [`COUNTERS_MAX`].
    pub counters: Vec<(Name, u64)>,
}

/// Counters that one report may carry: a handful is all that a person reads.
pub const COUNTERS_MAX: usize = 16;

impl Progress {
    /// Takes a newer report, keeping the higher percentage.
    pub fn advance(&mut self, report: &Self) {
        self.percent = self.percent.max(report.percent.clamp(0.0, 100.0));
        if report.message.is_some() {
            self.message.clone_from(&report.message);
        }
        if !report.counters.is_empty() {
            self.counters.clone_from(&report.counters);
        }
    }
}
