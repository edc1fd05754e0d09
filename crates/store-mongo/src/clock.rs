//! The time that all instances share: this machine's clock, corrected by MongoDB's.
//!
//! Leases and deadlines are compared by whichever instance looks, so an instance whose clock is a
//! minute off must not act on it. MongoDB's primary is one clock for all; how far this machine is from
//! it is measured every half minute, and half a round trip is the error that remains.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use mcpanel_domain::Timestamp;
use mongodb::{Database, bson::doc};

use crate::settings;

/// Measurements of which the median counts: one slow answer does not move the clock.
const SAMPLES: usize = 5;

/// A difference below this is within what a round trip can hide, in milliseconds: the clock stays.
const NOISE_MS: i64 = 20;

/// The time of an instance.
pub struct Clock {
    given: Option<settings::Clock>,
    offset_ms: AtomicI64,
}

impl Clock {
    /// A clock; `given` takes the place of the machine's, and is never corrected.
    pub fn new(given: Option<settings::Clock>) -> Self {
        Self {
            given,
            offset_ms: AtomicI64::new(0),
        }
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        match &self.given {
            Some(given) => given(),
            None => Timestamp::from_ms(machine_ms() + self.offset_ms.load(Ordering::Relaxed)),
        }
    }

    /// How far this machine's clock is behind MongoDB's, in milliseconds.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Measures again. Without an answer the clock stays as it is.
    pub async fn synchronise(&self, db: &Database) {
        if self.given.is_some() {
            return;
        }
        let mut offsets = Vec::with_capacity(SAMPLES);
        for _ in 0..SAMPLES {
            let (before, began) = (machine_ms(), Instant::now());
            let Ok(hello) = db.run_command(doc! { "hello": 1 }).await else {
                return;
            };
            let trip_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
            if let Ok(theirs) = hello.get_datetime("localTime") {
                offsets.push(theirs.timestamp_millis() - (before + trip_ms / 2));
            }
        }
        offsets.sort_unstable();
        let Some(median) = offsets.get(offsets.len() / 2) else {
            return;
        };
        if (median - self.offset_ms()).abs() > NOISE_MS {
            tracing::warn!(
                clock.offset_ms = median,
                "this machine's clock differs from MongoDB's; it is corrected by this"
            );
            self.offset_ms.store(*median, Ordering::Relaxed);
        }
    }
}

fn machine_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
