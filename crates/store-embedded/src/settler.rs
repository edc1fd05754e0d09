//! The thread that writes full segments into the tables, so that they may be used again.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    time::Duration,
};

use mcpanel_domain::Timestamp;
use mcpanel_store::{Error, Result};
use tokio::sync::oneshot;

use crate::{
    error::{is_damage, is_full, read_failed},
    limits::SETTLE_RETRY_MS,
    recent::Recent,
    shared::Shared,
    state::Settled,
    tables::Writer,
};

/// Requests that wait: at most one segment, and a purge now and then.
const REQUESTS_MAX: usize = 16;

/// Said of a settler that is gone, however it went.
const GONE: &str = "the thread that writes the tables ended; start again";

/// What may be removed from the tables.
#[derive(Debug, Clone, Copy)]
pub enum Outdated {
    /// Idempotency records that ended by a moment.
    Idempotency,
    /// Samples of minutes before a moment.
    Samples,
}

/// What the settler is asked to do.
enum Request {
    Settle(Arc<Recent>, u64),
    Purge(Outdated, Timestamp, oneshot::Sender<Result<u64>>),
    Stop,
}

/// The way to the settler.
#[derive(Clone)]
pub struct Handle(SyncSender<Request>);

impl Handle {
    /// Hands over closed changes. At most one segment is under way at a time.
    pub fn settle(&self, recent: Arc<Recent>, last_seq: u64) {
        // The thread ends only when it is told to, after the writer.
        let _ = self.0.send(Request::Settle(recent, last_seq));
    }

    /// Asks that what is outdated at a moment be removed from the tables.
    pub fn purge(&self, what: Outdated, at: Timestamp) -> Result<oneshot::Receiver<Result<u64>>> {
        let (reply, answer) = oneshot::channel();
        self.0
            .try_send(Request::Purge(what, at, reply))
            .map_err(|error| match error {
                TrySendError::Full(_) => Error::Overloaded {
                    what: "the tables are being written".to_owned(),
                },
                TrySendError::Disconnected(_) => gone(),
            })?;
        Ok(answer)
    }

    /// Ends the thread once it has done what it was asked before.
    pub fn stop(&self) {
        let _ = self.0.send(Request::Stop);
    }
}

/// What callers hear of a settler that ended before it answered.
pub fn gone() -> Error {
    Error::Unavailable {
        reason: GONE.to_owned(),
    }
}

/// The settler's end.
pub struct Settler {
    requests: Receiver<Request>,
}

/// Lets the writer not wait for a settler that is gone, however it went.
struct Gone<'a>(&'a Shared);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end(GONE);
        }
        self.0
            .settle_failure
            .lock()
            .get_or_insert_with(|| GONE.to_owned());
        // Under the lock that waiters hold, so that none misses it.
        drop(self.0.state.lock());
        self.0.settle_changed.notify_all();
    }
}

/// Both ends.
pub fn channel() -> (Handle, Settler) {
    let (sender, requests) = sync_channel(REQUESTS_MAX);
    (Handle(sender), Settler { requests })
}

impl Settler {
    /// Works until it is told to stop.
    pub fn run(self, shared: &Shared, mut tables: Writer) {
        let _gone = Gone(shared);
        let mut open = true;
        while open {
            match self.requests.recv() {
                Ok(Request::Settle(recent, last_seq)) => {
                    open = self.settle(shared, &mut tables, &recent, last_seq);
                    recycle(shared, recent);
                }
                Ok(Request::Purge(what, at, reply)) => purge(&mut tables, what, at, reply),
                Ok(Request::Stop) | Err(_) => open = false,
            }
        }
        if let Err(error) = tables.checkpoint() {
            tracing::warn!(%error, "the write-ahead log of the tables was left beside them");
        }
    }

    /// Writes a segment, again and again until it succeeds; `false` when told to stop before.
    fn settle(&self, shared: &Shared, tables: &mut Writer, recent: &Recent, last_seq: u64) -> bool {
        loop {
            match tables.settle(recent, last_seq) {
                Ok(first_kept) => {
                    finish(shared, Settled::of(recent, first_kept));
                    return true;
                }
                Err(error) => fail(shared, &error),
            }
            match self
                .requests
                .recv_timeout(Duration::from_millis(SETTLE_RETRY_MS))
            {
                Ok(Request::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
                Ok(Request::Purge(what, at, reply)) => purge(tables, what, at, reply),
                Ok(Request::Settle(..)) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// Lets the changes go from memory: whoever looks for them finds them in the tables now.
fn finish(shared: &Shared, settled: Settled) {
    let gate = shared.list_gate.write();
    let mut state = shared.state.lock();
    state.settled(settled);
    *shared.settle_failure.lock() = None;
    drop(state);
    drop(gate);
    shared.settle_changed.notify_all();
}

/// Empties what was written, for the next segment. Somebody who still reads it keeps it.
fn recycle(shared: &Shared, recent: Arc<Recent>) {
    if let Some(mut recent) = Arc::into_inner(recent) {
        recent.clear();
        shared.state.lock().spare = Some(recent);
    }
}

fn fail(shared: &Shared, error: &rusqlite::Error) {
    let reason = if is_full(error) {
        "the disk is full; make room and writing goes on by itself".to_owned()
    } else if is_damage(error) {
        format!("the table file is damaged ({error}); restore the folder from a backup")
    } else {
        format!("writing the tables failed: {error}; it is tried again all the time")
    };
    let mut failure = shared.settle_failure.lock();
    if failure.as_deref() != Some(reason.as_str()) {
        tracing::error!(%error, "the tables cannot be written");
    }
    *failure = Some(reason);
    drop(failure);
    // Under the lock that waiters hold, so that none misses it.
    drop(shared.state.lock());
    shared.settle_changed.notify_all();
}

fn purge(tables: &mut Writer, what: Outdated, at: Timestamp, reply: oneshot::Sender<Result<u64>>) {
    let removed = match what {
        Outdated::Idempotency => tables.purge_idempotency(at),
        Outdated::Samples => tables.purge_samples(at),
    };
    let removed = removed
        .map(|count| count as u64)
        .map_err(|error| read_failed(&error));
    // A caller that went away does not hear it.
    let _ = reply.send(removed);
}
