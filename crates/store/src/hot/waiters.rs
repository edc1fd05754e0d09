//! Agents that wait for work, woken one for each task that becomes ready.

use std::collections::VecDeque;

use mcpanel_domain::{AgentId, Namespace, task::Task};
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use super::slots::Slots;
use crate::Offer;

/// Waiting claims by namespace, longest waiting first.
#[derive(Default)]
pub(super) struct Waiters {
    by_namespace: FxHashMap<Namespace, VecDeque<Waiter>>,
}

struct Waiter {
    offer: Offer,
    wake: oneshot::Sender<()>,
}

impl Waiters {
    pub(super) fn add(&mut self, offer: &Offer) -> oneshot::Receiver<()> {
        let (wake, woken) = oneshot::channel();
        let queue = self
            .by_namespace
            .entry(offer.namespace.clone())
            .or_default();
        // Claims that gave up leave their place; sweep them before the queue could grow with them.
        if queue.len() == queue.capacity() {
            queue.retain(|waiter| !waiter.wake.is_closed());
        }
        queue.push_back(Waiter {
            offer: offer.clone(),
            wake,
        });
        woken
    }

    /// Wakes the longest waiting agent that could run the task and has a free slot: one without
    /// would leave it lying, and nobody else would be told.
    pub(super) fn wake_one(&mut self, task: &Task, slots: &Slots) {
        let Some(queue) = self.by_namespace.get_mut(&task.namespace) else {
            return;
        };
        let mut at = 0;
        while at < queue.len() {
            if queue[at].wake.is_closed() {
                queue.remove(at);
                continue;
            }
            let offer = &queue[at].offer;
            let fits = task
                .target
                .as_ref()
                .is_none_or(|target| *target == offer.agent_id)
                && task
                    .capabilities
                    .iter()
                    .all(|needed| offer.capabilities.binary_search(needed).is_ok())
                && slots.room(offer) > 0;
            if fits {
                if let Some(waiter) = queue.remove(at)
                    && waiter.wake.send(()).is_ok()
                {
                    return;
                }
            } else {
                at += 1;
            }
        }
    }

    /// Wakes an agent of which a slot became free.
    pub(super) fn wake_agent(&mut self, namespace: &Namespace, agent: &AgentId) {
        let Some(queue) = self.by_namespace.get_mut(namespace) else {
            return;
        };
        if let Some(at) = queue
            .iter()
            .position(|waiter| waiter.offer.agent_id == *agent)
            && let Some(waiter) = queue.remove(at)
        {
            // It may have given up; nothing is lost then.
            let _ = waiter.wake.send(());
        }
    }
}
