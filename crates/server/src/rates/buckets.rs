//! Who has how many calls left.
//!
//! The buckets are shared, and asking for each call would cost each call a way to Redis. So an instance takes some tokens
//! at a time out of a bucket into a [purse](super::purses) of its own, and spends those first. What is in a purse for
//! longer than a second is lost: a caller that changes instances has that many fewer. Small buckets are taken from one by
//! one, so a limit of a few calls is exact. Once a bucket has refused a token, the instance refuses without asking until
//! the next one is there.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use mcpanel_store_mongo::rates::{Allowance, Limit, Rates};

use super::{
    Kind,
    purses::{Next, Purses},
};

/// A portion is this part of a bucket: so few that a caller at its limit is not refused much too early.
const PORTIONS: u32 = 100;

pub(super) struct Buckets {
    rates: Rates,
    purses: Purses,
    refused: [AtomicU64; 4],
}

impl Buckets {
    pub(super) fn new(rates: Rates) -> Self {
        Self {
            rates,
            purses: Purses::default(),
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
        let ask_portion = match self.purses.next(&bucket, Instant::now()) {
            Next::Answer(allowance) => return allowance,
            Next::AskPortion => portion > 1,
            Next::AskOne => false,
        };
        if ask_portion {
            let filled = self.rates.take(&bucket, limit, portion).await;
            let now = Instant::now();
            if filled.allowed {
                return self.purses.fill(bucket, filled, portion - 1, now);
            }
            self.purses.no_portion(&bucket, filled.retry_after, now);
        }
        let taken = self.rates.take(&bucket, limit, 1).await;
        if !taken.allowed {
            let now = Instant::now();
            self.purses.no_token(&bucket, taken.retry_after, now);
        }
        taken
    }

    pub(super) fn refused(&self) -> Vec<(Kind, u64)> {
        let count = |kind: Kind| self.refused[kind as usize].load(Ordering::Relaxed);
        Kind::ALL
            .into_iter()
            .map(|kind| (kind, count(kind)))
            .collect()
    }
}
