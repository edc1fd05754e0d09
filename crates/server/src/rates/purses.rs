//! What an instance knows of buckets without asking: what it took out of them and has not spent, and when they are empty.
//!
//! A bucket gets tokens back by the clock alone. So once it has refused one, it refuses until the moment that it named, and
//! nobody needs to ask it before; a caller that calls all the same costs a look here.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use mcpanel_store_mongo::rates::Allowance;
use parking_lot::Mutex;

/// How long anything is known. Within a second a bucket gets back as much as its rate.
pub(super) const KEPT: Duration = Duration::from_secs(1);

/// Buckets known at once. With more, those go of which nothing is known any more.
pub(super) const PURSES_MAX: usize = 10_000;

/// What is known of each bucket.
#[derive(Default)]
pub(super) struct Purses(Mutex<HashMap<String, Purse>>);

enum Purse {
    /// Tokens that were taken out of it.
    Holds {
        tokens: u32,
        /// What was left in the bucket then.
        left: u32,
        until: Instant,
    },
    /// It has less than was asked for.
    Low {
        /// No token before that.
        token_at: Instant,
        /// No portion before that.
        portion_at: Instant,
    },
}

/// What is to be done for a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This is its answer.
    Answer(Allowance),
    /// A portion may be there.
    AskPortion,
    /// No portion is there; one token may be.
    AskOne,
}

impl Purses {
    /// What to do for a call, which spends a token where some are held.
    pub(super) fn next(&self, bucket: &str, now: Instant) -> Next {
        let mut purses = self.0.lock();
        match purses.get_mut(bucket) {
            Some(Purse::Holds {
                tokens,
                left,
                until,
            }) if *tokens > 0 && *until > now => {
                *tokens -= 1;
                Next::Answer(Allowance {
                    allowed: true,
                    left: *left + *tokens,
                    retry_after: Duration::ZERO,
                })
            }
            Some(Purse::Low { token_at, .. }) if *token_at > now => Next::Answer(Allowance {
                allowed: false,
                left: 0,
                retry_after: *token_at - now,
            }),
            Some(Purse::Low { portion_at, .. }) if *portion_at > now => Next::AskOne,
            Some(_) => {
                purses.remove(bucket);
                Next::AskPortion
            }
            None => Next::AskPortion,
        }
    }

    /// Keeps what is left of a portion; answers the call that it was taken for.
    pub(super) fn fill(
        &self,
        bucket: String,
        filled: Allowance,
        tokens: u32,
        now: Instant,
    ) -> Allowance {
        let mut purses = self.0.lock();
        // Another call may have filled it meanwhile.
        let held = match purses.get(&bucket) {
            Some(Purse::Holds { tokens: held, .. }) => held.saturating_add(tokens),
            Some(Purse::Low { .. }) | None => tokens,
        };
        let purse = Purse::Holds {
            tokens: held,
            left: filled.left,
            until: now + KEPT,
        };
        keep(&mut purses, bucket, purse, now);
        Allowance {
            left: filled.left + held,
            ..filled
        }
    }

    /// A portion was refused, and is not there for so long.
    pub(super) fn no_portion(&self, bucket: &str, wait: Duration, now: Instant) {
        let portion_at = now + wait.min(KEPT);
        self.low(bucket, now, |_| (now, portion_at));
    }

    /// A token was refused, and is not there for so long.
    pub(super) fn no_token(&self, bucket: &str, wait: Duration, now: Instant) {
        let token_at = now + wait.min(KEPT);
        self.low(bucket, now, |portion_at| {
            (token_at, portion_at.max(token_at))
        });
    }

    fn low(&self, bucket: &str, now: Instant, at: impl Fn(Instant) -> (Instant, Instant)) {
        let mut purses = self.0.lock();
        let portion_at = match purses.get(bucket) {
            // Another call got a portion meanwhile, of which some is left.
            Some(Purse::Holds { tokens, until, .. }) if *tokens > 0 && *until > now => return,
            Some(Purse::Low { portion_at, .. }) => *portion_at,
            Some(Purse::Holds { .. }) | None => now,
        };
        let (token_at, portion_at) = at(portion_at);
        let purse = Purse::Low {
            token_at,
            portion_at,
        };
        keep(&mut purses, bucket.to_owned(), purse, now);
    }
}

/// Without a place nothing is kept, which costs ways to Redis and no call.
fn keep(purses: &mut HashMap<String, Purse>, bucket: String, purse: Purse, now: Instant) {
    if purses.len() >= PURSES_MAX {
        purses.retain(|_, purse| purse.until() > now);
    }
    if purses.len() < PURSES_MAX || purses.contains_key(&bucket) {
        purses.insert(bucket, purse);
    }
}

impl Purse {
    /// Until when it says anything.
    fn until(&self) -> Instant {
        match self {
            Self::Holds { until, .. } => *until,
            Self::Low {
                token_at,
                portion_at,
            } => (*token_at).max(*portion_at),
        }
    }
}
