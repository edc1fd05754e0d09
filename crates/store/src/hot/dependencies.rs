//! Who waits for whom: a task is free when all that it waits for is completed, and doomed when one of them will never be.

use mcpanel_domain::{
    Namespace, TaskId, Timestamp,
    task::{Status, Task},
};

use super::Hot;
use crate::Key;

/// How a dependency stands, for a task that waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DependencyState {
    /// Completed: no longer in the way.
    Completed,
    /// Failed or cancelled: it will not complete of itself.
    Dead,
    /// Has not ended.
    Open,
}

impl DependencyState {
    /// From a task's status; a missing task is dead.
    pub fn of(status: Option<Status>) -> Self {
        match status {
            Some(Status::Completed) => Self::Completed,
            Some(Status::Failed | Status::Cancelled) | None => Self::Dead,
            Some(Status::Pending | Status::Assigned | Status::Running | Status::Retry) => {
                Self::Open
            }
        }
    }
}

impl Hot {
    /// Live tasks that wait for this one, by id.
    pub fn dependents(&self, namespace: &Namespace, id: &TaskId) -> Vec<TaskId> {
        let mut dependents: Vec<TaskId> = self
            .dependents
            .get(&(namespace.clone(), id.clone()))
            .map(|set| set.iter().cloned().collect())
            .unwrap_or_default();
        dependents.sort();
        dependents
    }

    /// See [`Store::doomed_tasks`](crate::Store::doomed_tasks).
    pub fn doomed(&self, limit: usize) -> Vec<(Namespace, TaskId, TaskId)> {
        self.doomed.iter().take(limit).cloned().collect()
    }

    pub(super) fn watch_dependencies(
        &mut self,
        key: &Key<TaskId>,
        task: &Task,
        dependency_state: &mut dyn FnMut(&TaskId) -> DependencyState,
    ) {
        let mut open = 0;
        for dependency in task.dependencies.iter() {
            let on = (key.0.clone(), dependency.clone());
            let state = if self.live.contains_key(&on) {
                DependencyState::Open
            } else {
                dependency_state(dependency)
            };
            match state {
                DependencyState::Completed => {}
                DependencyState::Open => open += 1,
                DependencyState::Dead => {
                    open += 1;
                    self.doomed
                        .insert((key.0.clone(), key.1.clone(), dependency.clone()));
                }
            }
            self.dependents.entry(on).or_default().insert(key.1.clone());
        }
        if open > 0 {
            self.blocked.insert(key.clone(), open);
        } else if !self.blocked.is_empty() {
            self.blocked.remove(key);
        }
    }

    pub(super) fn forget_dependencies(&mut self, key: &Key<TaskId>, task: &Task) {
        for dependency in task.dependencies.iter() {
            let on = (key.0.clone(), dependency.clone());
            if let Some(set) = self.dependents.get_mut(&on) {
                set.remove(&key.1);
                if set.is_empty() {
                    self.dependents.remove(&on);
                }
            }
            self.doomed
                .remove(&(key.0.clone(), key.1.clone(), dependency.clone()));
        }
        self.blocked.remove(key);
    }

    pub(super) fn spare_dependents(&mut self, key: &Key<TaskId>) {
        for dependent in self.dependents.get(key).into_iter().flatten() {
            self.doomed
                .remove(&(key.0.clone(), dependent.clone(), key.1.clone()));
        }
    }

    /// A task ended: those that wait for it have one reason less to wait, or one for ever.
    pub(super) fn release_dependents(&mut self, key: &Key<TaskId>, after: Status, now: Timestamp) {
        let Some(waiting) = self.dependents.get(key).cloned() else {
            return;
        };
        for dependent in waiting {
            let on = (key.0.clone(), dependent.clone());
            if after != Status::Completed {
                self.doomed
                    .insert((key.0.clone(), dependent, key.1.clone()));
                continue;
            }
            self.doomed
                .remove(&(key.0.clone(), dependent.clone(), key.1.clone()));
            let free = match self.blocked.get_mut(&on) {
                Some(open) if *open > 1 => {
                    *open -= 1;
                    false
                }
                Some(_) => true,
                None => false,
            };
            if free {
                self.blocked.remove(&on);
                if let Some(task) = self.live.get(&on).cloned() {
                    self.place_in_queue(&on, &task, now);
                }
            }
        }
    }
}
