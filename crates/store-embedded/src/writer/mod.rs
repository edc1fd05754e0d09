//! The thread that makes commits durable: it takes all that wait, checks them, has them written with one flush,
//! takes them into memory, and answers.
//!
//! ```text
//!   flusher     ├────── flush 1 ──────┤├────── flush 2 ──────┤├──── …
//!   writer       publish 0 │ check 2   publish 1 │ check 3
//! ```
//!
//! While the disk is at work on one [`batch`], the next one forms. A commit is checked against memory, which does
//! not have the batch ahead of it yet; so one that touches what that batch changes waits until it is published, and
//! so do those behind it. Callers hardly ever notice: who waits for an answer does not build on it.
//! A few commits are not worth the way to the other thread and back, and are flushed by the writer itself.

mod answers;
mod batch;
mod check;
mod flusher;
mod publish;
mod queue;
mod rotate;

use std::{collections::VecDeque, sync::Arc};

use mcpanel_store::{Error, Result};
use rusqlite::Connection;

use crate::{
    log::{AppendError, Frame, Log},
    settler,
    shared::Shared,
};
use batch::Batch;
use flusher::{Flushed, Work};

pub use flusher::Flusher;
pub use queue::{Job, Queue, Taken, Wanted};

/// Said of a writer that is gone.
const GONE: &str = "the thread that writes ended; start again";

/// Lets nobody wait for a writer that is gone, however it went.
struct Abandon(Arc<Shared>);

impl Drop for Abandon {
    fn drop(&mut self) {
        if self.0.queue.abandon(GONE) {
            self.0.end(GONE);
        }
    }
}

/// The writer's own things.
pub struct Writer {
    shared: Arc<Shared>,
    /// Here while nothing is being flushed.
    log: Option<Log>,
    flusher: Flusher,
    /// For what is not in memory.
    connection: Connection,
    settler: settler::Handle,
    /// Taken and not checked yet, in the order they came.
    waiting: VecDeque<Job>,
    /// Checked: the next flush.
    forming: Batch,
    /// The batch that is being flushed, or was and is not in memory yet.
    ahead: Option<Batch>,
    /// The buffer of a frame that was written, to be used again.
    spare: Frame,
    /// Why nothing may be written before the next start.
    broken: Option<String>,
}

impl Writer {
    /// A writer that goes on after what `log` holds.
    pub fn new(
        shared: Arc<Shared>,
        log: Log,
        flusher: Flusher,
        connection: Connection,
        settler: settler::Handle,
    ) -> Self {
        Self {
            shared,
            log: Some(log),
            flusher,
            connection,
            settler,
            waiting: VecDeque::new(),
            forming: Batch::over(Frame::default()),
            ahead: None,
            spare: Frame::default(),
            broken: None,
        }
    }

    /// Works until the queue is closed and empty. When it was closed for good, everything is
    /// written to the tables at last.
    pub fn run(mut self) {
        let _abandon = Abandon(self.shared.clone());
        loop {
            match self.shared.queue.take(self.wanted()) {
                Taken::Jobs(jobs) => {
                    self.waiting.extend(jobs);
                    match self.log.take() {
                        Some(log) => self.go_on(log),
                        None => self.admit(),
                    }
                }
                Taken::Flushed(flushed) => self.flushed(flushed),
                Taken::Nothing => self.settle_when_idle(),
                Taken::Closed { settle } => {
                    if settle && let Err(error) = self.settle_everything() {
                        tracing::warn!(%error, "the commit log is read again at the next start");
                    }
                    return;
                }
            }
        }
    }

    fn wanted(&self) -> Wanted {
        if self.log.is_some() {
            Wanted::Commits
        } else if self.waiting.is_empty() {
            Wanted::FlushOrCommits
        } else {
            // The batch is full, or the first of them touches what is being flushed.
            Wanted::Flush
        }
    }

    /// Checks those that wait, as far as they fit into the next flush and do not touch the one under way.
    fn admit(&mut self) {
        let mut jobs = Vec::with_capacity(self.waiting.len());
        let mut bytes = 0;
        while let Some(job) = self.waiting.front() {
            bytes += job.bytes.len();
            let stays = !self.forming.has_room(jobs.len(), bytes)
                || self.ahead.as_ref().is_some_and(|ahead| ahead.touches(job));
            if stays {
                break;
            }
            jobs.extend(self.waiting.pop_front());
        }
        if !jobs.is_empty() {
            let unborn = self.ahead.as_ref().map_or(0, |ahead| ahead.births);
            check::check(
                &self.shared,
                &self.connection,
                &mut self.forming,
                unborn,
                jobs,
            );
        }
    }

