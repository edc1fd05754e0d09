//! Buckets of this instance alone, while Redis is away.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::{Allowance, Limit};

/// Buckets remembered at once; with more, all begin full again.
const BUCKETS_MAX: usize = 100_000;

#[derive(Default)]
pub(super) struct Local(Mutex<FxHashMap<String, (f64, Instant)>>);

impl Local {
    pub(super) fn take(&self, bucket: &str, limit: Limit, tokens: u32) -> Allowance {
        let (burst, pace) = (f64::from(limit.burst), f64::from(limit.per_second.max(1)));
        let now = Instant::now();
        let mut buckets = self.0.lock();
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(bucket) {
            buckets.clear();
        }
        let (left, at) = buckets.entry(bucket.to_owned()).or_insert((burst, now));
        *left = (*left + now.duration_since(*at).as_secs_f64() * pace).min(burst);
        *at = now;
        let missing = f64::from(tokens) - *left;
        let allowed = missing <= 0.0;
        if allowed {
            *left -= f64::from(tokens);
        }
        Allowance {
            allowed,
            // Cut, not rounded: half a token is none.
            left: *left as u32,
            retry_after: Duration::from_secs_f64(missing.max(0.0) / pace),
        }
    }
}
