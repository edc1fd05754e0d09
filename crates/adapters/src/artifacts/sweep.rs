//! What both places have in common when they remove what a crash left.

use std::time::Duration;

/// How long a file is left alone after its last byte. What is known about it is recorded
/// moments after, so an hour forgives any pause of the process or step of the clock that is likely.
pub const ORPHAN_AGE: Duration = Duration::from_secs(3_600);

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files that were looked at.
    pub looked_at: u64,
    /// Files that were removed.
    pub removed: u64,
}
