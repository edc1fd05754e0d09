//! The store itself: what it holds, and how a commit gets to the writer.

mod port;

use std::{fs::File, path::Path, sync::Arc, thread::JoinHandle};

use mcpanel_domain::Namespace;
use mcpanel_store::{
    Commit, Error, Receipt, Result,
    query::{Listing, Page},
};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{
    error::OpenError,
    open,
    options::Options,
    read::{lists::Source, off_thread},
    settler,
    shared::Shared,
    tables,
    writer::Job,
};

/// The embedded store.
pub struct EmbeddedStore {
    pub(crate) shared: Arc<Shared>,
    settler: settler::Handle,
    threads: Mutex<Option<Threads>>,
    /// Locked for as long as the store is open.
    _lock: File,
}

/// The store's threads.
pub struct Threads {
    pub writer: JoinHandle<()>,
    pub settler: JoinHandle<()>,
}

impl Threads {
    /// Waits until both have ended; the queue must be closed.
    pub fn join(self, settler: &settler::Handle) {
        let writer = self.writer.join();
        settler.stop();
        if self.settler.join().is_err() || writer.is_err() {
            tracing::error!("a thread of the store ended badly; the log has what was acknowledged");
        }
    }
}

impl EmbeddedStore {
    /// Opens the store in a folder, which is made if it is not there. Reads the disk: call it where a
    /// thread may wait.
    pub fn open(
        dir: impl AsRef<Path>,
        options: Options,
    ) -> std::result::Result<Arc<Self>, OpenError> {
        open::open(dir.as_ref(), options)
    }

    pub(crate) fn new(
        shared: Arc<Shared>,
        settler: settler::Handle,
        threads: Threads,
        lock: File,
    ) -> Self {
        Self {
            shared,
            settler,
            threads: Mutex::new(Some(threads)),
            _lock: lock,
        }
    }

    pub(crate) fn begin_close(&self, settle: bool) -> Option<Threads> {
        self.shared.queue.close(settle);
        self.threads.lock().take()
    }

    pub(crate) fn settler(&self) -> &settler::Handle {
        &self.settler
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    fn size_bytes(&self) -> u64 {
        let names = [
            tables::FILE.to_owned(),
            format!("{}-wal", tables::FILE),
            "commit-0.log".to_owned(),
            "commit-1.log".to_owned(),
        ];
        names
            .iter()
            .filter_map(|name| std::fs::metadata(self.shared.dir.join(name)).ok())
            .map(|meta| meta.len())
            .sum()
    }

    /// Has the writer write a commit, and waits for its answer.
    async fn write(&self, commit: Commit) -> Result<Receipt> {
        if commit.is_empty() {
            let last_seq = self.shared.state.lock().last_seq;
            return Ok(Receipt { last_seq });
        }
        if let Some(reason) = self.shared.ended.get() {
            return Err(Error::ReadOnly {
                reason: reason.clone(),
            });
        }
        let (reply, answer) = oneshot::channel();
        let job = Job::of(commit, reply)?;
        self.shared.learn_runtime();
        self.shared.queue.push(job)?;
        answer.await.unwrap_or_else(|_| {
            Err(Error::Unknown {
                reason: "its writer ended; a start tells".to_owned(),
            })
        })
    }

    /// A page of a list, put together where a thread may wait.
    async fn list<F, T>(
        &self,
        namespace: &Namespace,
        filter: &F,
        page: &Page,
        of: fn(&Source<'_>, &F) -> Result<Listing<Arc<T>>>,
    ) -> Result<Listing<Arc<T>>>
    where
        F: Clone + Send + 'static,
        T: Send + Sync + 'static,
    {
        let (shared, namespace) = (self.shared.clone(), namespace.clone());
        let (filter, page) = (filter.clone(), page.clone());
        off_thread(move || {
            let source = Source {
                shared: &shared,
                namespace: &namespace,
                page: &page,
            };
            of(&source, &filter)
        })
        .await
    }
}
