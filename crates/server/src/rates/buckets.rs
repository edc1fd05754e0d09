//! Who has how many calls left.
//!
//! The buckets are shared, and asking for each call would cost each call a way to Redis. So an instance takes some tokens
//! at a time out of a bucket into a purse of its own, and spends those first. What is in a purse for longer than a second
//! is lost: a caller that changes instances has that many fewer. Small buckets are taken from one by one, so a limit of a
//! few calls is exact.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use mcpanel_store_mongo::rates::{Allowance, Limit, Rates};
use parking_lot::Mutex;

use super::Kind;

/// A portion is this part of a bucket: so few that a caller at its limit is not refused much too early.
const PORTIONS: u32 = 100;

/// How long a purse keeps what it holds. Within a second a bucket gets back as much as its rate.
const PURSE_KEPT: Duration = Duration::from_secs(1);

/// Purses at once. With more, those whose time is over go.
const PURSES_MAX: usize = 10_000;

pub(super) struct Buckets {
    rates: Rates,
    purses: Mutex<HashMap<String, Purse>>,
    refused: [AtomicU64; 4],
}

struct Purse {
    tokens: u32,
    /// What was left in the bucket when it was filled.
    left: u32,
    until: Instant,
}

impl Buckets {
    pub(super) fn new(rates: Rates) -> Self {
        Self {
            rates,
            purses: Mutex::default(),
            refused: Default::default(),
        }
    }

    /// Takes one token.
    pub(super) async fn take(&self, kind: Kind, whose: &str, limit: Limit) -> Allowance {
        let bucket = format!("{whose}|{}", kind.name());
        let allowance = self.allowance(bucket, limit).await;
        if !allowance.allowed {
            self.refused[kind as usize].fetch_add(1, Ordering::Relaxed);
        }
        allowance
    }

    async fn allowance(&self, bucket: String, limit: Limit) -> Allowance {
        let portion = (limit.burst / PORTIONS).max(1);
        if portion > 1 {
            if let Some(allowance) = self.spend(&bucket) {
                return allowance;
            }
            let filled = self.rates.take(&bucket, limit, portion).await;
            if filled.allowed {
                return self.fill(bucket, filled, portion - 1);
            }
        }
        self.rates.take(&bucket, limit, 1).await
    }

    fn spend(&self, bucket: &str) -> Option<Allowance> {
        let mut purses = self.purses.lock();
        let purse = purses.get_mut(bucket)?;
        if purse.tokens == 0 || purse.until <= Instant::now() {
            purses.remove(bucket);
            return None;
        }
        purse.tokens -= 1;
        Some(Allowance {
            allowed: true,
            left: purse.left + purse.tokens,
            retry_after: Duration::ZERO,
        })
    }

    fn fill(&self, bucket: String, filled: Allowance, tokens: u32) -> Allowance {
        let now = Instant::now();
        let mut purses = self.purses.lock();
        if purses.len() >= PURSES_MAX {
            purses.retain(|_, purse| purse.until > now);
        }
        let mut held = tokens;
        // Beyond that nothing is kept, which costs ways to Redis and no call.
        if purses.len() < PURSES_MAX || purses.contains_key(&bucket) {
            let purse = purses.entry(bucket).or_insert(Purse {
                tokens: 0,
                left: 0,
                until: now,
            });
            // Another call may have filled it meanwhile.
            purse.tokens = purse.tokens.saturating_add(tokens);
            purse.left = filled.left;
            purse.until = now + PURSE_KEPT;
            held = purse.tokens;
        }
        Allowance {
            left: filled.left + held,
            ..filled
        }
    }

    pub(super) fn refused(&self) -> Vec<(Kind, u64)> {
        let count = |kind: Kind| self.refused[kind as usize].load(Ordering::Relaxed);
        Kind::ALL
            .into_iter()
            .map(|kind| (kind, count(kind)))
            .collect()
    }
}