    /// A flush ended: what has formed meanwhile is flushed, and what was flushed is published.
    fn flushed(&mut self, flushed: Flushed) {
        let Work { mut log, frame } = flushed.work;
        self.spare = frame;
        let outcome = self.judge(flushed.outcome);
        let outcome = outcome.map(|()| log.next_number() - 1);
        // Those that may not be checked yet would otherwise pile up here, past the queue's bounds.
        if self.waiting.is_empty() {
            self.waiting.extend(self.shared.queue.take_present());
        }
        self.admit();
        // The disk first: it works while the others are told.
        let fits = log.has_room(self.forming.frame.padded_bytes());
        if self.is_worth_handing_over() && fits && self.broken.is_none() {
            let done = self.ahead.take();
            let events = match (&done, &outcome) {
                (Some(done), Ok(_)) => done.event_count,
                _ => 0,
            };
            self.number(&log, events);
            match self.hand_over(log) {
                Ok(()) => return self.conclude(done, outcome),
                Err(back) => log = back,
            }
            self.conclude(done, outcome);
        } else {
            let done = self.ahead.take();
            self.conclude(done, outcome);
        }
        self.go_on(log);
    }

    /// Flushes what waits, until it is under way or nothing waits any more.
    fn go_on(&mut self, mut log: Log) {
        self.admit();
        while !self.forming.is_empty() {
            match self.prepare(&mut log) {
                Ok(()) if self.is_worth_handing_over() => match self.hand_over(log) {
                    Ok(()) => return,
                    Err(back) => log = back,
                },
                prepared => {
                    let appended = prepared.and_then(|()| self.append(&mut log));
                    let outcome = appended.map(|()| log.next_number() - 1);
                    self.spare = std::mem::take(&mut self.forming.frame);
                    let batch = self.take_formed();
                    self.conclude(Some(batch), outcome);
                }
            }
            self.admit();
        }
        self.log = Some(log);
    }

    fn is_worth_handing_over(&self) -> bool {
        self.forming.accepted >= self.shared.options.overlap_commits_min.max(1)
    }

    /// Gives the frame that has formed its number, and makes room for it in the log.
    fn prepare(&mut self, log: &mut Log) -> Result<()> {
        if self.forming.accepted == 0 {
            return Ok(());
        }
        if let Some(reason) = &self.broken {
            return Err(self.shared.close_for_writes(reason));
        }
        self.number(log, 0);
        if log.has_room(self.forming.frame.bytes().len()) {
            Ok(())
        } else {
            self.rotate(log)
        }
    }

    /// Has this thread flush what has formed.
    fn append(&mut self, log: &mut Log) -> Result<()> {
        if self.forming.accepted == 0 {
            return Ok(());
        }
        let appended = log.append(self.forming.frame.bytes());
        self.judge(appended)
    }

    /// Finishes the frame that has formed. `unpublished` events come before its own.
    fn number(&mut self, log: &Log, unpublished: u32) {
        let last_seq = self.shared.state.lock().last_seq;
        let first_seq = last_seq + u64::from(unpublished) + 1;
        self.forming.frame.finish(log.next_number(), first_seq);
    }

    /// Has the other thread flush the batch that has formed; gives the log back when that thread is gone.
    fn hand_over(&mut self, log: Log) -> std::result::Result<(), Log> {
        let mut batch = self.take_formed();
        let frame = std::mem::take(&mut batch.frame);
        match self.flusher.flush(Work { log, frame }) {
            Ok(()) => {
                self.ahead = Some(batch);
                Ok(())
            }
            Err(work) => {
                let reason = "the thread that flushes ended; start again".to_owned();
                let error = self.shared.close_for_writes(&reason);
                self.broken = Some(reason);
                self.conclude(Some(batch), Err(error));
                Err(work.log)
            }
        }
    }

    fn take_formed(&mut self) -> Batch {
        let fresh = Batch::over(std::mem::take(&mut self.spare));
        std::mem::replace(&mut self.forming, fresh)
    }

    /// What a flush means for those that come after it.
    fn judge(&mut self, appended: std::result::Result<(), AppendError>) -> Result<()> {
        match appended {
            Ok(()) => {
                self.shared.open_for_writes();
                Ok(())
            }
            Err(error @ AppendError::Write(_)) => Err(self
                .shared
                .close_for_writes(&format!("{error}; each further write tries again"))),
            Err(error @ AppendError::Flush(_)) => {
                let reason = format!("{error}; check the disk and start again");
                self.shared.close_for_writes(&reason);
                self.broken = Some(reason.clone());
                // The disk may have it all the same.
                Err(Error::Unknown { reason })
            }
        }
    }

    /// Takes a batch into memory as this frame of the log, or refuses it.
    fn conclude(&mut self, batch: Option<Batch>, outcome: Result<u64>) {
        match (batch, outcome) {
            (Some(batch), Ok(frame)) => self.publish(batch, frame),
            (Some(batch), Err(error)) => batch.refuse_all(&error),
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests;
