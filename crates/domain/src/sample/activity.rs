//! What happened to tasks within a minute.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Histogram;
use crate::{
    Name, TaskId, Timestamp,
    retry::ErrorType,
    task::{Status, Task, fingerprint},
};

/// Kinds of errors that are told apart in one minute; more are counted together. A page shows about so many, and
/// callers write what they like into messages.
pub const ERROR_GROUPS_MAX: usize = 20;

/// What happened to the tasks of a namespace within a minute: counts that add up, whoever counted them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Tasks that were created.
    pub created: u64,
    /// Tasks that were completed.
    pub completed: u64,
    /// Tasks that failed for good.
    pub failed: u64,
    /// Tasks that were cancelled.
    pub cancelled: u64,
    /// Attempts that will be followed by another.
    pub retried: u64,
    /// How long the completed and failed tasks waited for their first start, from when they might have begun.
    pub wait: Histogram,
    /// How long the last attempts of the completed and failed tasks took.
    pub run: Histogram,
    /// Why tasks failed for good: errors that differ in figures and names only are one. At most
    /// [`ERROR_GROUPS_MAX`].
    pub errors: Vec<ErrorGroup>,
    /// Failures for other reasons than those.
    pub other_errors: u64,
}

/// Failures for the same reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorGroup {
    /// The type of the tasks.
    pub task_type: Name,
    /// The class of the errors.
    pub kind: ErrorType,
    /// What the messages have in common, with `#` for what differs.
    pub message: String,
    /// How many tasks failed so.
    pub count: u64,
    /// The newest of them.
    pub last_task: TaskId,
    /// When that one failed.
    pub last_at: Timestamp,
}

impl Activity {
    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Counts a committed change of a task; `old` is the document before.
    pub fn record(&mut self, old: Option<&Task>, new: &Task) {
        let before = old.map(Task::status);
        let after = new.status();
        if before.is_none() {
            self.created += 1;
        }
        match after {
            Status::Retry if old.is_some_and(|old| old.retry_count < new.retry_count) => {
                self.retried += 1;
            }
            Status::Completed if before != Some(after) => {
                self.completed += 1;
                self.durations(new);
            }
            Status::Failed if before != Some(after) => {
                self.failed += 1;
                self.durations(new);
                self.error(new);
            }
            Status::Cancelled if before != Some(after) => self.cancelled += 1,
            Status::Pending
            | Status::Assigned
            | Status::Running
            | Status::Retry
            | Status::Completed
            | Status::Failed
            | Status::Cancelled => {}
        }
    }

    /// Adds what another counted.
    pub fn absorb(&mut self, other: &Self) {
        self.created += other.created;
        self.completed += other.completed;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.retried += other.retried;
        self.wait.absorb(&other.wait);
        self.run.absorb(&other.run);
        self.other_errors += other.other_errors;
        for group in &other.errors {
            self.group(group.clone());
        }
    }

    fn durations(&mut self, task: &Task) {
        let might_begin = task.created_at.max(task.run_at.unwrap_or(Timestamp::ZERO));
        let Some(last) = task.attempts.last() else {
            return;
        };
        if let Some(started_at) = task.started_at {
            self.wait.record(started_at.ms_since(might_begin));
        }
        if let Some(ended_at) = last.ended_at {
            let began = last.started_at.unwrap_or(last.assigned_at);
            self.run.record(ended_at.ms_since(began));
        }
    }

    fn error(&mut self, task: &Task) {
        let Some(error) = &task.error else { return };
        self.group(ErrorGroup {
            task_type: task.task_type.clone(),
            kind: error.kind,
            message: fingerprint(&error.message),
            count: 1,
            last_task: task.id.clone(),
            last_at: task.completed_at.unwrap_or(task.updated_at),
        });
    }

    fn group(&mut self, new: ErrorGroup) {
        let full = self.errors.len() >= ERROR_GROUPS_MAX;
        let found = self
            .errors
            .iter_mut()
            .find(|each| each.is_same_reason(&new));
        match found {
            Some(group) => group.add(new),
            None if full => self.other_errors += new.count,
            None => self.errors.push(new),
        }
    }
}

impl ErrorGroup {
    /// Adds failures for the same reason.
    fn add(&mut self, new: Self) {
        self.count += new.count;
        if (new.last_at, &new.last_task) > (self.last_at, &self.last_task) {
            self.last_at = new.last_at;
            self.last_task = new.last_task;
        }
    }

    fn is_same_reason(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.task_type == other.task_type
            && self.message == other.message
    }
}

/// Groups of several minutes together: the most frequent first, at most `max` of them.
pub fn merge_errors<'a>(
    groups: impl IntoIterator<Item = &'a ErrorGroup>,
    max: usize,
) -> Vec<ErrorGroup> {
    let mut merged: BTreeMap<(&Name, &str, &str), ErrorGroup> = BTreeMap::new();
    for each in groups {
        merged
            .entry((&each.task_type, each.kind.as_str(), each.message.as_str()))
            .and_modify(|group| group.add(each.clone()))
            .or_insert_with(|| each.clone());
    }
    let mut merged: Vec<ErrorGroup> = merged.into_values().collect();
    merged.sort_by_key(|each| std::cmp::Reverse((each.count, each.last_at)));
    merged.truncate(max);
    merged
}
