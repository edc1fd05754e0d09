//! Tasks, as the agent that holds them reports about them. Each call carries the lease; all may be repeated,
//! because a lease that has ended changes nothing.

use mcpanel_api::{
    TaskId,
    task::{
        AppendLogs, Cancel, Complete, CompleteBatch, CompletionsDone, Fail, Release,
        ReportProgress, Start, Task,
    },
};
use serde::Serialize;

use crate::{Client, Result};

impl Client {
    /// Says that work on a task begins.
    pub async fn start_task(&self, id: &TaskId, start: &Start) -> Result<Task> {
        self.held(id, "start", start).await
    }

    /// Says how far a task is.
    pub async fn report_progress(&self, id: &TaskId, progress: &ReportProgress) -> Result<Task> {
        self.held(id, "progress", progress).await
    }

    /// Says that a task is done.
    pub async fn complete_task(&self, id: &TaskId, complete: &Complete) -> Result<Task> {
        self.held(id, "complete", complete).await
    }

    /// Says that tasks are done; the answer tells which were refused.
    pub async fn complete_tasks(&self, batch: &CompleteBatch) -> Result<CompletionsDone> {
        self.post("/api/v1/tasks/complete", batch)
            .repeatable()
            .answer()
            .await
    }

    /// Says that the attempt failed.
    pub async fn fail_task(&self, id: &TaskId, fail: &Fail) -> Result<Task> {
        self.held(id, "fail", fail).await
    }

    /// Gives a task back unharmed.
    pub async fn release_task(&self, id: &TaskId, release: &Release) -> Result<Task> {
        self.held(id, "release", release).await
    }

    /// Says that a task which was to be stopped has stopped.
    pub async fn confirm_cancel(&self, id: &TaskId, lease: &str) -> Result<Task> {
        let cancel = Cancel {
            lease: Some(lease.to_owned()),
            reason: None,
        };
        self.held(id, "cancel", &cancel).await
    }

    /// Adds lines to a task's log. Not repeated: a line too few is better than one twice.
    pub async fn append_logs(&self, id: &TaskId, logs: &AppendLogs) -> Result<()> {
        self.post(&format!("/api/v1/tasks/{id}/logs"), logs)
            .done()
            .await
    }

    async fn held<T: Serialize>(&self, id: &TaskId, verb: &str, body: &T) -> Result<Task> {
        self.post(&format!("/api/v1/tasks/{id}/{verb}"), body)
            .repeatable()
            .answer()
            .await
    }
}
