//! Tasks that have not ended, by type: how many wait, since when, and how many are held.

use std::collections::BTreeSet;

use mcpanel_domain::{
    Name, Namespace, TaskId, Timestamp,
    task::{Status, Task},
};
use rustc_hash::FxHashMap;

use crate::query::Queue;

/// The tasks that have not ended, moved with each committed change.
#[derive(Default)]
pub(super) struct Queues(FxHashMap<Namespace, FxHashMap<Name, Type>>);

/// The tasks of one type.
#[derive(Default)]
struct Type {
    /// Those that wait, oldest first.
    waiting: BTreeSet<(Timestamp, TaskId)>,
    running: u64,
}

/// Where a task that has not ended stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Waiting,
    Running,
}

impl Queues {
    pub(super) fn moved(&mut self, old: Option<&Task>, new: &Task) {
        let before = old.and_then(place);
        let after = place(new);
        if before == after {
            return;
        }
        if !self.0.contains_key(&new.namespace) {
            self.0.insert(new.namespace.clone(), FxHashMap::default());
        }
        let Some(types) = self.0.get_mut(&new.namespace) else {
            return;
        };
        if !types.contains_key(&new.task_type) {
            types.insert(new.task_type.clone(), Type::default());
        }
        let Some(each) = types.get_mut(&new.task_type) else {
            return;
        };
        match before {
            Some(Place::Waiting) => {
                each.waiting.remove(&(new.created_at, new.id.clone()));
            }
            Some(Place::Running) => each.running = each.running.saturating_sub(1),
            None => {}
        }
        match after {
            Some(Place::Waiting) => {
                each.waiting.insert((new.created_at, new.id.clone()));
            }
            Some(Place::Running) => each.running += 1,
            // Types are the callers' words: those that are not used any more must not stay.
            None if each.running == 0 && each.waiting.is_empty() => {
                types.remove(&new.task_type);
            }
            None => {}
        }
    }

    pub(super) fn of(&self, namespace: &Namespace) -> Vec<Queue> {
        let mut queues: Vec<Queue> = self
            .0
            .get(namespace)
            .into_iter()
            .flatten()
            .map(|(task_type, each)| Queue {
                task_type: task_type.clone(),
                waiting: u64::try_from(each.waiting.len()).unwrap_or(u64::MAX),
                oldest: each.waiting.first().map(|(created_at, _)| *created_at),
                running: each.running,
            })
            .collect();
        queues.sort_by(|a, b| a.task_type.cmp(&b.task_type));
        queues
    }
}

fn place(task: &Task) -> Option<Place> {
    match task.status() {
        Status::Pending | Status::Retry => Some(Place::Waiting),
        Status::Assigned | Status::Running => Some(Place::Running),
        Status::Completed | Status::Failed | Status::Cancelled => None,
    }
}
