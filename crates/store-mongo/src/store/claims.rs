//! Giving out tasks: set aside by Redis, or by MongoDB's index when that cannot be asked.

use std::sync::Arc;

use mcpanel_domain::{Namespace, TaskId, Timestamp, task::Task};
use mcpanel_store::{Offer, Result};
use tokio::sync::oneshot;

use super::MongoStore;
use crate::{answer, project::ReadyQueue};

impl MongoStore {
    /// Sets ready tasks aside for a claim.
    pub(super) async fn take(&self, offer: &Offer, now: Timestamp) -> Result<Vec<Arc<Task>>> {
        if offer.max == 0 {
            return Ok(Vec::new());
        }
        if let Some(ids) = self.take_shared(offer, now).await {
            return self.claimed(offer, ids, now, true).await;
        }
        let held = self.held(offer).await?;
        if held >= offer.concurrency {
            return Ok(Vec::new());
        }
        let given = |id: &TaskId| self.ledger.may_have_given(&offer.namespace, id);
        let ids = self.queue.take(offer, held, now, &given).await?;
        self.claimed(offer, ids, now, false).await
    }

    /// Lets tasks go that were set aside.
    pub(super) fn give_back(&self, namespace: &Namespace, tasks: &[Arc<Task>]) {
        if let Some(shared) = &self.shared {
            ReadyQueue::give_back(&**shared, namespace, tasks);
        }
        self.queue.give_back(namespace, tasks);
    }

    /// Told when there may be something for the offer.
    pub(super) fn wait(&self, offer: &Offer) -> oneshot::Receiver<()> {
        match &self.shared {
            Some(shared) => ReadyQueue::wait(&**shared, offer),
            None => self.queue.wait(offer),
        }
    }

    /// How many tasks come before one, if it is ready.
    pub(super) async fn ahead(&self, namespace: &Namespace, id: &TaskId) -> Result<Option<u64>> {
        let ids = std::slice::from_ref(id);
        let found = answer::standing(&self.mongo, namespace, ids).await?;
        let Some((task, blocked)) = found.into_iter().flatten().next() else {
            return Ok(None);
        };
        if blocked || task.ready_at().is_none() {
            return Ok(None);
        }
        if let Some(shared) = &self.shared
            && let Ok(ahead) = ReadyQueue::ahead(&**shared, &task).await
        {
            return Ok(ahead);
        }
        self.queue.ahead(&task).await
    }

    /// How many tasks the offer's session holds.
    async fn held(&self, offer: &Offer) -> Result<u32> {
        let given = self.ledger.given_to(&offer.namespace, &offer.session);
        let held = answer::held_by_session(&self.mongo, offer).await?;
        Ok(held.saturating_add(given))
    }

    /// Sets tasks aside in Redis, if it can be asked. Its count of the session's leases is believed while nothing
    /// is known to have been missed; otherwise MongoDB is asked too.
    async fn take_shared(&self, offer: &Offer, now: Timestamp) -> Option<Vec<TaskId>> {
        let shared = self.shared.as_ref()?;
        let room = if shared.is_steady() {
            offer.concurrency
        } else {
            let held = answer::held_by_session(&self.mongo, offer).await.ok()?;
            offer.concurrency.saturating_sub(held)
        };
        ReadyQueue::take(&**shared, offer, room, now).await.ok()
    }

    /// What was set aside, as it is now; what is not ready any more is let go.
    async fn claimed(
        &self,
        offer: &Offer,
        ids: Vec<TaskId>,
        now: Timestamp,
        from_shared: bool,
    ) -> Result<Vec<Arc<Task>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let standing = answer::standing(&self.mongo, &offer.namespace, &ids).await?;
        let ready: Vec<Arc<Task>> = standing
            .into_iter()
            .flatten()
            .filter(|(task, blocked)| !blocked && task.ready_at().is_some_and(|at| at <= now))
            .map(|(task, _)| task)
            // A queue that forgot whom it was given to offers it again.
            .filter(|task| !self.ledger.has_given(task))
            .collect();
        for task in &ready {
            self.committer.heads().put_task(task);
        }
        match &self.shared {
            Some(shared) if from_shared => {
                let gone: Vec<TaskId> = ids
                    .into_iter()
                    .filter(|id| !ready.iter().any(|task| task.id == *id))
                    .collect();
                if !gone.is_empty() {
                    ReadyQueue::forget(&**shared, &offer.namespace, &gone);
                }
            }
            _ => self.queue.confirm(&offer.namespace, &ids, &ready),
        }
        Ok(ready)
    }
}
