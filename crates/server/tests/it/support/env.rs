//! A clock that stands still until it is moved, and random numbers that are the same in every run.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use mcpanel_control::Env;
use mcpanel_domain::Timestamp;

/// The world outside, as tests make it.
pub struct TestEnv {
    now_ms: AtomicI64,
    drawn: AtomicU64,
}

impl TestEnv {
    /// On 2 January 2026.
    pub fn new() -> Self {
        Self {
            now_ms: AtomicI64::new(1_767_323_045_678),
            drawn: AtomicU64::new(0),
        }
    }

    /// The time now.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_ms(self.now_ms.load(Ordering::SeqCst))
    }

    /// Lets time pass.
    pub fn advance(&self, ms: u64) {
        self.now_ms.fetch_add(ms as i64, Ordering::SeqCst);
    }
}

impl Env for TestEnv {
    fn now(&self) -> Timestamp {
        self.time()
    }

    fn random(&self) -> u128 {
        let draw = self.drawn.fetch_add(1, Ordering::SeqCst);
        let half = |salt: u64| u128::from(mixed(draw.wrapping_mul(2).wrapping_add(salt)));
        half(0) << 64 | half(1)
    }
}

/// SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>): neighbouring numbers become unlike ones.
fn mixed(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
