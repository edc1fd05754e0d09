//! The real clock and the operating system's randomness.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

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

/// The world outside, with the clock that all instances of a shared store agree on.
pub struct SharedEnv {
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl SharedEnv {
    /// With this clock.
    pub fn new(clock: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self { clock }
    }
}

impl Env for SharedEnv {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn random(&self) -> u128 {
        SystemEnv.random()
    }
}
