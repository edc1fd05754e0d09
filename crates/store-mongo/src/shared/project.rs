//! The store's side of it: changes in, claims out.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use mcpanel_domain::{Namespace, TaskId, Timestamp, event::Numbered, task::Task};
use mcpanel_store::Offer;
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use super::{Shared, overdue::Untold};
use crate::{Away, Change, Projection, ReadyQueue};

/// How long a claim waits for a queue that is being built before it asks MongoDB, in milliseconds. A small
/// queue is built by then.
const BUILDING_MS: u64 = 250;

#[async_trait]
impl Projection for Shared {
    async fn apply(&self, changes: &[Change]) {
        let mut by_namespace: FxHashMap<&Namespace, Untold<'_>> = FxHashMap::default();
        for change in changes {
            let (namespace, task) = match change {
                Change::Task { new, blocked, .. } => {
                    (&new.namespace, Some((new.clone(), *blocked)))
                }
                Change::Agent { namespace, .. } => (namespace, None),
                Change::Pipeline { new } => (&new.namespace, None),
            };
            let untold = by_namespace
                .entry(namespace)
                .or_insert_with(|| Untold::new(self, namespace));
            untold.tasks.extend(task);
            match change {
                Change::Task { .. } => {}
                Change::Agent { id, .. } => untold.agents.push(id),
                Change::Pipeline { new } => untold.pipelines.push(&new.id),
            }
        }
        for (namespace, mut untold) in by_namespace {
            self.know(namespace);
            self.tell(&mut untold).await;
        }
    }

    async fn publish(&self, events: &[Arc<Numbered>]) {
        self.publisher.push(events);
    }
}

#[async_trait]
impl ReadyQueue for Shared {
    async fn take(&self, offer: &Offer, room: u32, now: Timestamp) -> Result<Vec<TaskId>, Away> {
        self.know(&offer.namespace);
        let taken = self.take_whole(offer, room, now).await;
        let figure = match taken {
            Ok(_) => &self.figures.claims,
            Err(Away) => {
                self.note_disturbance();
                &self.figures.claims_away
            }
        };
        figure.fetch_add(1, Ordering::Relaxed);
        taken
    }

    fn give_back(&self, namespace: &Namespace, tasks: &[Arc<Task>]) {
        self.queue
            .give_back(namespace, tasks.iter().map(|task| &**task));
    }

    fn forget(&self, namespace: &Namespace, ids: &[TaskId]) {
        // They are looked up again: what MongoDB says of them now is told.
        self.owe(namespace, ids.iter());
        self.nudge.notify_one();
    }

    fn wait(&self, offer: &Offer) -> oneshot::Receiver<()> {
        self.queue.wait(offer)
    }

    async fn ahead(&self, task: &Task) -> Result<Option<u64>, Away> {
        match self.queue.ahead(&task.namespace, &task.id).await? {
            (true, ahead) => Ok(ahead),
            (false, _) => {
                self.want(&task.namespace);
                Err(Away)
            }
        }
    }

    async fn ready(&self, namespace: &Namespace) -> Result<u64, Away> {
        self.know(namespace);
        let state = self.queue.promote(namespace, self.now()).await?;
        if state.whole {
            return Ok(state.ready);
        }
        self.wait_until_built(namespace).await?;
        let state = self.queue.promote(namespace, self.now()).await?;
        state.whole.then_some(state.ready).ok_or(Away)
    }
}

impl Shared {
    /// Tells what is untold, and leaves in it what could not be told.
    async fn tell(&self, untold: &mut Untold<'_>) {
        if !untold.tasks.is_empty() {
            let count = untold.tasks.len() as u64;
            self.figures.changes.fetch_add(count, Ordering::Relaxed);
            let put = self
                .queue
                .put(untold.namespace, &untold.tasks, self.now(), false)
                .await;
            if let Ok(put) = put {
                untold.tasks.clear();
                if !put.whole {
                    self.want(untold.namespace);
                }
            }
        }
        let (agents, pipelines) = (untold.agents.iter(), untold.pipelines.iter());
        let noted = self
            .queue
            .note(untold.namespace, agents.copied(), pipelines.copied())
            .await;
        if noted.is_ok() {
            untold.agents.clear();
            untold.pipelines.clear();
        }
    }

    pub(super) fn count_overdue(&self, tasks: usize) {
        self.figures
            .changes_overdue
            .fetch_add(tasks as u64, Ordering::Relaxed);
    }

    async fn take_whole(
        &self,
        offer: &Offer,
        room: u32,
        now: Timestamp,
    ) -> Result<Vec<TaskId>, Away> {
        let mut taken = self.queue.take(offer, room, now).await?;
        if !taken.whole {
            self.wait_until_built(&offer.namespace).await?;
            taken = self.queue.take(offer, room, now).await?;
        }
        if !taken.whole {
            return Err(Away);
        }
        Ok(taken.tasks.into_iter().map(|(id, _)| id).collect())
    }

    async fn wait_until_built(&self, namespace: &Namespace) -> Result<(), Away> {
        let built = self.built.notified();
        tokio::pin!(built);
        built.as_mut().enable();
        self.want(namespace);
        tokio::time::timeout(Duration::from_millis(BUILDING_MS), built)
            .await
            .map_err(|_| Away)
    }

    /// Queues tasks whose time has come, in all namespaces; who waits for them is told.
    pub async fn promote(&self, now: Timestamp) {
        for namespace in self.namespaces() {
            match self.queue.promote(&namespace, now).await {
                Ok(state) => {
                    if !state.whole {
                        self.want(&namespace);
                    }
                    self.left_behind(&namespace, state.left);
                }
                Err(Away) => {
                    self.note_disturbance();
                    return;
                }
            }
        }
    }
}
