//! The background work: building what is not whole, telling what is overdue, sweeping, the views, the events.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::{task::JoinHandle, time::Instant};

use super::{
    Shared,
    build::{SWEEP_MS, SWEPT},
    peers,
};
use crate::{source::Source, views::Views};

/// How often each queue is looked at, in milliseconds: so soon is it noticed that Redis was started anew.
const LOOK_MS: u64 = 1_000;

/// How often what is overdue is told, in milliseconds.
const OVERDUE_MS: u64 = 250;

/// The lock of whoever sweeps after Redis was away, and how long it keeps others from doing the same, in milliseconds.
const RETURNED: &str = "returned";
const RETURNED_MS: u64 = 10_000;

pub(super) fn workers(shared: &Arc<Shared>, source: &Weak<dyn Source>) -> Vec<JoinHandle<()>> {
    let views = Views::new(
        shared.link.clone(),
        shared.keys.clone(),
        shared.queue.clone(),
        source.clone(),
        shared.who.clone(),
    );
    let known = shared.known.clone();
    let publisher = shared.publisher.clone();
    vec![
        tokio::spawn(keep(Arc::downgrade(shared), source.clone())),
        tokio::spawn(peers::meet(Arc::downgrade(shared))),
        tokio::spawn(views.keep(move || known.lock().iter().cloned().collect())),
        tokio::spawn({
            let source = source.clone();
            async move { publisher.work(source).await }
        }),
    ]
}

async fn keep(shared: Weak<Shared>, source: Weak<dyn Source>) {
    let mut looked = Instant::now();
    let mut was_up = true;
    loop {
        {
            let (Some(shared), Some(source)) = (shared.upgrade(), source.upgrade()) else {
                return;
            };
            let nudged = shared.nudge.notified();
            let _ = tokio::time::timeout(Duration::from_millis(OVERDUE_MS), nudged).await;
            if !shared.link.is_up() {
                was_up = false;
                continue;
            }
            if !was_up {
                shared.queue.forget_names();
            }
            shared.build_wanted(&*source).await;
            shared.tell_overdue(&*source).await;
            if shared.peer_lost.swap(false, Ordering::Relaxed) {
                shared.sweep_for_a_peer(&*source).await;
            }
            if looked.elapsed() >= Duration::from_millis(LOOK_MS) || !was_up {
                looked = Instant::now();
                shared.look_at_all(&*source).await;
                shared.sweep(&*source, !was_up).await;
            }
            was_up = true;
        }
        tokio::task::yield_now().await;
    }
}

impl Shared {
    async fn build_wanted(&self, source: &dyn Source) {
        let wanted = std::mem::take(&mut *self.wanted.lock());
        for namespace in wanted {
            if let Err(error) = self.make_whole(source, &namespace).await {
                tracing::warn!(namespace = %namespace, error = %error, "the queue could not be built");
            }
        }
    }

    /// Looks whether each queue is whole, and has those built that are not.
    pub(super) async fn look_at_all(&self, source: &dyn Source) {
        if !self.link.is_up() {
            return;
        }
        if let Err(error) = self.check_origin(source).await {
            tracing::debug!(error = %error, "redis cannot be used now");
            return;
        }
        if let Ok(named) = self.queue.namespaces().await {
            self.known.lock().extend(named);
        }
        for namespace in self.some_namespaces() {
            match self.queue.look(&namespace).await {
                Ok(true) => {}
                Ok(false) => {
                    // Redis may have forgotten the others too, and only MongoDB knows them.
                    match source.namespaces().await {
                        Ok(all) => self.known.lock().extend(all),
                        Err(error) => tracing::warn!(error = %error, "namespaces cannot be read"),
                    }
                    self.queue.forget_names();
                    if let Err(error) = self.make_whole(source, &namespace).await {
                        tracing::warn!(namespace = %namespace, error = %error, "the queue could not be built");
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// Tells how tasks stand now whose change could not be told.
    async fn tell_overdue(&self, source: &dyn Source) {
        let overdue = std::mem::take(&mut *self.overdue.lock());
        if overdue.all {
            for namespace in self.namespaces() {
                if let Err(error) = self.build(source, &namespace).await {
                    tracing::warn!(namespace = %namespace, error = %error, "changes are still overdue");
                    self.overdue.lock().all = true;
                }
            }
            return;
        }
        for (namespace, ids) in overdue.tasks {
            let ids: Vec<_> = ids.into_iter().collect();
            if let Err(error) = self.retell(source, &namespace, &ids).await {
                tracing::debug!(namespace = %namespace, error = %error, "changes are still overdue");
                self.owe(&namespace, ids.iter());
            }
        }
        for (namespace, id) in overdue.agents {
            let noted = self
                .queue
                .note(&namespace, [&id].into_iter(), [].into_iter());
            if noted.await.is_err() {
                self.owe_views(&namespace, [&id].into_iter(), [].into_iter());
            }
        }
        for (namespace, id) in overdue.pipelines {
            let noted = self
                .queue
                .note(&namespace, [].into_iter(), [&id].into_iter());
            if noted.await.is_err() {
                self.owe_views(&namespace, [].into_iter(), [&id].into_iter());
            }
        }
    }

    /// Looks at everything because an instance is gone.
    async fn sweep_for_a_peer(&self, source: &dyn Source) {
        for namespace in self.namespaces() {
            if let Err(error) = self.build(source, &namespace).await {
                tracing::debug!(namespace = %namespace, error = %error, "a sweep was cut short");
                self.peer_lost.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Looks at everything now and then, one instance for all, and when Redis was away: changes
    /// may have been missed by instances that are no more.
    async fn sweep(&self, source: &dyn Source, returned: bool) {
        let (turn, every_ms) = if returned {
            (RETURNED, RETURNED_MS)
        } else {
            (SWEPT, SWEEP_MS)
        };
        for namespace in self.namespaces() {
            match self.first(&namespace, turn, every_ms).await {
                Ok(true) => {
                    if let Err(error) = self.build(source, &namespace).await {
                        tracing::debug!(namespace = %namespace, error = %error, "a sweep was cut short");
                    }
                }
                Ok(false) => {}
                Err(_) => return,
            }
        }
    }
}
