//! What the store's threads share.

use std::{
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use mcpanel_domain::Timestamp;
use mcpanel_store::Error;
use parking_lot::{Condvar, Mutex, RwLock};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::watch,
};

use crate::{
    options::Options,
    state::State,
    tables::{Namespaces, Pool},
    writer::Queue,
};

/// The middle of the store: memory, and the ways to its threads.
pub struct Shared {
    pub dir: PathBuf,
    pub options: Options,
    pub state: Mutex<State>,
    /// The settler tells here that it is done, or that it failed.
    pub settle_changed: Condvar,
    /// Why the settler cannot write, while it cannot.
    pub settle_failure: Mutex<Option<String>>,
    /// Held by lists, so that nothing leaves memory between their look at memory and at the tables.
    pub list_gate: RwLock<()>,
    pub queue: Queue,
    pub pool: Pool,
    pub namespaces: Arc<Namespaces>,
    pub last_seq: watch::Sender<u64>,
    /// Why no writes are taken, while none are.
    pub read_only: Mutex<Option<String>>,
    /// Which thread ended by itself: nothing is written any more before the next start.
    pub ended: OnceLock<String>,
    /// Where callers run, if it is a runtime of several threads: one that runs whether or not anybody
    /// waits for it.
    pub runtime: OnceLock<Handle>,
    pub flushes: AtomicU64,
    pub commits: AtomicU64,
}

impl Shared {
    /// What time it is.
    pub fn now(&self) -> Timestamp {
        (self.options.clock)()
    }

    /// Remembers where callers run.
    pub fn learn_runtime(&self) {
        if self.runtime.get().is_none()
            && let Ok(handle) = Handle::try_current()
            && handle.runtime_flavor() == RuntimeFlavor::MultiThread
        {
            // Another caller may have been first.
            let _ = self.runtime.set(handle);
        }
    }

    /// Says that no writes are taken, and why.
    pub fn close_for_writes(&self, reason: &str) -> Error {
        let mut read_only = self.read_only.lock();
        if read_only.as_deref() != Some(reason) {
            tracing::error!(reason, "the store takes no writes");
            *read_only = Some(reason.to_owned());
        }
        Error::ReadOnly {
            reason: reason.to_owned(),
        }
    }

    /// Says that nothing is written any more before the next start, and why.
    pub fn end(&self, reason: &str) {
        if self.ended.set(reason.to_owned()).is_ok() {
            tracing::error!(
                reason,
                "the store takes no writes until it is started again"
            );
        }
    }

    /// Why no writes are taken, while none are.
    pub fn why_read_only(&self) -> Option<String> {
        let ended = self.ended.get().cloned();
        ended.or_else(|| self.read_only.lock().clone())
    }

    /// Says that writes are taken again.
    pub fn open_for_writes(&self) {
        let mut read_only = self.read_only.lock();
        if read_only.take().is_some() {
            tracing::info!("the store takes writes again");
        }
    }

    /// Counts a flush of so many commits.
    pub fn count(&self, commits: usize) {
        self.flushes.fetch_add(1, Ordering::Relaxed);
        self.commits.fetch_add(commits as u64, Ordering::Relaxed);
    }
}
