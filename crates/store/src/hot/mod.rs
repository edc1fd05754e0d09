//! What can be derived from live documents, kept in memory for speed: the ready queue, timers,
//! leases, dependents, waiters and counts.
//!
//! Nothing here is a truth of its own. [`Hot::apply_task`] is told of each committed change, and a
//! store that starts anew tells it of every live document; both ways lead to the same state.

mod activities;
mod claims;
mod counts;
mod dependencies;
mod figures;
mod queues;
mod ready;
mod slots;
mod timers;
mod waiters;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mcpanel_domain::{
    AgentId, Namespace, PipelineId, TaskId, Timestamp,
    agent::Agent,
    pipeline::{Pipeline, Status as PipelineStatus},
    task::{Status, Task},
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{Due, Held, Key};

use activities::Activities;
use counts::Counts;
use queues::Queues;
use ready::Ready;
use slots::Slots;
use timers::Timers;
use waiters::Waiters;

pub use dependencies::DependencyState;

/// The derived state.
#[derive(Default)]
pub struct Hot {
    /// Tasks that have not ended.
    live: FxHashMap<Key<TaskId>, Arc<Task>>,
    ready: Ready,
    timers: Timers,
    waiters: Waiters,
    counts: Counts,
    queues: Queues,
    activities: Activities,
    /// Live tasks that wait for a task: dependency → (dependent, …).
    dependents: FxHashMap<Key<TaskId>, FxHashSet<TaskId>>,
    /// How many dependencies of a live waiting task are not completed.
    blocked: FxHashMap<Key<TaskId>, usize>,
    /// Waiting tasks with a dependency that will never complete.
    doomed: BTreeSet<(Namespace, TaskId, TaskId)>,
    slots: Slots,
    agents: BTreeMap<Key<AgentId>, Arc<Agent>>,
    /// Pipelines that run, or wait for their output.
    unfinished: BTreeSet<Key<PipelineId>>,
    /// Live tasks of each pipeline: one that has ended is not settled while it has any.
    live_of_pipeline: FxHashMap<Key<PipelineId>, u32>,
}

impl Hot {
    /// Takes in a committed change of a task. `old` is the document before; `dependency_state` tells
    /// how an ended dependency stands (live ones are known here).
    pub fn apply_task(
        &mut self,
        old: Option<&Task>,
        new: &Arc<Task>,
        now: Timestamp,
        dependency_state: &mut dyn FnMut(&TaskId) -> DependencyState,
    ) {
        let key = (new.namespace.clone(), new.id.clone());
        let before = old.map(Task::status);
        let after = new.status();
        self.counts.moved(old, new);
        self.queues.moved(old, new);
        self.count_live(before, new);
        self.slots.clear(&key);
        if let Some(old) = old {
            self.slots.drop_lease(old);
        }
        if before.is_none_or(Status::is_terminal) && !after.is_terminal() {
            self.watch_dependencies(&key, new, dependency_state);
        } else if let Some(old) = old
            && old.dependencies != new.dependencies
        {
            self.forget_dependencies(&key, old);
            self.watch_dependencies(&key, new, dependency_state);
        }
        if after.is_terminal() {
            if let Some(old) = old {
                self.forget_dependencies(&key, old);
            }
            self.live.remove(&key);
            self.ready.remove(&key);
            self.timers.disarm(&Due::Task(key.0.clone(), key.1.clone()));
            self.release_dependents(&key, after, now);
        } else {
            // Who waits for a task that came (back) to life may hope again.
            if before.is_none_or(Status::is_terminal) {
                self.spare_dependents(&key);
            }
            self.live.insert(key.clone(), new.clone());
            self.slots.hold(new);
            self.place_in_queue(&key, new, now);
            let due = Due::Task(key.0.clone(), key.1.clone());
            match new.next_due(Timestamp::ZERO) {
                Some(at) => self.timers.arm(due, at),
                None => self.timers.disarm(&due),
            }
        }
        if let Some(agent) = old.and_then(Task::lease).map(|lease| &lease.agent_id)
            && new.lease().is_none()
        {
            self.waiters.wake_agent(&key.0, agent);
        }
    }

