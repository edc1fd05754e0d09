//! What waits for the writer: commits, and the end of a flush.

use std::time::Duration;

use mcpanel_store::{Commit, Error, Receipt, Result, Target, Write};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::flusher::Flushed;
use crate::{
    limits::{
        BATCH_BYTES_MAX, BATCH_COMMITS_MAX, IDLE_SETTLE_MS, QUEUE_BYTES_MAX, QUEUE_COMMITS_MAX,
    },
    log::append_entry,
};

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

impl Job {
    /// A commit with whom to tell, encoded for the log.
    pub fn of(commit: Commit, reply: oneshot::Sender<Result<Receipt>>) -> Result<Self> {
        let targets = commit.targets()?;
        let mut bytes = Vec::with_capacity(1_024);
        let events_at = append_entry(&commit, &mut bytes);
        if bytes.len() > QUEUE_BYTES_MAX {
            return Err(Error::Overloaded {
                what: format!(
                    "a commit of {} bytes; at most {QUEUE_BYTES_MAX} are written at once",
                    bytes.len()
                ),
            });
        }
        Ok(Self {
            targets,
            event_count: u32::try_from(commit.events.len())
                .expect("so many events take more bytes than one commit may have"),
            writes: commit.writes,
            bytes,
            events_at,
            reply,
        })
    }
}

/// What the writer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Commits: nothing is being flushed.
    Commits,
    /// The end of a flush, and commits to check meanwhile, several at once.
    FlushOrCommits,
    /// The end of a flush: there are enough commits for the next one.
    Flush,
}

/// What the writer is to do next.
pub enum Taken {
    /// Check these.
    Jobs(Vec<Job>),
    /// The flush under way ended.
    Flushed(Flushed),
    /// Nobody came for a while.
    Nothing,
    /// Nobody will come any more.
    Closed {
        /// Whether the tables are to be brought up to date.
        settle: bool,
    },
}

/// The queue. It refuses rather than letting anybody wait long.
pub struct Queue {
    waiting: Mutex<Waiting>,
    /// How many commits are taken at once while a flush is under way.
    several: usize,
    arrived: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    bytes: usize,
    closed: Option<bool>,
    flushed: Option<Flushed>,
    /// Nobody flushes any more.
    unflushed: bool,
    /// With how many commits the writer wakes up.
    wake_at: usize,
}

impl Queue {
    /// An empty queue; while a flush is under way, so many commits are taken at once.
    pub fn new(several: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            several: several.max(1),
            arrived: Condvar::new(),
        }
    }

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
        waiting.bytes += job.bytes.len();
        waiting.jobs.push(job);
        let enough = waiting.jobs.len() == waiting.wake_at;
        drop(waiting);
        if enough {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Waits for something to do.
    pub fn take(&self, wanted: Wanted) -> Taken {
        let enough = match wanted {
            Wanted::Commits => 1,
            Wanted::FlushOrCommits => self.several,
            Wanted::Flush => usize::MAX,
        };
        let mut waiting = self.waiting.lock();
        waiting.wake_at = enough;
        loop {
            if let Some(flushed) = waiting.flushed.take() {
                return Taken::Flushed(flushed);
            }
            if wanted != Wanted::Commits && waiting.unflushed {
                return Taken::Closed { settle: false };
            }
            if waiting.jobs.len() >= enough {
                return Taken::Jobs(waiting.split());
            }
            if wanted != Wanted::Commits {
                self.arrived.wait(&mut waiting);
                continue;
            }
            if let Some(settle) = waiting.closed {
                return Taken::Closed { settle };
            }
            let patience = Duration::from_millis(IDLE_SETTLE_MS);
            if self.arrived.wait_for(&mut waiting, patience).timed_out() && waiting.jobs.is_empty()
            {
                return Taken::Nothing;
            }
        }
    }

    /// What waits just now, as much as one flush may hold.
    pub fn take_present(&self) -> Vec<Job> {
        self.waiting.lock().split()
    }

    /// Tells the writer that a flush ended.
    pub fn flushed(&self, flushed: Flushed) {
        self.waiting.lock().flushed = Some(flushed);
        self.arrived.notify_one();
    }

    /// Tells the writer that no flush will end any more.
    pub fn nothing_is_flushed(&self) {
        self.waiting.lock().unflushed = true;
        self.arrived.notify_one();
    }

    /// Takes nothing more and refuses what waits: the writer is gone, and never saw it. `true` if nobody had
    /// closed the queue before.
    pub fn abandon(&self, reason: &str) -> bool {
        let (open, jobs) = {
            let mut waiting = self.waiting.lock();
            let open = waiting.closed.is_none();
            waiting.closed.get_or_insert(false);
            waiting.bytes = 0;
            (open, std::mem::take(&mut waiting.jobs))
        };
        for job in jobs {
            let refusal = Error::ReadOnly {
                reason: reason.to_owned(),
            };
            // A caller that went away does not hear it.
            let _ = job.reply.send(Err(refusal));
        }
        open
    }

    /// Takes nothing more. With `settle`, the writer brings the tables up to date before it ends.
    pub fn close(&self, settle: bool) {
        self.waiting.lock().closed.get_or_insert(settle);
        self.arrived.notify_one();
    }
}

impl Waiting {
    /// Takes out the oldest, as many as one flush may hold.
    fn split(&mut self) -> Vec<Job> {
        let few = self.jobs.len() <= BATCH_COMMITS_MAX && self.bytes <= BATCH_BYTES_MAX;
        if few {
            self.bytes = 0;
            let room = Vec::with_capacity(self.jobs.len());
            return std::mem::replace(&mut self.jobs, room);
        }
        let mut bytes = 0;
        let count = self
            .jobs
            .iter()
            .take(BATCH_COMMITS_MAX)
            .take_while(|job| {
                bytes += job.bytes.len();
                bytes <= BATCH_BYTES_MAX
            })
            .count()
            .max(1);
        let jobs: Vec<Job> = self.jobs.drain(..count).collect();
        self.bytes -= jobs.iter().map(|job| job.bytes.len()).sum::<usize>();
        jobs
    }
}
