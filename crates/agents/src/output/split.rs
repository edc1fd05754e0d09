//! Which split a record belongs to.
//!
//! Seed and group give a point on a line, and two cuts divide the line. In a large dataset the cuts stand at
//! the shares themselves, so that a question keeps its split when the dataset grows. In a small one chance
//! would leave a split empty too often; there the cuts are moved to where the shares are right.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::{
    parameters::{Parameters, bad},
    stage::StageError,
};

/// The splits, in order.
pub const NAMES: [&str; 3] = ["train", "validation", "test"];

/// Share of the questions in `validation` and in `test` unless parameters say otherwise.
pub const SHARE: f64 = 0.1;

/// Questions up to which a dataset is small. With 1,000, a tenth is off by more than a third of itself less
/// than once in a thousand seeds.
pub const SMALL_GROUPS: usize = 1000;

/// Points lie in `0..LINE`: 53 bits, so that they are exact as floating-point numbers.
const LINE: u64 = 1 << 53;

/// Decides by the seed and the group alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Splitter {
    /// The seed.
    pub seed: u64,
    /// Share of `validation`.
    pub validation_share: f64,
    /// Share of `test`.
    pub test_share: f64,
}

impl Splitter {
    /// Reads `seed`, `validation_share`, `test_share`.
    pub fn from_parameters(parameters: Parameters<'_>) -> Result<Self, StageError> {
        let splitter = Self {
            seed: parameters.count("seed", 0, 0, u64::MAX)?,
            validation_share: parameters.number("validation_share", SHARE, 0.0, 1.0)?,
            test_share: parameters.number("test_share", SHARE, 0.0, 1.0)?,
        };
        if splitter.validation_share + splitter.test_share > 1.0 {
            return Err(bad(
                "test_share",
                "`validation_share` and `test_share` are more than 1 together",
            ));
        }
        Ok(splitter)
    }

    /// Where on the line a group lies.
    pub fn point(&self, group: &str) -> u64 {
        let mut hasher = Sha256::new();
        hasher.update(self.seed.to_le_bytes());
        hasher.update(group.as_bytes());
        let digest = hasher.finalize();
        let mut head = [0; 8];
        head.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(head) >> 11
    }

    /// The cuts for a dataset whose groups lie at these points (at most [`SMALL_GROUPS`] and one are looked at).
    pub fn cuts(&self, points: &BTreeSet<u64>) -> Cuts {
        let train = 1.0 - self.validation_share - self.test_share;
        if points.len() > SMALL_GROUPS {
            let at = |share: f64| (share * LINE as f64) as u64;
            return Cuts {
                validation: at(train),
                test: if self.test_share > 0.0 {
                    at(train + self.validation_share)
                } else {
                    LINE
                },
            };
        }
        let wanted = |share: f64| {
            let exact = (share * points.len() as f64).round() as usize;
            // A split that is asked for is not left empty while there is enough for all three.
            if share > 0.0 && points.len() >= NAMES.len() {
                exact.max(1)
            } else {
                exact
            }
        };
        let test = wanted(self.test_share).min(points.len());
        let validation = wanted(self.validation_share).min(points.len() - test);
        let at = |from_end: usize| match points.len() - from_end {
            all if all == points.len() => LINE,
            position => points.iter().nth(position).copied().unwrap_or(LINE),
        };
        Cuts {
            validation: at(validation + test),
            test: at(test),
        }
    }
}

/// Where the splits begin on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cuts {
    validation: u64,
    test: u64,
}

impl Cuts {
    /// The number in [`NAMES`] of the split at a point.
    pub fn split(&self, point: u64) -> usize {
        match point {
            point if point >= self.test => 2,
            point if point >= self.validation => 1,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn splitter(parameters: serde_json::Value) -> Splitter {
        Splitter::from_parameters(Parameters(&parameters)).unwrap()
    }

    /// Records per split of `count` groups with these parameters.
    fn counts(parameters: serde_json::Value, count: usize) -> [usize; 3] {
        let splitter = splitter(parameters);
        let points: Vec<u64> = (0..count)
            .map(|number| splitter.point(&format!("grp_{number}")))
            .collect();
        let cuts = splitter.cuts(&points.iter().copied().collect());
        let mut counts = [0; 3];
        points
            .iter()
            .for_each(|point| counts[cuts.split(*point)] += 1);
        counts
    }

    #[test]
    fn a_large_dataset_is_split_near_the_shares_and_a_small_one_exactly() {
        let large = counts(json!({"seed": 1}), 10_000);
        assert!((7_800..8_200).contains(&large[0]), "{large:?}");
        assert!((880..1_120).contains(&large[1]), "{large:?}");
        for seed in 0..50 {
            assert_eq!(counts(json!({"seed": seed}), 40), [32, 4, 4]);
            assert_eq!(counts(json!({"seed": seed}), 3), [1, 1, 1]);
            assert_eq!(counts(json!({"seed": seed}), 1), [1, 0, 0]);
        }
        assert_eq!(counts(json!({}), 0), [0, 0, 0]);
    }

    #[test]
    fn a_question_keeps_its_split_when_a_large_dataset_grows() {
        let splitter = splitter(json!({"seed": 9}));
        let points = |count: u64| {
            (0..count)
                .map(|number| splitter.point(&number.to_string()))
                .collect()
        };
        assert_eq!(splitter.cuts(&points(1_500)), splitter.cuts(&points(3_000)));
    }

    #[test]
    fn the_seed_decides() {
        let (one, two) = (splitter(json!({"seed": 1})), splitter(json!({"seed": 2})));
        assert_eq!(one.point("grp_1"), one.point("grp_1"));
        assert_ne!(one.point("grp_1"), two.point("grp_1"));
    }

    #[test]
    fn a_share_of_nothing_gets_nothing_and_too_much_is_refused() {
        for count in [5, 5_000] {
            assert_eq!(
                counts(json!({"validation_share": 0, "test_share": 0}), count),
                [count, 0, 0]
            );
            assert_eq!(
                counts(json!({"validation_share": 0, "test_share": 1}), count),
                [0, 0, count]
            );
        }
        let error = Splitter::from_parameters(Parameters(
            &json!({"validation_share": 0.7, "test_share": 0.7}),
        ));
        assert!(error.is_err());
    }
}
