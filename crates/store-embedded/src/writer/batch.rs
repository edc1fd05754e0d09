//! The commits that go into one flush together.

use mcpanel_domain::{PipelineId, TaskId, task::Task};
use mcpanel_store::{Error, Key, Result, Subject, Write, hot::DependencyState};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Job;
use crate::{
    limits::{BATCH_BYTES_MAX, BATCH_COMMITS_MAX},
    log::Frame,
    state::{Beyond, Fates},
};

/// Commits that were checked, in the order they came, and the frame that those which hold make.
#[derive(Default)]
pub struct Batch {
    pub outcomes: Vec<Outcome>,
    /// Revisions that the accepted commits lead to.
    pub changed: FxHashMap<Subject, u64>,
    /// What memory did not know.
    pub beyond: Beyond,
    pub fates: Fates,
    /// Pipelines whose tasks change.
    pub pipelines: FxHashSet<Key<PipelineId>>,
    /// Tasks that come to life.
    pub births: usize,
    /// How many hold.
    pub accepted: usize,
    /// How many events those have.
    pub event_count: u32,
    /// The encoded commits that hold.
    pub frame: Frame,
}

/// A commit and whether it holds.
pub enum Outcome {
    Accepted(Job),
    Refused(Job, Error),
}

impl Outcome {
    /// The commit, and the verdict.
    pub fn split(self) -> (Job, Result<()>) {
        match self {
            Self::Accepted(job) => (job, Ok(())),
            Self::Refused(job, error) => (job, Err(error)),
        }
    }
}

impl Batch {
    /// An empty one that uses a frame's buffer again.
    pub fn over(mut frame: Frame) -> Self {
        frame.begin();
        Self {
            frame,
            ..Self::default()
        }
    }

    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }

    /// Whether one flush may hold another commit after so many more, of so many bytes together with them.
    pub fn has_room(&self, more: usize, bytes: usize) -> bool {
        let commits = self.outcomes.len() + more;
        commits == 0
            || (commits < BATCH_COMMITS_MAX && self.frame.padded_bytes() + bytes <= BATCH_BYTES_MAX)
    }

    /// Makes room for so many commits more, usually of a document each.
    pub fn expect(&mut self, commits: usize) {
        self.outcomes.reserve(commits);
        self.changed.reserve(commits);
    }

    /// How many bytes its events have.
    pub fn event_bytes(&self) -> usize {
        self.outcomes
            .iter()
            .map(|outcome| match outcome {
                Outcome::Accepted(job) => job.bytes.len() - job.events_at,
                Outcome::Refused(..) => 0,
            })
            .sum()
    }

    /// Takes a commit in, with what was found out about it.
    pub fn push(&mut self, job: Job, verdict: Result<()>) {
        self.outcomes.push(match verdict {
            Ok(()) => {
                self.accepted += 1;
                self.event_count += job.event_count;
                self.frame.push(&job.bytes);
                Outcome::Accepted(job)
            }
            Err(error) => Outcome::Refused(job, error),
        });
    }

    /// Whether a commit has to do with what this batch changes, so that it can be judged only once the batch is
    /// in memory.
    pub fn touches(&self, job: &Job) -> bool {
        let changed = job.targets.iter().any(|target| match &target.subject {
            Subject::Logs(key) => {
                self.changed.contains_key(&target.subject)
                    || self.changed.contains_key(&Subject::Task(key.clone()))
            }
            subject => self.changed.contains_key(subject),
        });
        changed || job.writes.iter().any(|write| self.touches_around(write))
    }

    /// Whether a task waits for one that this batch changes.
    fn touches_around(&self, write: &Write) -> bool {
        let Write::Task { task, .. } = write else {
            return false;
        };
        task.dependencies.iter().any(|dependency| {
            let on = (task.namespace.clone(), dependency.clone());
            self.changed.contains_key(&Subject::Task(on))
        })
    }

    /// Notes how a task stands after the batch, if the batch changes it: somebody who came later waits for it.
    pub fn foretell_earlier(&mut self, key: &Key<TaskId>) {
        if !self.changed.contains_key(&Subject::Task(key.clone())) {
            return;
        }
        let newest = self
            .outcomes
            .iter()
            .rev()
            .find_map(|outcome| match outcome {
                Outcome::Accepted(job) => job.writes.iter().rev().find_map(|write| match write {
                    Write::Task { task, .. } if task.id == key.1 && task.namespace == key.0 => {
                        Some(task.status())
                    }
                    _ => None,
                }),
                Outcome::Refused(..) => None,
            });
        if let Some(status) = newest {
            let stands = DependencyState::of(Some(status));
            self.fates.0.insert(key.clone(), stands);
        }
    }

    /// Notes how a task stands after the batch, where another task of it waits for some.
    pub fn foretell(&mut self, task: &Task) {
        if !self.beyond.dependencies.is_empty() {
            let key = (task.namespace.clone(), task.id.clone());
            let stands = DependencyState::of(Some(task.status()));
            self.fates.0.insert(key, stands);
        }
    }

    /// Answers all with their conflict, or with `error`.
    pub fn refuse_all(self, error: &Error) {
        for outcome in self.outcomes {
            let (job, verdict) = outcome.split();
            let answer = verdict.err().unwrap_or_else(|| error.clone());
            // A caller that went away does not hear it.
            let _ = job.reply.send(Err(answer));
        }
    }
}
