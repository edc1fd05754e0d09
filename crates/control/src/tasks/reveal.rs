//! Showing what a task was given and gave back, with a line in the record of what happened.

use mcpanel_domain::{TaskId, event::Kind, task};
use mcpanel_store::Commit;

use super::{TaskManager, TaskView};
use crate::{Result, Scope};

impl TaskManager {
    /// A task with its payloads, for somebody who asked to see them: parameters and results may be health data, so
    /// who saw them and when is recorded, durably, before they are shown.
    pub async fn reveal(&self, scope: &Scope, id: &TaskId) -> Result<TaskView> {
        let view = self.get(scope, id).await?;
        let seen = format!("parameters and result shown to `{}`", scope.actor);
        let event = task::event(&view.task, Kind::TaskRevealed, self.core.now(), Some(seen));
        self.core
            .commit(
                Commit::default()
                    .with_events([event])
                    .caused_by(&scope.actor),
            )
            .await?;
        Ok(view)
    }
}
