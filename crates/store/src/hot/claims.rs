//! Giving out what is ready, and what falls due.

use std::sync::Arc;

use mcpanel_domain::{Namespace, TaskId, Timestamp, task::Task};
use tokio::sync::oneshot;

use super::Hot;
use crate::{Due, Key, Offer};

impl Hot {
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

    pub(super) fn place_in_queue(&mut self, key: &Key<TaskId>, task: &Arc<Task>, now: Timestamp) {
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
}
