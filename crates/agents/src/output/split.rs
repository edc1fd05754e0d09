//! Which split a record belongs to.

use sha2::{Digest, Sha256};

use crate::{
    parameters::{Parameters, bad},
    stage::StageError,
};

/// The splits, in order.
pub const NAMES: [&str; 3] = ["train", "validation", "test"];

/// Share of the questions in `validation` and in `test` unless parameters say otherwise.
pub const SHARE: f64 = 0.1;

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
            return Err(bad("test_share", "`validation_share` and `test_share` are more than 1 together"));
        }
        Ok(splitter)
    }

    /// The number of the split in [`NAMES`].
    pub fn index(&self, group: &str) -> usize {
        let mut hasher = Sha256::new();
        hasher.update(self.seed.to_le_bytes());
        hasher.update(group.as_bytes());
        let digest = hasher.finalize();
        let mut head = [0; 8];
        head.copy_from_slice(&digest[..8]);
        // The upper 53 bits are exact as a floating-point number in 0..1.
        let point = (u64::from_be_bytes(head) >> 11) as f64 / (1u64 << 53) as f64;
        let train = 1.0 - self.validation_share - self.test_share;
        match point {
            point if point < train => 0,
            point if point < train + self.validation_share => 1,
            _ if self.test_share > 0.0 => 2,
            // Rounding at the very end: without a test split nothing belongs there.
            _ if self.validation_share > 0.0 => 1,
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

    #[test]
    fn shares_are_kept_and_the_seed_decides() {
        let (one, two) = (splitter(json!({"seed": 1})), splitter(json!({"seed": 2})));
        let mut counts = [0; 3];
        let mut moved = 0;
        for number in 0..10_000 {
            let group = format!("grp_{number}");
            counts[one.index(&group)] += 1;
            moved += u32::from(one.index(&group) != two.index(&group));
            assert_eq!(one.index(&group), one.index(&group));
        }
        assert!((7_800..8_200).contains(&counts[0]), "{counts:?}");
        assert!((880..1_120).contains(&counts[1]) && (880..1_120).contains(&counts[2]), "{counts:?}");
        assert!(moved > 2_000);
    }

    #[test]
    fn a_share_of_nothing_gets_nothing_and_too_much_is_refused() {
        let only_train = splitter(json!({"validation_share": 0, "test_share": 0}));
        assert!((0..1000).all(|number| only_train.index(&number.to_string()) == 0));
        let error = Splitter::from_parameters(Parameters(&json!({"validation_share": 0.7, "test_share": 0.7})));
        assert!(error.is_err());
    }
}
