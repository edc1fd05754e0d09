//! Which instances are there.
//!
//! An instance that goes without a word may have had changes durable in MongoDB that it had not told the queue of: a
//! task that is ready, and that nobody finds. A sweep of everything finds it, and happens every few minutes anyway; so
//! that nobody waits for that, whoever notices first that an instance is gone sweeps at once.
//!
//! Each instance keeps a key alive that expires by Redis's own clock, and looks at a few of the others' at random: with
//! three instances at all of them, with a thousand at so many that each is still looked at many times a second.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use super::Shared;
use crate::Away;

/// How often an instance shows itself, in milliseconds.
const SHOW_MS: u64 = 1_000;

/// How long it is believed to be there after that, in milliseconds: a busy machine may keep it from a few.
const PRESENT_MS: u64 = 5_000;

/// How many others it looks at each time.
const LOOK_AT: usize = 20;

/// How many are told of to whoever asks: what a person reads.
const TOLD_MAX: usize = 50;

/// An instance that shares the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// What it calls itself: sixteen hex digits, new with each start.
    pub name: String,
    /// Whether it is the one that was asked.
    pub is_me: bool,
    /// How long ago it showed itself, in milliseconds; none for longer than it is believed to be there.
    pub shown_ms: Option<u64>,
}

/// The instances that share the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peers {
    /// By name; of more than fifty, some.
    pub told: Vec<Peer>,
    /// How many there are.
    pub all: u64,
}

/// Shows itself and looks at others, for as long as there is an instance. In a task of its own: what else is done in the
/// background may take longer than others would wait.
pub(super) async fn meet(shared: Weak<Shared>) {
    loop {
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if let Ok(true) = shared.look_at_peers().await {
            tracing::info!("an instance is gone; looking for what it may not have told");
            shared.peer_lost.store(true, Ordering::Relaxed);
            shared.nudge.notify_one();
        }
        drop(shared);
        tokio::time::sleep(Duration::from_millis(SHOW_MS)).await;
    }
}

impl Shared {
    /// Shows itself; tells whether another instance is gone and nobody else has noticed yet.
    pub(super) async fn look_at_peers(self: &Arc<Self>) -> Result<bool, Away> {
        let all = self.keys.instances();
        let own = self.keys.instance(&self.who);
        let who = self.who.clone();
        let others: Vec<String> = self
            .link
            .call(|mut connection| async move {
                redis::cmd("SET")
                    .arg(&own)
                    .arg(1)
                    .arg("PX")
                    .arg(PRESENT_MS)
                    .query_async::<()>(&mut connection)
                    .await?;
                redis::cmd("SADD")
                    .arg(&all)
                    .arg(&who)
                    .query_async::<()>(&mut connection)
                    .await?;
                redis::cmd("SRANDMEMBER")
                    .arg(&all)
                    .arg(LOOK_AT)
                    .query_async(&mut connection)
                    .await
            })
            .await?;
        let mut lost = false;
        for other in self.absent(others).await? {
            lost |= self.strike_out(&other).await?;
        }
        Ok(lost)
    }

    /// The instances there are, this one among them.
    pub async fn peers(&self) -> Result<Peers, Away> {
        let set = self.keys.instances();
        let (all, mut names): (u64, Vec<String>) = self
            .link
            .call(|mut connection| async move {
                redis::pipe()
                    .cmd("SCARD")
                    .arg(&set)
                    .cmd("SRANDMEMBER")
                    .arg(&set)
                    .arg(TOLD_MAX)
                    .query_async(&mut connection)
                    .await
            })
            .await?;
        if names.is_empty() {
            return Ok(Peers::default());
        }
        names.sort();
        let keys: Vec<String> = names.iter().map(|name| self.keys.instance(name)).collect();
        let left: Vec<i64> = self
            .link
            .call(|mut connection| async move {
                let mut pipe = redis::pipe();
                for key in &keys {
                    pipe.cmd("PTTL").arg(key);
                }
                pipe.query_async(&mut connection).await
            })
            .await?;
        let told = names.into_iter().zip(left).map(|(name, left)| Peer {
            is_me: name == self.who,
            name,
            // Below zero where the key is gone.
            shown_ms: u64::try_from(left)
                .ok()
                .map(|left| PRESENT_MS.saturating_sub(left)),
        });
        Ok(Peers {
            told: told.collect(),
            all,
        })
    }

    /// Those of these whose key has expired.
    async fn absent(&self, mut others: Vec<String>) -> Result<Vec<String>, Away> {
        others.retain(|other| *other != self.who);
        if others.is_empty() {
            return Ok(others);
        }
        let keys: Vec<String> = others
            .iter()
            .map(|other| self.keys.instance(other))
            .collect();
        let found: Vec<Option<u8>> = self
            .link
            .call(|mut connection| async move {
                redis::cmd("MGET")
                    .arg(keys)
                    .query_async(&mut connection)
                    .await
            })
            .await?;
        let both = others.into_iter().zip(found);
        Ok(both
            .filter(|(_, found)| found.is_none())
            .map(|(other, _)| other)
            .collect())
    }

    /// Takes an instance off the list; tells whether it was on it.
    async fn strike_out(&self, who: &str) -> Result<bool, Away> {
        let (all, who) = (self.keys.instances(), who.to_owned());
        let removed: u64 = self
            .link
            .call(|mut connection| async move {
                redis::cmd("SREM")
                    .arg(all)
                    .arg(who)
                    .query_async(&mut connection)
                    .await
            })
            .await?;
        Ok(removed == 1)
    }

    /// Says that it goes on purpose, with nothing left to tell.
    pub(super) async fn say_farewell(&self) {
        // Otherwise the others sweep for nothing.
        let _ = self.strike_out(&self.who.clone()).await;
    }
}
