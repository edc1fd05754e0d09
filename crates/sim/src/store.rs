//! The in-memory store, made to interleave, to refuse, to crash at its commit points, and, where a
//! run asks for it, to break a rule.

mod broken;
pub mod distributed;
mod grants;
mod port;
mod queue;
mod timers;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use mcpanel_store::{Commit, Error, Receipt, Result, Store, memory::MemoryStore};
use parking_lot::Mutex;

use crate::{
    executor::yield_now,
    mutation::Mutation,
    shared::{self, Shared},
};
use distributed::Instance;

/// The store of one life of a server.
pub struct SimStore {
    inner: Arc<MemoryStore>,
    shared: Arc<Shared>,
    /// What a crash would leave, where a mutation makes that differ from what is in memory.
    flushed: Mutex<Option<MemoryStore>>,
    /// The process is gone; nothing that is still dropped may reach the documents.
    dead: AtomicBool,
    /// Where several servers share the documents: what this one has of its own.
    instance: Option<Instance>,
}

/// What happens at a commit point.
enum Fate {
    Written,
    Refused,
    /// Written or not, and nobody says which.
    Unknown,
    CrashBefore,
    CrashAfter,
}

impl SimStore {
    /// A store over what the former one left.
    pub fn new(inner: MemoryStore, shared: Arc<Shared>) -> Self {
        let flushed = shared
            .breaks(Mutation::AckBeforeFlush)
            .then(|| inner.restarted());
        Self {
            inner: Arc::new(inner),
            shared,
            flushed: Mutex::new(flushed),
            dead: AtomicBool::new(false),
            instance: None,
        }
    }

    /// The store as one of several servers sees it.
    pub fn shared_by(inner: Arc<MemoryStore>, shared: Arc<Shared>, instance: Instance) -> Self {
        Self {
            inner,
            shared,
            flushed: Mutex::default(),
            dead: AtomicBool::new(false),
            instance: Some(instance),
        }
    }

    /// Ends the process, which shares its documents with others.
    pub fn kill(&self) {
        self.dead.store(true, Ordering::Relaxed);
    }

    /// Ends the process; answers what the next one finds.
    pub fn crashed(&self) -> MemoryStore {
        self.dead.store(true, Ordering::Relaxed);
        match &*self.flushed.lock() {
            Some(flushed) => flushed.restarted(),
            None => self.inner.restarted(),
        }
    }

    /// The documents, for the observer: without interleaving.
    pub fn documents(&self) -> &MemoryStore {
        &self.inner
    }

    async fn interleave(&self) {
        if let Some(instance) = &self.instance {
            self.settle_late(instance);
        }
        let per_cent = self.shared.faults.lock().interleave;
        if self.shared.random.lock().chance(per_cent) {
            yield_now().await;
        }
    }

    fn fate(&self) -> Fate {
        let faults = *self.shared.faults.lock();
        let draw = self.shared.random.lock().within(0..=999);
        if draw < faults.crash_before {
            Fate::CrashBefore
        } else if draw < faults.crash_before + faults.crash_after {
            Fate::CrashAfter
        } else if draw < faults.crash_before + faults.crash_after + faults.refuse {
            Fate::Refused
        } else if self.instance.is_none() && 1_000 - draw <= faults.unknown {
            Fate::Unknown
        } else {
            Fate::Written
        }
    }

    /// The process ends here: the executor drops this future before it could go on.
    async fn crash(&self, when: &str) {
        self.shared.trace(|| format!("the server crashes {when}"));
        *self.shared.crash.lock() = Some(self.instance.as_ref().map_or(0, |own| own.number));
        std::future::pending::<()>().await;
    }

    /// What the caller hears of a commit that may have been written.
    fn unheard(&self) -> Result<Receipt> {
        self.shared
            .trace(|| "nobody says whether it was written".to_owned());
        match self.shared.breaks(Mutation::AckUnknown) {
            true => Ok(Receipt { last_seq: 0 }),
            false => Err(Error::Unknown {
                reason: "the simulation says so".to_owned(),
            }),
        }
    }

    async fn write(&self, commit: Commit) -> Result<Receipt> {
        let operation = self.shared.current.lock().clone();
        self.write_as(commit, operation).await
    }

    async fn write_as(
        &self,
        commit: Commit,
        operation: Option<Arc<shared::Operation>>,
    ) -> Result<Receipt> {
        let written = self.inner.commit(commit.clone()).await;
        match &written {
            Ok(receipt) => {
                self.shared.trace(|| crate::observer::describe(&commit));
                if let Some(instance) = &self.instance {
                    self.forget_written(instance, &commit);
                    self.tell_queue(instance, &commit);
                }
                self.shared.observer.lock().committed(
                    commit,
                    *receipt,
                    operation.as_deref(),
                    &self.shared.clock,
                );
            }
            Err(error) => {
                self.shared.trace(|| format!("not written: {error}"));
            }
        }
        written
    }
}