    /// Takes in a committed change of an agent; `None` when it was removed.
    pub fn apply_agent(&mut self, namespace: &Namespace, id: &AgentId, new: Option<&Arc<Agent>>) {
        let key = (namespace.clone(), id.clone());
        let due = Due::Agent(namespace.clone(), id.clone());
        match new {
            Some(agent) => {
                match agent.next_due() {
                    Some(at) => self.timers.arm(due, at),
                    None => self.timers.disarm(&due),
                }
                self.agents.insert(key, agent.clone());
            }
            None => {
                self.timers.disarm(&due);
                self.agents.remove(&key);
            }
        }
    }

    /// Takes in a committed change of a pipeline.
    pub fn apply_pipeline(&mut self, new: &Arc<Pipeline>) {
        let key = (new.namespace.clone(), new.id.clone());
        let unfinished = match new.status {
            PipelineStatus::Running => true,
            PipelineStatus::Completed => new.output_data.is_none(),
            PipelineStatus::Created | PipelineStatus::Failed | PipelineStatus::Cancelled => false,
        };
        if unfinished {
            self.unfinished.insert(key);
        } else {
            self.unfinished.remove(&key);
        }
    }

    /// A task that has not ended.
    pub fn live_task(&self, namespace: &Namespace, id: &TaskId) -> Option<&Arc<Task>> {
        self.live.get(&(namespace.clone(), id.clone()))
    }

    /// A task that has not ended, by its key.
    pub fn live_task_at(&self, key: &Key<TaskId>) -> Option<&Arc<Task>> {
        self.live.get(key)
    }

    /// All tasks of a namespace that have not ended, in no order.
    pub fn live_tasks<'a>(
        &'a self,
        namespace: &'a Namespace,
    ) -> impl Iterator<Item = &'a Arc<Task>> + 'a {
        self.live
            .values()
            .filter(move |task| task.namespace == *namespace)
    }

    /// How many tasks have not ended, in all namespaces.
    pub fn live_count(&self) -> usize {
        self.live.len()
    }

    /// An agent.
    pub fn agent(&self, namespace: &Namespace, id: &AgentId) -> Option<&Arc<Agent>> {
        self.agents.get(&(namespace.clone(), id.clone()))
    }

    /// All agents of a namespace, by id.
    pub fn agents(&self, namespace: &Namespace) -> Vec<Arc<Agent>> {
        self.agents
            .iter()
            .filter(|((of, _), _)| of == namespace)
            .map(|(_, agent)| agent.clone())
            .collect()
    }

    /// The live leases of an agent.
    pub fn leases(&self, namespace: &Namespace, id: &AgentId) -> Vec<Held> {
        self.slots.of_agent(namespace, id)
    }

    /// See [`Store::orphaned_leases`](crate::Store::orphaned_leases).
    pub fn orphaned_leases(&self, limit: usize) -> Vec<(Namespace, Held)> {
        self.slots.orphans(&self.agents, limit)
    }

    /// See [`Store::unsettled_pipelines`](crate::Store::unsettled_pipelines).
    pub fn unsettled(&self) -> Vec<(Namespace, PipelineId)> {
        let with_tasks = self.live_of_pipeline.keys();
        let unsettled: BTreeSet<&Key<PipelineId>> =
            self.unfinished.iter().chain(with_tasks).collect();
        unsettled.into_iter().cloned().collect()
    }

    /// All tasks of a namespace that an agent holds, in no order.
    pub fn held_tasks<'a>(
        &'a self,
        namespace: &'a Namespace,
    ) -> impl Iterator<Item = &'a Arc<Task>> + 'a {
        self.slots
            .held_tasks(namespace)
            .filter_map(|key| self.live.get(&key))
    }

    /// Keeps the number of live tasks of a pipeline.
    fn count_live(&mut self, before: Option<Status>, new: &Task) {
        let Some(place) = &new.place else { return };
        let was = before.is_some_and(|status| !status.is_terminal());
        let is = !new.status().is_terminal();
        let key = (new.namespace.clone(), place.pipeline_id.clone());
        if !was && is {
            *self.live_of_pipeline.entry(key).or_insert(0) += 1;
        } else if was && !is {
            let left = self.live_of_pipeline.get_mut(&key).map(|count| {
                *count -= 1;
                *count
            });
            if left == Some(0) {
                self.live_of_pipeline.remove(&key);
            }
        }
    }
}
