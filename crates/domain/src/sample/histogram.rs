//! How long things took, as counts of durations that are about equal: small, exact to add up, and good for
//! percentiles to within an eighth.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Buckets of each doubling, as a power of two: four, so that a bucket is at most a quarter wide and its
/// middle at most an eighth away.
const STEPS_BITS: u32 = 2;

/// Counts of durations, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// Bucket → count; only those that have some.
    buckets: BTreeMap<u16, u64>,
}

impl Histogram {
    /// Counts a duration.
    pub fn record(&mut self, ms: u64) {
        *self.buckets.entry(bucket(ms)).or_insert(0) += 1;
    }

    /// Adds another's counts.
    pub fn absorb(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_insert(0) += count;
        }
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.buckets.values().sum()
    }

    /// The duration that so many per cent of the counted ones do not exceed, in milliseconds; none when nothing
    /// was counted.
    pub fn percentile(&self, per_cent: u32) -> Option<u64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = (count * u64::from(per_cent.min(100))).div_ceil(100).max(1);
        let mut seen = 0;
        self.buckets
            .iter()
            .find(|(_, count)| {
                seen += **count;
                seen >= rank
            })
            .map(|(bucket, _)| middle(*bucket))
    }

    /// The counts by bucket, for stores that keep them apart.
    pub fn buckets(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        self.buckets.iter().map(|(bucket, count)| (*bucket, *count))
    }

    /// From counts by bucket.
    pub fn from_buckets(buckets: impl IntoIterator<Item = (u16, u64)>) -> Self {
        let mut all = Self::default();
        for (bucket, count) in buckets {
            *all.buckets.entry(bucket).or_insert(0) += count;
        }
        all
    }
}

/// Durations below the number of steps have a bucket each; above, each doubling has as many as there are steps.
fn bucket(ms: u64) -> u16 {
    let steps = 1_u64 << STEPS_BITS;
    if ms < steps {
        return ms as u16;
    }
    let octave = ms.ilog2();
    let step = (ms >> (octave - STEPS_BITS)) & (steps - 1);
    (((octave - STEPS_BITS + 1) << STEPS_BITS) as u64 + step) as u16
}

fn middle(bucket: u16) -> u64 {
    let steps = 1_u64 << STEPS_BITS;
    let bucket = u64::from(bucket);
    if bucket < steps {
        return bucket;
    }
    // Whatever is stored, the shift stays below 64.
    let doublings = ((bucket >> STEPS_BITS) - 1).min(61) as u32;
    let low = (steps + (bucket & (steps - 1))) << doublings;
    low + ((1_u64 << doublings) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_an_eighth() {
        for ms in (0..5_000).chain([60_000, 86_400_000, u64::MAX >> 3]) {
            let mut one = Histogram::default();
            one.record(ms);
            let shown = one.percentile(50).unwrap();
            assert!(shown.abs_diff(ms) <= ms / 8, "{ms} is shown as {shown}");
        }
    }

    #[test]
    fn buckets_follow_the_order_of_durations() {
        let mut last = 0;
        for ms in 0..100_000 {
            assert!(bucket(ms) >= last);
            last = bucket(ms);
        }
    }

    #[test]
    fn any_stored_bucket_can_be_shown() {
        for bucket in 0..=u16::MAX {
            middle(bucket);
        }
    }

    #[test]
    fn percentiles_of_many() {
        let mut all = Histogram::default();
        assert_eq!(all.percentile(50), None);
        for ms in 1..=100 {
            all.record(ms * 10);
        }
        let near = |per_cent, expected: u64| {
            let shown = all.percentile(per_cent).unwrap();
            assert!(shown.abs_diff(expected) <= expected / 8, "{shown}");
        };
        near(50, 500);
        near(95, 950);
        near(100, 1_000);
        near(0, 10);
    }

    #[test]
    fn adding_up_is_counting_together() {
        let (mut one, mut other, mut both) = Default::default();
        for ms in [1, 5, 900, 70_000] {
            Histogram::record(&mut one, ms);
            Histogram::record(&mut both, ms);
        }
        for ms in [2, 5, 1_000_000] {
            Histogram::record(&mut other, ms);
            Histogram::record(&mut both, ms);
        }
        one.absorb(&other);
        assert_eq!(one, both);
        assert_eq!(Histogram::from_buckets(both.buckets()), both);
    }
}
