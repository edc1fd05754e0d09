//! Reservations of this instance: which are out, and which are on their way back.

use std::sync::atomic::{AtomicUsize, Ordering};

use mcpanel_domain::{Namespace, TaskId, task::Task};
use mcpanel_store::Key;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

/// Reservations remembered at once. Each lives for some seconds; when there are more, the oldest come back by
/// themselves.
const OUT_MAX: usize = 100_000;

/// Reservations by task.
#[derive(Default)]
pub(super) struct Returns {
    /// The task's revision and the nonce that each was made with.
    out: Mutex<FxHashMap<Key<TaskId>, (u64, u64)>>,
    back: Mutex<FxHashMap<Namespace, Vec<Return>>>,
    /// Returns that were asked for and have not reached the server.
    under_way: AtomicUsize,
    /// Held while returns are sent, so that who comes later finds them done.
    pub(super) sending: tokio::sync::Mutex<()>,
    pub(super) asked: Notify,
}

/// A reservation to give back: it is looked up by all three.
pub(super) struct Return {
    pub(super) id: TaskId,
    pub(super) revision: u64,
    pub(super) nonce: u64,
}

impl Returns {
    pub(super) fn reserve(&self, namespace: &Namespace, tasks: &[(TaskId, u64)], nonce: u64) {
        let mut out = self.out.lock();
        if out.len() + tasks.len() > OUT_MAX {
            out.clear();
        }
        for (id, revision) in tasks {
            out.insert((namespace.clone(), id.clone()), (*revision, nonce));
        }
    }

    /// The nonce with which a task was set aside at a revision, if it is.
    pub(super) fn nonce(&self, namespace: &Namespace, id: &TaskId, revision: u64) -> Option<u64> {
        let out = self.out.lock();
        let (at, nonce) = out.get(&(namespace.clone(), id.clone()))?;
        (*at == revision).then_some(*nonce)
    }

    /// The reservation was used up: the task changed.
    pub(super) fn spend<'a>(&self, namespace: &Namespace, ids: impl Iterator<Item = &'a TaskId>) {
        let mut out = self.out.lock();
        if out.is_empty() {
            return;
        }
        for id in ids {
            out.remove(&(namespace.clone(), id.clone()));
        }
    }

    /// Asks for the return of those among `tasks` that are out.
    pub(super) fn give_back<'a>(
        &self,
        namespace: &Namespace,
        tasks: impl Iterator<Item = &'a Task>,
    ) {
        let mut out = self.out.lock();
        let mut returns = Vec::new();
        for task in tasks {
            let key = (namespace.clone(), task.id.clone());
            // A later claim's reservation of the changed task is left alone.
            match out.get(&key) {
                Some((revision, nonce)) if *revision == task.revision => returns.push(Return {
                    id: task.id.clone(),
                    revision: *revision,
                    nonce: *nonce,
                }),
                _ => continue,
            }
            out.remove(&key);
        }
        drop(out);
        if returns.is_empty() {
            return;
        }
        self.under_way.fetch_add(returns.len(), Ordering::SeqCst);
        self.back
            .lock()
            .entry(namespace.clone())
            .or_default()
            .extend(returns);
        self.asked.notify_one();
    }

    /// Asks for the return of all.
    pub(super) fn give_back_all(&self) {
        let out = std::mem::take(&mut *self.out.lock());
        self.under_way.fetch_add(out.len(), Ordering::SeqCst);
        let mut back = self.back.lock();
        for ((namespace, id), (revision, nonce)) in out {
            back.entry(namespace).or_default().push(Return {
                id,
                revision,
                nonce,
            });
        }
        drop(back);
        self.asked.notify_one();
    }

    pub(super) fn any_under_way(&self) -> bool {
        self.under_way.load(Ordering::SeqCst) > 0
    }

    pub(super) fn take(&self) -> FxHashMap<Namespace, Vec<Return>> {
        std::mem::take(&mut *self.back.lock())
    }

    pub(super) fn done(&self, count: usize) {
        self.under_way.fetch_sub(count, Ordering::SeqCst);
    }
}
