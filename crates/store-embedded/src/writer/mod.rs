//! The thread that makes commits durable: it takes all that wait, checks them, writes them with one flush,
//! takes them into memory, and answers.

mod answers;
mod check;
mod queue;

use std::sync::Arc;

use mcpanel_domain::Timestamp;
use mcpanel_store::{Error, Receipt, Result};
use parking_lot::MutexGuard;
use rusqlite::Connection;

use crate::{
    limits::{IDLE_SETTLE_MS, SETTLE_WAIT_MS},
    log::{AppendError, Frame, Log},
    settler,
    shared::Shared,
    state::State,
};
use answers::Answers;
use check::Checked;

pub use queue::{Job, Queue, Taken};

/// Lets nobody wait for a writer that is gone, however it went.
struct Abandon(Arc<Shared>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.queue.abandon();
    }
}

/// The writer's own things.
pub struct Writer {
    shared: Arc<Shared>,
    log: Log,
    /// For what is not in memory.
    connection: Connection,
    settler: settler::Handle,
    frame: Frame,
    /// Why nothing may be written before the next start.
    broken: Option<String>,
}

impl Writer {
    /// A writer that goes on after what `log` holds.
    pub fn new(
        shared: Arc<Shared>,
        log: Log,
        connection: Connection,
        settler: settler::Handle,
    ) -> Self {
        Self {
            shared,
            log,
            connection,
            settler,
            frame: Frame::default(),
            broken: None,
        }
    }

    /// Works until the queue is closed and empty. When it was closed for good, everything is
    /// written to the tables at last.
    pub fn run(mut self) {
        let _abandon = Abandon(self.shared.clone());
        loop {
            match self.shared.queue.take(IDLE_SETTLE_MS) {
                Taken::Jobs(jobs) => self.flush(jobs),
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

    fn flush(&mut self, jobs: Vec<Job>) {
        let now = self.shared.now();
        let checked = Checked::of(&self.shared, &self.connection, jobs, now);
        match self.write(&checked) {
            Ok(()) => self.publish(checked, now),
            Err(error) => checked.refuse_all(&error),
        }
    }

    /// Writes the accepted commits as one frame.
    fn write(&mut self, checked: &Checked) -> Result<()> {
        if !checked.has_accepted() {
            return Ok(());
        }
        if let Some(reason) = &self.broken {
            return Err(self.shared.close_for_writes(reason));
        }
        self.frame.begin();
        for job in checked.accepted() {
            self.frame.push(&job.bytes);
        }
        let first_seq = self.shared.state.lock().last_seq + 1;
        let number = self.log.next_number();
        self.frame.finish(number, first_seq);
        if !self.log.has_room(self.frame.bytes().len()) {
            self.rotate()?;
        }
        match self.log.append(self.frame.bytes()) {
            Ok(()) => {
                self.shared.open_for_writes();
                Ok(())
            }
            Err(error @ AppendError::Write(_)) => Err(self
                .shared
                .close_for_writes(&format!("{error}; each further write tries again"))),
            Err(error @ AppendError::Flush(_)) => {
                let reason = format!("{error}; check the disk and start again");
                self.broken = Some(reason.clone());
                Err(self.shared.close_for_writes(&reason))
            }
        }
    }

    /// Hands the full segment to the settler and goes on in the other one.
    fn rotate(&mut self) -> Result<()> {
        let state = self.wait_for_settler()?;
        drop(state);
        self.log.switch().map_err(|error| {
            self.shared.close_for_writes(&format!(
                "the next segment of the commit log cannot be made: {error}; each further write tries again"
            ))
        })?;
        let mut state = self.shared.state.lock();
        if !state.active.is_empty() {
            let (recent, last_seq) = (state.freeze(), state.last_seq);
            drop(state);
            self.settler.settle(recent, last_seq);
        }
        Ok(())
    }

    /// Waits until the tables have everything of the segment before.
    fn wait_for_settler(&self) -> Result<MutexGuard<'_, State>> {
        let patience = std::time::Duration::from_millis(SETTLE_WAIT_MS);
        let deadline = std::time::Instant::now() + patience;
        let mut state = self.shared.state.lock();
        while state.frozen.is_some() {
            if let Some(reason) = self.shared.settle_failure.lock().as_ref() {
                return Err(self.shared.close_for_writes(reason));
            }
            if self
                .shared
                .settle_changed
                .wait_until(&mut state, deadline)
                .timed_out()
            {
                return Err(Error::Overloaded {
                    what: "the disk is too slow for what is written".to_owned(),
                });
            }
        }
        Ok(state)
    }

    /// Brings the tables up to date when nothing else is to be done.
    fn settle_when_idle(&mut self) {
        let idle = {
            let state = self.shared.state.lock();
            state.frozen.is_none() && !state.active.is_empty()
        };
        if idle && let Err(error) = self.rotate() {
            tracing::warn!(%error, "the tables are behind the commit log");
        }
    }

    fn settle_everything(&mut self) -> Result<()> {
        drop(self.wait_for_settler()?);
        if !self.shared.state.lock().active.is_empty() {
            self.rotate()?;
            drop(self.wait_for_settler()?);
        }
        Ok(())
    }

    /// Takes the accepted commits into memory and answers everybody.
    fn publish(&self, checked: Checked, now: Timestamp) {
        let mut answers = Answers::with_capacity(checked.outcomes.len());
        let event_bytes = checked
            .accepted()
            .map(|job| job.bytes.len() - job.events_at)
            .sum();
        let mut accepted = 0;
        let last_seq = {
            let mut state = self.shared.state.lock();
            let mut events = Vec::with_capacity(event_bytes);
            let mut event_count = 0;
            let mut seq = state.last_seq;
            for outcome in checked.outcomes {
                let (mut job, verdict) = outcome.split();
                let answer = verdict.map(|()| {
                    accepted += 1;
                    event_count += job.event_count;
                    seq += u64::from(job.event_count);
                    events.extend_from_slice(&job.bytes[job.events_at..]);
                    let writes = std::mem::take(&mut job.writes);
                    state.apply(writes, now, &checked.beyond, &checked.fates);
                    Receipt { last_seq: seq }
                });
                answers.push(job, answer);
            }
            if accepted > 0 {
                state.active.last_frame = self.log.next_number() - 1;
                state.apply_events(event_count, events);
            }
            state.last_seq
        };
        if accepted > 0 {
            self.shared.count(accepted);
            self.shared.last_seq.send_if_modified(|last| {
                let newer = last_seq > *last;
                *last = last_seq;
                newer
            });
        }
        answers.give(&self.shared);
    }
}
