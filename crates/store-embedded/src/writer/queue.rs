//! Commits that wait for the writer.

use std::time::Duration;

use mcpanel_store::{Error, Receipt, Result, Target, Write};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use crate::limits::{BATCH_BYTES_MAX, BATCH_COMMITS_MAX, QUEUE_BYTES_MAX, QUEUE_COMMITS_MAX};

/// A commit on its way.
pub struct Job {
    /// What must hold.
    pub targets: Vec<Target>,
    pub writes: Vec<Write>,
    /// All of it, as it goes into the log.
    pub bytes: Vec<u8>,
    /// Where in `bytes` the events begin.
    pub events_at: usize,
    pub event_count: u32,
    pub reply: oneshot::Sender<Result<Receipt>>,
}

/// What the writer is to do next.
pub enum Taken {
    /// Write these.
    Jobs(Vec<Job>),
    /// Nobody came for a while.
    Nothing,
    /// Nobody will come any more.
    Closed {
        /// Whether the tables are to be brought up to date.
        settle: bool,
    },
}

/// The queue. It refuses rather than letting anybody wait long.
#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    bytes: usize,
    closed: Option<bool>,
}

impl Queue {
    /// Puts a commit at the end.
    pub fn push(&self, job: Job) -> Result<()> {
        let mut waiting = self.waiting.lock();
        if waiting.closed.is_some() {
            return Err(Error::Unavailable {
                reason: "it is shutting down".to_owned(),
            });
        }
        let full = waiting.jobs.len() >= QUEUE_COMMITS_MAX
            || waiting.bytes + job.bytes.len() > QUEUE_BYTES_MAX;
        if full && !waiting.jobs.is_empty() {
            return Err(Error::Overloaded {
                what: format!("{} commits wait to be written", waiting.jobs.len()),
            });
        }
        let first = waiting.jobs.is_empty();
        waiting.bytes += job.bytes.len();
        waiting.jobs.push(job);
        drop(waiting);
        if first {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Takes what waits, as much as one flush may hold.
    pub fn take(&self, patience_ms: u64) -> Taken {
        let mut waiting = self.waiting.lock();
        while waiting.jobs.is_empty() {
            if let Some(settle) = waiting.closed {
                return Taken::Closed { settle };
            }
            let patience = Duration::from_millis(patience_ms);
            if self.arrived.wait_for(&mut waiting, patience).timed_out() && waiting.jobs.is_empty()
            {
                return Taken::Nothing;
            }
        }
        let few = waiting.jobs.len() <= BATCH_COMMITS_MAX && waiting.bytes <= BATCH_BYTES_MAX;
        if few {
            waiting.bytes = 0;
            return Taken::Jobs(std::mem::take(&mut waiting.jobs));
        }
        let mut bytes = 0;
        let count = waiting
            .jobs
            .iter()
            .take(BATCH_COMMITS_MAX)
            .take_while(|job| {
                bytes += job.bytes.len();
                bytes <= BATCH_BYTES_MAX
            })
            .count()
            .max(1);
        let jobs: Vec<Job> = waiting.jobs.drain(..count).collect();
        waiting.bytes -= jobs.iter().map(|job| job.bytes.len()).sum::<usize>();
        Taken::Jobs(jobs)
    }

    /// Takes nothing more and drops what waits, whose callers are told: the writer is gone.
    pub fn abandon(&self) {
        let mut waiting = self.waiting.lock();
        waiting.closed.get_or_insert(false);
        waiting.jobs.clear();
        waiting.bytes = 0;
    }

    /// Takes nothing more. With `settle`, the writer brings the tables up to date before it ends.
    pub fn close(&self, settle: bool) {
        self.waiting.lock().closed.get_or_insert(settle);
        self.arrived.notify_one();
    }
}
