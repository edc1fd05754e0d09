//! Samples: how a namespace stood at the end of a minute, and what happened in it. They are what charts over
//! time are drawn from, so that history is in the store and not in somebody's page.
//!
//! A sample is taken once for each minute, by whichever instance is first; a second one of the same minute is
//! refused as a conflict and nothing is lost.

mod activity;
mod histogram;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use activity::{Activity, ERROR_GROUPS_MAX, ErrorGroup, merge_errors};
pub use histogram::Histogram;

use crate::{Namespace, Timestamp};

/// Length of the time that one sample tells of, in milliseconds.
pub const MINUTE_MS: i64 = 60_000;

/// How a namespace stood at the end of a minute, and what happened in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Whose.
    pub namespace: Namespace,
    /// When the minute began: with the namespace, its id.
    pub minute: Timestamp,
    /// Tasks by status, in the order of [`Status::ALL`](crate::task::Status::ALL).
    pub tasks: [u64; 7],
    /// Tasks that could have been given out.
    pub ready: u64,
    /// Agents by status, in the order of [`Status::ALL`](crate::agent::Status::ALL).
    pub agents: [u64; 5],
    /// How long ago the oldest waiting task was created, in milliseconds; none when none waited.
    pub oldest_waiting_ms: Option<u64>,
    /// What happened in the minute.
    pub activity: Activity,
}

/// The minute that a moment lies in, as its beginning.
pub fn minute_of(at: Timestamp) -> Timestamp {
    let ms = at.as_ms();
    Timestamp::from_ms(ms - ms.rem_euclid(MINUTE_MS))
}
