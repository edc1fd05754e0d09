//! The all-or-nothing commit, merged across callers.
//!
//! Callers queue ([`queue`]); a few [`lanes`](lane) each take what can go together, look what is there
//! ([`present`]), turn it into one transaction ([`group`], [`statements`]) and answer ([`finish`]). What follows from a change - who waits for what ([`waits`]), how
//! many tasks stand where ([`counts`]) - is part of the same transaction. Events get their numbers a moment
//! later, from the [sequencer](crate::sequence).

mod counts;
mod failure;
mod finish;
mod group;
mod heads;
mod lane;
mod large;
mod merge;
mod present;
mod queue;
mod statements;
mod task;
mod txn;
pub mod unused;
mod waits;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mcpanel_store::{Commit, Error, Receipt, Result};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

pub use failure::Failed;
pub use heads::Heads;
pub use lane::run;
pub use txn::Txn;
pub use waits::without;

use crate::{follow::Followers, mongo::Mongo, sequence::Sequencer};
use queue::{Job, Waiting};

/// Where commits are handed in.
pub struct Committer {
    mongo: Mongo,
    waiting: Mutex<Waiting>,
    /// Rings when something waits, or when documents became free.
    bell: Notify,
    heads: Heads,
    sequencer: Arc<Sequencer>,
    followers: Arc<Followers>,
    /// Transactions and commits in them, so far.
    transactions: AtomicU64,
    commits: AtomicU64,
    retries: AtomicU64,
}

/// How well commits are merged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Transactions that became durable.
    pub transactions: u64,
    /// Commits in them.
    pub commits: u64,
    /// Transactions that met another and were tried again.
    pub retries: u64,
}

impl Committer {
    /// Nothing waits yet.
    pub fn new(mongo: Mongo, sequencer: Arc<Sequencer>, followers: Arc<Followers>) -> Self {
        Self {
            mongo,
            waiting: Mutex::new(Waiting::default()),
            bell: Notify::new(),
            heads: Heads::new(),
            sequencer,
            followers,
            transactions: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            retries: AtomicU64::new(0),
        }
    }

    /// Writes a commit; answers when it is durable and its events have their numbers.
    pub async fn commit(&self, commit: Commit) -> Result<Receipt> {
        if commit.is_empty() {
            return Ok(Receipt {
                last_seq: self.sequencer.last(),
            });
        }
        let targets = commit.targets()?;
        let (reply, answer) = oneshot::channel();
        self.waiting.lock().push(Job::new(commit, targets, reply))?;
        self.bell.notify_one();
        answer.await.unwrap_or_else(|_| {
            Err(Error::Unknown {
                reason: "its writer ended; reading it again tells".to_owned(),
            })
        })
    }

    /// Documents as they were last seen here.
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// Takes nothing more; what waits is still written.
    pub fn close(&self) {
        self.waiting.lock().close();
        self.bell.notify_waiters();
    }

    /// How well commits are merged.
    pub fn figures(&self) -> Figures {
        Figures {
            transactions: self.transactions.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
        }
    }
}
