//! The real clock and the operating system's randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use mcpanel_control::Env;
use mcpanel_domain::Timestamp;

/// The world outside, as a server sees it.
pub struct SystemEnv;

impl SystemEnv {
    /// The present time.
    pub fn now() -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Env for SystemEnv {
    fn now(&self) -> Timestamp {
        Self::now()
    }

    fn random(&self) -> u128 {
        // Thread-local ChaCha, seeded and reseeded by the operating system: unpredictable, without a
        // system call for each lease.
        rand::random()
    }
}
