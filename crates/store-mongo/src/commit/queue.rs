//! Commits that wait to be written, and which of them may be written together.
//!
//! While a small group is being written, which is soon over, the next begins beside it only when much waits: few
//! commits in many transactions cost MongoDB several times what they cost in one.
//!
//! Commits about the same document go one after another: a chain of revisions may be handed in at once,
//! and of rivals the first wins. Commits whose tasks begin to wait for the same task may share a
//! transaction, but not with one that writes that task.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use mcpanel_store::{Commit, Error, Receipt, Result, Subject, Target, Write};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::oneshot;

/// Most documents of one transaction. Beyond this a larger one saves nothing, and its locks last longer.
const GROUP_WRITES_MAX: usize = 1_000;

/// Writes below which a group is small. A transaction costs MongoDB about as much as thirty writes in it, so fewer are better
/// written with those that arrive meanwhile.
const SMALL_WRITES: usize = 64;

/// Bytes above which a group is not small, however few its writes: sending them takes milliseconds.
const SMALL_BYTES: usize = 512 * 1024;

/// Most bytes of one transaction: half of the 16 MB from which MongoDB splits its log entry.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most commits that wait: at a thousand in a second they wait for ten.
const WAITING_MAX: usize = 10_000;

/// How many waiting commits are looked through for one transaction.
const LOOK_MAX: usize = 2_000;

/// A commit that waits.
pub struct Job {
    /// What to write.
    pub commit: Commit,
    /// What must hold.
    pub targets: Vec<Target>,
    /// Who waits for the outcome.
    reply: oneshot::Sender<Result<Receipt>>,
    locks: Locks,
    bytes: usize,
}

/// The documents that a commit writes, and those that it only must not miss a change of.
#[derive(Default)]
struct Locks {
    writes: Vec<Subject>,
    watches: Vec<Subject>,
}

impl Job {
    /// Answers the caller, who may have gone away.
    pub fn answer(self, outcome: Result<Receipt>) {
        let _ = self.reply.send(outcome);
    }

    /// A commit with whom to tell.
    pub fn new(
        commit: Commit,
        targets: Vec<Target>,
        reply: oneshot::Sender<Result<Receipt>>,
    ) -> Self {
        let mut locks = Locks::default();
        let mut bytes = commit.events.len() * 256;
        for write in &commit.writes {
            locks.writes.push(match write.target().subject {
                // A log is numbered by its task's document.
                Subject::Logs(key) => Subject::Task(key),
                subject => subject,
            });
            bytes += size_of(write);
            if let Write::Task { task, .. } = write {
                let watched = task.dependencies.iter();
                locks
                    .watches
                    .extend(watched.map(|id| Subject::Task((task.namespace.clone(), id.clone()))));
            }
        }
        Self {
            commit,
            targets,
            reply,
            locks,
            bytes,
        }
    }
}

/// About how many bytes a write sends.
fn size_of(write: &Write) -> usize {
    match write {
        Write::Task {
            parameters, result, ..
        } => {
            let payloads = [parameters, result].into_iter().flatten();
            1_024 + payloads.map(|each| each.size_bytes()).sum::<usize>()
        }
        Write::Pipeline(pipeline) => {
            4_096
                + pipeline.input_data.size_bytes()
                + pipeline
                    .output_data
                    .as_ref()
                    .map_or(0, |each| each.size_bytes())
        }
        Write::Logs { lines, .. } => lines.iter().map(|line| 64 + line.message.len()).sum(),
        Write::Template(_) => 16_384,
        _ => 1_024,
    }
}

/// Commits that wait, and what is being written.
#[derive(Default)]
pub struct Waiting {
    jobs: VecDeque<Job>,
    /// How many writes they are.
    writes: usize,
    /// Small groups that are being written.
    small_under_way: usize,
    busy: Taken,
    closed: bool,
}

/// Documents that somebody writes, and how many watch.
#[derive(Default)]
struct Taken {
    written: FxHashSet<Subject>,
    watched: FxHashMap<Subject, u32>,
}

