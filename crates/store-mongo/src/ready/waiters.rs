//! Claims of this instance that wait for work.

use std::collections::VecDeque;

use mcpanel_domain::{AgentId, Namespace, task::Task};
use mcpanel_store::Offer;
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

/// Waiting claims woken for one task. More than one, because one may have no slot free and nobody
/// counts slots here; few, because the others come for nothing.
const WOKEN_FOR_ONE: usize = 4;

/// Waiting claims by namespace, longest waiting first.
#[derive(Default)]
pub(super) struct Waiters(FxHashMap<Namespace, VecDeque<Waiter>>);

struct Waiter {
    offer: Offer,
    wake: oneshot::Sender<()>,
}

impl Waiters {
    pub(super) fn add(&mut self, offer: &Offer) -> oneshot::Receiver<()> {
        let (wake, woken) = oneshot::channel();
        let queue = self.0.entry(offer.namespace.clone()).or_default();
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

    /// Wakes those that could run a task.
    pub(super) fn wake_for(&mut self, task: &Task) {
        let Some(queue) = self.0.get_mut(&task.namespace) else {
            return;
        };
        let (mut at, mut woken) = (0, 0);
        while at < queue.len() && woken < WOKEN_FOR_ONE {
            if queue[at].wake.is_closed() {
                queue.remove(at);
            } else if suits(task, &queue[at].offer) {
                woken += usize::from(wake(queue.remove(at)));
            } else {
                at += 1;
            }
        }
    }

    /// Wakes an agent of which a slot became free.
    pub(super) fn wake_agent(&mut self, namespace: &Namespace, agent: &AgentId) {
        let Some(queue) = self.0.get_mut(namespace) else {
            return;
        };
        if let Some(at) = queue
            .iter()
            .position(|waiter| waiter.offer.agent_id == *agent)
        {
            wake(queue.remove(at));
        }
    }

    /// Where somebody waits.
    pub(super) fn namespaces(&self) -> Vec<Namespace> {
        let waiting = self.0.iter().filter(|(_, queue)| !queue.is_empty());
        waiting.map(|(namespace, _)| namespace.clone()).collect()
    }

    /// Wakes everyone in a namespace.
    pub(super) fn wake_all(&mut self, namespace: &Namespace) {
        for waiter in self.0.remove(namespace).into_iter().flatten() {
            wake(Some(waiter));
        }
    }
}

fn wake(waiter: Option<Waiter>) -> bool {
    waiter.is_some_and(|waiter| waiter.wake.send(()).is_ok())
}

fn suits(task: &Task, offer: &Offer) -> bool {
    task.target
        .as_ref()
        .is_none_or(|target| *target == offer.agent_id)
        && task
            .capabilities
            .iter()
            .all(|needed| offer.capabilities.binary_search(needed).is_ok())
}
