//! What can be derived from live documents, kept in memory for speed: the ready queue, timers,
//! leases, dependents, waiters and counts.
//!
//! Nothing here is a truth of its own. [`Hot::apply_task`] is told of each committed change, and a
//! store that starts anew tells it of every live document; both ways lead to the same state.

mod activities;
mod counts;
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
    pipeline::{Pipeline, StageCounts, Status as PipelineStatus},
    sample::Activity,
    task::{Status, Task},
};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::oneshot;

use crate::{
    Due, Held, Key, Offer,
    query::{Queue, Totals},
};

use activities::Activities;
use counts::Counts;
use queues::Queues;
use ready::Ready;
use slots::Slots;
use timers::Timers;
use waiters::Waiters;

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

    /// Sets aside the best ready tasks for an offer; see [`Store::take_ready`](crate::Store::take_ready).
    pub fn take_ready(&mut self, offer: &Offer, now: Timestamp) -> Vec<Arc<Task>> {
        self.ready.promote(now);
        let room = self.slots.room(offer).min(offer.max);
        let mut taken = Vec::new();
        while taken.len() < room as usize {
            let Some(id) = self.ready.take_best(offer) else {
                break;
            };
            let key = (offer.namespace.clone(), id);
            if let Some(task) = self.live.get(&key) {
                taken.push(task.clone());
                self.slots.reserve(key, task.revision, &offer.agent_id);
            }
        }
        taken
    }

    /// Gives back tasks that were set aside and are still as they were.
    pub fn unreserve(&mut self, namespace: &Namespace, tasks: &[Arc<Task>], now: Timestamp) {
        for task in tasks {
            let key = (namespace.clone(), task.id.clone());
            if self.slots.give_back(&key, task.revision)
                && let Some(current) = self.live.get(&key).cloned()
            {
                self.place_in_queue(&key, &current, now);
            }
        }
    }

    /// See [`Store::wait_ready`](crate::Store::wait_ready).
    pub fn wait_ready(&mut self, offer: &Offer) -> oneshot::Receiver<()> {
        self.waiters.add(offer)
    }

    /// See [`Store::ready_ahead`](crate::Store::ready_ahead).
    pub fn ready_ahead(&self, namespace: &Namespace, id: &TaskId) -> Option<u64> {
        self.ready.ahead(&(namespace.clone(), id.clone()))
    }

    /// How many tasks could be given out.
    pub fn ready_count(&self, namespace: &Namespace) -> u64 {
        self.ready.count(namespace)
    }

    /// See [`Store::due`](crate::Store::due). A document that is answered is not answered again
    /// before it changes or is re-armed.
    pub fn due(&mut self, now: Timestamp, limit: usize) -> Vec<Due> {
        for key in self.ready.promote(now) {
            if let Some(task) = self.live.get(&key) {
                self.waiters.wake_one(task, &self.slots);
            }
        }
        self.timers.due(now, limit)
    }

    /// See [`Store::next_due`](crate::Store::next_due).
    pub fn next_due(&self) -> Option<Timestamp> {
        [self.timers.next(), self.ready.next_promotion()]
            .into_iter()
            .flatten()
            .min()
    }

    /// See [`Store::rearm`](crate::Store::rearm). Whoever asks read the document some time ago: a timer
    /// that a newer change has set meanwhile is not put off.
    pub fn rearm(&mut self, due: &Due, at: Timestamp) {
        let alive = match due {
            Due::Task(namespace, id) => self.live.contains_key(&(namespace.clone(), id.clone())),
            Due::Agent(namespace, id) => self.agents.contains_key(&(namespace.clone(), id.clone())),
        };
        if alive && self.timers.of(due).is_none_or(|present| at < present) {
            self.timers.arm(due.clone(), at);
        }
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

    /// See [`Store::stage_counts`](crate::Store::stage_counts).
    pub fn stage_counts(&self, namespace: &Namespace, id: &PipelineId) -> Vec<StageCounts> {
        self.counts.of_pipeline(&(namespace.clone(), id.clone()))
    }

    /// See [`Store::unsettled_pipelines`](crate::Store::unsettled_pipelines).
    pub fn unsettled(&self) -> Vec<(Namespace, PipelineId)> {
        let with_tasks = self.live_of_pipeline.keys();
        let unsettled: BTreeSet<&Key<PipelineId>> =
            self.unfinished.iter().chain(with_tasks).collect();
        unsettled.into_iter().cloned().collect()
    }

    /// See [`Store::totals`](crate::Store::totals).
    pub fn totals(&self, namespace: &Namespace) -> Totals {
        Totals {
            tasks: self.counts.of_namespace(namespace),
            ready: self.ready.count(namespace),
        }
    }

    /// Counts a committed change among what happened in its minute. Apart from [`Hot::apply_task`], because a start
    /// tells of documents, not of changes.
    pub fn record_activity(&mut self, old: Option<&Task>, new: &Task) {
        self.activities.record(old, new);
    }

    /// See [`Store::activity`](crate::Store::activity).
    pub fn activity(&self, namespace: &Namespace, minute: Timestamp) -> Activity {
        self.activities.of(namespace, minute)
    }

    /// What happened in the newest minutes, for a store that keeps it on disk.
    pub fn activities(&self) -> impl Iterator<Item = (&Namespace, Timestamp, &Activity)> {
        self.activities.all()
    }

    /// Sets what happened in a minute, for a store that keeps it on disk.
    pub fn restore_activity(&mut self, namespace: &Namespace, minute: Timestamp, was: Activity) {
        self.activities.restore(namespace, minute, was);
    }

    /// See [`Store::queues`](crate::Store::queues).
    pub fn queues(&self, namespace: &Namespace) -> Vec<Queue> {
        self.queues.of(namespace)
    }

    /// See [`Store::namespaces`](crate::Store::namespaces).
    pub fn namespaces(&self) -> Vec<Namespace> {
        let agents = self.agents.keys().map(|(namespace, _)| namespace);
        let all: BTreeSet<&Namespace> = self.counts.namespaces().chain(agents).collect();
        all.into_iter().cloned().collect()
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

    /// Counts an ended task that a restarting store read, without keeping it.
    pub fn count_ended(&mut self, task: &Task) {
        self.counts.moved(None, task);
    }

    /// Sets how many tasks of a namespace stand where, for a store that keeps these counts on disk.
    pub fn restore_totals(&mut self, namespace: &Namespace, totals: [u64; 7]) {
        self.counts.set_namespace(namespace, totals);
    }

    /// Sets how many tasks of a pipeline's stages stand where, for a store that keeps these counts
    /// on disk.
    pub fn restore_stage_counts(&mut self, key: &Key<PipelineId>, stages: &[StageCounts]) {
        self.counts.set_pipeline(key, stages);
    }

    /// Whether the stage counts of a pipeline are here.
    pub fn has_stage_counts(&self, key: &Key<PipelineId>) -> bool {
        self.counts.has_pipeline(key)
    }

    /// Forgets the stage counts of a pipeline in which nothing happens any more; tells whether it
    /// did. For a store that keeps them on disk, so that memory does not grow with what was.
    pub fn retire_stage_counts(&mut self, key: &Key<PipelineId>) -> bool {
        let quiet = !self.live_of_pipeline.contains_key(key) && !self.unfinished.contains(key);
        if quiet {
            self.counts.forget_pipeline(key);
        }
        quiet
    }

    fn place_in_queue(&mut self, key: &Key<TaskId>, task: &Arc<Task>, now: Timestamp) {
        let free = !self.blocked.contains_key(key) && !self.slots.is_reserved(key);
        match task.ready_at() {
            Some(at) if free => {
                if self.ready.insert(key, task, at, now) {
                    self.waiters.wake_one(task, &self.slots);
                }
            }
            _ => self.ready.remove(key),
        }
    }

    fn watch_dependencies(
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

    fn forget_dependencies(&mut self, key: &Key<TaskId>, task: &Task) {
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

    fn spare_dependents(&mut self, key: &Key<TaskId>) {
        for dependent in self.dependents.get(key).into_iter().flatten() {
            self.doomed
                .remove(&(key.0.clone(), dependent.clone(), key.1.clone()));
        }
    }

    /// A task ended: those that wait for it have one reason less to wait, or one for ever.
    fn release_dependents(&mut self, key: &Key<TaskId>, after: Status, now: Timestamp) {
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