impl Taken {
    fn allows(&self, locks: &Locks) -> bool {
        locks
            .writes
            .iter()
            .all(|each| !self.written.contains(each) && !self.watched.contains_key(each))
            && locks
                .watches
                .iter()
                .all(|each| !self.written.contains(each))
    }

    fn take(&mut self, locks: &Locks) {
        self.written.extend(locks.writes.iter().cloned());
        for each in &locks.watches {
            *self.watched.entry(each.clone()).or_insert(0) += 1;
        }
    }

    fn release(&mut self, locks: &Locks) {
        for each in &locks.writes {
            self.written.remove(each);
        }
        for each in &locks.watches {
            if let Some(count) = self.watched.get_mut(each) {
                *count -= 1;
                if *count == 0 {
                    self.watched.remove(each);
                }
            }
        }
    }
}

/// Commits that are written together; their documents stay taken until this is given back.
pub struct Group {
    /// In the order in which they came.
    pub jobs: Vec<Job>,
    /// What to give back.
    pub held: Held,
}

impl Waiting {
    /// Adds a commit to the end.
    pub fn push(&mut self, job: Job) -> Result<()> {
        if self.closed {
            return Err(Error::Unavailable {
                reason: "it is shutting down".to_owned(),
            });
        }
        if self.jobs.len() >= WAITING_MAX {
            return Err(Error::Overloaded {
                what: format!("{WAITING_MAX} commits wait to be written"),
            });
        }
        self.writes += job.commit.writes.len();
        self.jobs.push_back(job);
        Ok(())
    }

    /// Takes nothing more.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Whether it takes nothing more and nothing waits.
    pub fn is_done(&self) -> bool {
        self.closed && self.jobs.is_empty()
    }

    /// Whether something waits.
    pub fn has_some(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// Takes what can be written together now, if it is worth a transaction.
    pub fn take(&mut self) -> Option<Group> {
        if self.small_under_way > 0 && self.writes < SMALL_WRITES {
            return None;
        }
        // Whoever must wait keeps those behind it from overtaking on the same document.
        let mut passed = Taken::default();
        let mut group = Group {
            jobs: Vec::new(),
            held: Held::default(),
        };
        let mut within = Taken::default();
        let (mut writes, mut bytes, mut at, mut looked) = (0, 0, 0, 0);
        while at < self.jobs.len() && looked < LOOK_MAX {
            looked += 1;
            let job = &self.jobs[at];
            let free = self.busy.allows(&job.locks)
                && passed.allows(&job.locks)
                && within.allows(&job.locks);
            if !free {
                passed.take(&job.locks);
                at += 1;
                continue;
            }
            let full = writes + job.commit.writes.len() > GROUP_WRITES_MAX
                || bytes + job.bytes > GROUP_BYTES_MAX;
            if full && !group.jobs.is_empty() {
                break;
            }
            let Some(mut job) = self.jobs.remove(at) else {
                break;
            };
            writes += job.commit.writes.len();
            bytes += job.bytes;
            let locks = std::mem::take(&mut job.locks);
            within.take(&locks);
            group.held.locks.push(locks);
            group.jobs.push(job);
        }
        if group.jobs.is_empty() {
            return None;
        }
        self.writes -= writes;
        group.held.small = writes < SMALL_WRITES && bytes < SMALL_BYTES;
        self.small_under_way += usize::from(group.held.small);
        for locks in &group.held.locks {
            self.busy.take(locks);
        }
        Some(group)
    }

    /// Frees the documents of a group that was written, or not.
    pub fn release(&mut self, held: &Held) {
        self.small_under_way -= usize::from(held.small);
        for locks in &held.locks {
            self.busy.release(locks);
        }
    }
}

/// What a group holds while it is written: its documents, and the way for others.
#[derive(Default)]
pub struct Held {
    locks: Vec<Locks>,
    small: bool,
}
