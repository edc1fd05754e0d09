//! Agents that wait for work, woken one for each task that becomes ready.

use std::collections::VecDeque;

use mcpanel_domain::{AgentId, Name, Namespace, task::Task};
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use crate::Offer;

/// Waiting claims by namespace, longest waiting first.
#[derive(Default)]
pub(super) struct Waiters {
    by_namespace: FxHashMap<Namespace, VecDeque<Waiter>>,
}

struct Waiter {
    agent_id: AgentId,
    capabilities: Vec<Name>,
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
            agent_id: offer.agent_id.clone(),
            capabilities: offer.capabilities.clone(),
            wake,
        });
        woken
    }

    /// Wakes the longest waiting agent that could run the task.
    pub(super) fn wake_one(&mut self, task: &Task) {
        let Some(queue) = self.by_namespace.get_mut(&task.namespace) else {
            return;
        };
        let mut at = 0;
        while at < queue.len() {
            if queue[at].wake.is_closed() {
                queue.remove(at);
                continue;
            }
            let fits = task
                .target
                .as_ref()
                .is_none_or(|target| *target == queue[at].agent_id)
                && task
                    .capabilities
                    .iter()
                    .all(|needed| queue[at].capabilities.binary_search(needed).is_ok());
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
        if let Some(at) = queue.iter().position(|waiter| waiter.agent_id == *agent)
            && let Some(waiter) = queue.remove(at)
        {
            // It may have given up; nothing is lost then.
            let _ = waiter.wake.send(());
        }
    }
}
