//! Operations: one wish about many tasks, such as "retry all that failed today", carried out in steps behind the
//! caller's back.
//!
//! ```text
//! running ─► completed
//!    ├─────► aborted   somebody stopped it
//!    └─────► failed    the store refused a step for good
//! ```
//!
//! An operation walks through the tasks that its search finds, newest first, and remembers how far it came in the
//! same commit that changes the tasks. Any instance can take the next step.

mod decide;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use decide::{Command, Decision, NewOperation, Step, create, decide, event};

use crate::{
    Namespace, OperationId, Timestamp,
    task::{Search, Status as TaskStatus},
};

/// A wish about many tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Its id, unique within the namespace.
    pub id: OperationId,
    /// Whose it is.
    pub namespace: Namespace,
    /// Counts changes, from 1.
    pub revision: u64,
    /// What is wished.
    pub kind: Kind,
    /// Of which tasks. Those created after the operation are never touched.
    pub search: Search,
    /// Where it stands.
    pub status: Status,
    /// How many tasks the search found when it was created, and whether there were more than were counted.
    pub matched: Matched,
    /// Tasks that were changed.
    pub done: u64,
    /// Tasks that did not allow it, such as a retry of one that runs.
    pub skipped: u64,
    /// Tasks that could not be changed.
    pub failed: u64,
    /// The last task that it has dealt with; none at the beginning.
    pub cursor: Option<Cursor>,
    /// Why, for people; a cancelled task's error says it.
    pub reason: Option<String>,
    /// Why it was aborted or failed.
    pub error: Option<String>,
    /// Who wished it.
    pub created_by: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last went on.
    pub updated_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// What is wished of each task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Put failed and cancelled ones back in the queue.
    Retry,
    /// Stop them.
    Cancel,
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Has tasks to go through.
    Running,
    /// Went through all.
    Completed,
    /// Somebody stopped it; what it did stays done.
    Aborted,
    /// Could not go on.
    Failed,
}

/// How many tasks a search finds, as far as they were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Matched {
    /// So many at least.
    pub tasks: u64,
    /// There are more than were counted.
    pub more: bool,
}

/// A place in the list of tasks, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// When the task there was created.
    pub created_at: Timestamp,
    /// Its id; any text that sorts there.
    pub id: String,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Retry, Self::Cancel];

    /// The statuses of tasks that it can do something about, where the search names none.
    pub fn usual(self) -> &'static [TaskStatus] {
        match self {
            Self::Retry => &[TaskStatus::Failed, TaskStatus::Cancelled],
            Self::Cancel => self.possible(),
        }
    }

    /// The statuses of tasks that it can do something about.
    pub fn possible(self) -> &'static [TaskStatus] {
        match self {
            Self::Retry => &[TaskStatus::Failed, TaskStatus::Cancelled, TaskStatus::Retry],
            Self::Cancel => &[
                TaskStatus::Pending,
                TaskStatus::Assigned,
                TaskStatus::Running,
                TaskStatus::Retry,
            ],
        }
    }

    /// What a search means for it: the tasks that it can do something about.
    pub fn narrow(self, mut search: Search) -> Search {
        let statuses = &mut search.filter.statuses;
        if statuses.is_empty() {
            *statuses = self.usual().to_vec();
        } else {
            statuses.retain(|status| self.possible().contains(status));
        }
        search
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Cancel => "cancel",
        }
    }
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Running, Self::Completed, Self::Aborted, Self::Failed];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Aborted => "aborted",
            Self::Failed => "failed",
        }
    }

    /// Reads the word on the wire.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether nothing more happens.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Running => false,
            Self::Completed | Self::Aborted | Self::Failed => true,
        }
    }
}

impl Operation {
    /// Which tasks it goes through: what was asked for, as far as it was there when the operation was created and
    /// can be helped.
    pub fn tasks(&self) -> Search {
        let end = self.created_at.plus_ms(1);
        let mut search = self.kind.narrow(self.search.clone());
        let before = &mut search.filter.created_before;
        *before = Some(before.map_or(end, |given| given.min(end)));
        search
    }

    /// How many tasks it has dealt with.
    pub fn handled(&self) -> u64 {
        self.done + self.skipped + self.failed
    }

    /// Per cent of the tasks that it has dealt with, as far as they were counted.
    pub fn progress(&self) -> f64 {
        if self.status == Status::Completed {
            return 100.0;
        }
        let expected = self.matched.tasks.max(self.handled());
        if expected == 0 {
            return 0.0;
        }
        // Counts of tasks are far below the 2^53 that a float holds exactly.
        (self.handled() as f64 / expected as f64 * 100.0).min(99.0)
    }
}
