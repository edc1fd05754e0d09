//! Chance, where any will do: which shard, how long a pause.

use std::hash::{BuildHasher, RandomState};

/// A number below `limit`, at random; zero when the limit is.
pub fn below(limit: u32) -> u32 {
    // Each state is seeded anew by the system's randomness.
    let random = RandomState::new().hash_one(std::process::id());
    u32::try_from(random % u64::from(limit.max(1))).unwrap_or(0)
}
