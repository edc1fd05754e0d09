//! Rate limits that all instances count together.
//!
//! A bucket holds so many tokens and is filled at a steady pace; each call takes some. The bucket is one key in
//! Redis with Redis' own clock, so that instances agree. When Redis is away each instance counts for itself: the limit is
//! then as many times larger as there are instances, which is better than none and better than refusing everybody.

mod local;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use crate::{
    keys::Keys,
    link::{Link, Script},
};
use local::Local;

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Tokens that a bucket holds: how many calls may come at once.
    pub burst: u32,
    /// Tokens that come back in a second, at least 1.
    pub per_second: u32,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Whether it may go on.
    pub allowed: bool,
    /// Tokens left.
    pub left: u32,
    /// How long until as many tokens are there as were asked for; zero when it was allowed.
    pub retry_after: Duration,
}

/// The buckets.
pub struct Rates {
    /// None where there is no Redis.
    link: Option<Arc<Link>>,
    keys: Keys,
    script: Script,
    local: Local,
}

impl Rates {
    /// Buckets in the Redis behind a link.
    pub(crate) fn new(link: Arc<Link>, keys: Keys) -> Self {
        Self::over(Some(link), keys)
    }

    /// Buckets of this process alone.
    pub fn alone() -> Self {
        Self::over(None, Keys::default())
    }

    fn over(link: Option<Arc<Link>>, keys: Keys) -> Self {
        Self {
            link,
            keys,
            script: Script::of(&[include_str!("take.lua")]),
            local: Local::default(),
        }
    }

    /// Takes `tokens` from a bucket, named by whom it limits and what: `key_1:read`.
    pub async fn take(&self, bucket: &str, limit: Limit, tokens: u32) -> Allowance {
        let Some(link) = &self.link else {
            return self.local.take(bucket, limit, tokens);
        };
        let arguments = [
            limit.burst.to_string(),
            limit.per_second.max(1).to_string(),
            tokens.to_string(),
        ];
        let key = self.keys.rate(bucket);
        let taken: Result<(i64, u32, u64), _> = self.script.run(link, &key, &arguments).await;
        match taken {
            Ok((allowed, left, wait_ms)) => Allowance {
                allowed: allowed == 1,
                left,
                retry_after: Duration::from_millis(wait_ms),
            },
            Err(_) => self.local.take(bucket, limit, tokens),
        }
    }
}
