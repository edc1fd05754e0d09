//! Tasks by id, and how many there are.

use std::sync::Arc;

use mcpanel_domain::{Namespace, TaskId, task::Task};
use mcpanel_store::{
    Result,
    query::{TaskFilter, Totals},
};

use super::MongoStore;
use crate::{answer, project::ReadyQueue};

impl MongoStore {
    /// Tasks, in the order asked.
    pub(super) async fn documents(
        &self,
        namespace: &Namespace,
        ids: &[TaskId],
    ) -> Result<Vec<Option<Arc<Task>>>> {
        let standing = answer::standing(&self.mongo, namespace, ids).await?;
        let heads = self.committer.heads();
        Ok(standing
            .into_iter()
            .map(|found| {
                let (task, _) = found?;
                heads.put_task(&task);
                Some(task)
            })
            .collect())
    }

    /// How many tasks a filter finds, up to `cap`.
    pub(super) async fn count(
        &self,
        namespace: &Namespace,
        filter: &TaskFilter,
        cap: u64,
    ) -> Result<u64> {
        if filter.names_statuses_only() {
            let counts = answer::task_counts(&self.mongo, namespace).await?;
            let totals = Totals {
                tasks: counts,
                ready: 0,
            };
            return Ok(totals.of(&filter.statuses).min(cap));
        }
        answer::count_tasks(&self.mongo, namespace, filter, cap).await
    }

    /// How many tasks stand where, and how many are ready.
    pub(super) async fn total(&self, namespace: &Namespace) -> Result<Totals> {
        let tasks = answer::task_counts(&self.mongo, namespace).await?;
        let shared = match &self.shared {
            Some(shared) => ReadyQueue::ready(&**shared, namespace).await.ok(),
            None => None,
        };
        let ready = match shared {
            Some(ready) => ready,
            None => self.queue.ready(namespace).await?,
        };
        Ok(Totals { tasks, ready })
    }
}
