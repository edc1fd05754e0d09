//! The store with a rule broken on purpose.

use std::sync::Arc;

use mcpanel_domain::{
    Timestamp,
    event::Kind,
    task::{Outcome, State, Status, Task},
};
use mcpanel_store::{
    Commit, Offer, Receipt, Result, Store, Write,
    query::{Page, TaskFilter},
};

use super::SimStore;
use crate::{executor::yield_now, mutation::Mutation};

/// Tasks that a mutation looks through; runs are small.
const TASKS_SEEN: usize = 200;

impl SimStore {
    pub(super) async fn commit_broken(
        &self,
        mutation: Mutation,
        mut commit: Commit,
    ) -> Result<Receipt> {
        match mutation {
            Mutation::AckBeforeFlush => {
                let receipt = self.write(commit).await?;
                if self.shared.random.lock().chance(30) {
                    *self.flushed.lock() = Some(self.inner.restarted());
                }
                Ok(receipt)
            }
            Mutation::TornCommit => {
                let events = std::mem::take(&mut commit.events);
                self.write(commit).await?;
                yield_now().await;
                let rest = Commit {
                    events,
                    ..Commit::default()
                };
                self.write(rest).await
            }
            Mutation::IgnoreRevisions => {
                for write in &mut commit.writes {
                    self.force(write).await?;
                }
                self.write(commit).await
            }
            Mutation::LoseEvents => {
                if self.shared.random.lock().chance(5) {
                    commit.events.pop();
                }
                self.write(commit).await
            }
            Mutation::ProgressFalls => {
                for write in &mut commit.writes {
                    change(write, |task| {
                        if task.status() == Status::Running && task.progress.percent > 50.0 {
                            task.progress.percent -= 50.0;
                        }
                    });
                }
                self.write(commit).await
            }
            Mutation::RetryForEver => {
                let at = self.shared.clock.time();
                let mut retried = false;
                for write in &mut commit.writes {
                    change(write, |task| {
                        let tried = task
                            .attempts
                            .last()
                            .is_some_and(|last| last.outcome == Some(Outcome::Failed));
                        if task.status() == Status::Failed && tried && task.place.is_none() {
                            task.state = State::Retry { at };
                            task.retry_count += 1;
                            task.completed_at = None;
                            retried = true;
                        }
                    });
                }
                for event in &mut commit.events {
                    if retried && event.kind == Kind::TaskFailed {
                        event.kind = Kind::TaskRetrying;
                        event.status = Some(Status::Retry.as_str().into());
                    }
                }
                self.write(commit).await
            }
            Mutation::SkipFencing
            | Mutation::IgnoreDependencies
            | Mutation::OverfillSlots
            | Mutation::ForgetTimers
            | Mutation::AckUnknown
            | Mutation::TrustQueue
            | Mutation::NeverVerify
            | Mutation::BelieveLeases => self.write(commit).await,
        }
    }

    pub(super) async fn take_broken(
        &self,
        mutation: Mutation,
        offer: &Offer,
        now: Timestamp,
    ) -> Result<Vec<Arc<Task>>> {
        let greedy = Offer {
            concurrency: u32::MAX,
            ..offer.clone()
        };
        let offer = match mutation {
            Mutation::OverfillSlots => &greedy,
            _ => offer,
        };
        let taken = self.inner.take_ready(offer, now).await?;
        if mutation != Mutation::IgnoreDependencies || !taken.is_empty() {
            return Ok(taken);
        }
        let filter = TaskFilter {
            statuses: vec![Status::Pending],
            ..TaskFilter::default()
        };
        let page = Page::first(TASKS_SEEN);
        let waiting = self
            .inner
            .list_tasks(&offer.namespace, &filter, &page)
            .await?;
        Ok(waiting
            .items
            .into_iter()
            .filter(|task| !task.dependencies.is_empty())
            .take(1)
            .collect())
    }

    /// Makes a write fit whatever is stored.
    async fn force(&self, write: &mut Write) -> Result<()> {
        if let Write::Task { task, .. } = write {
            let ids = std::slice::from_ref(&task.id);
            let stored = self.inner.tasks(&task.namespace, ids).await?;
            if let Some(stored) = stored.into_iter().flatten().next() {
                Arc::make_mut(task).revision = stored.revision + 1;
            }
        }
        Ok(())
    }
}

fn change(write: &mut Write, mut by: impl FnMut(&mut Task)) {
    if let Write::Task { task, .. } = write {
        by(Arc::make_mut(task));
    }
}
