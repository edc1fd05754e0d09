//! Tasks, as those see them who want them done.

use mcpanel_api::{
    AgentId, TaskId,
    page::PageQuery,
    task::{
        Attempts, Cancel, Delegate, Explanation, LogPage, NewTask, NewTasks, Task, TaskPage,
        TaskQuery, TasksMade, UpdateTask,
    },
};
use reqwest::Method;

use crate::{Client, Created, IdempotencyKey, Result};

impl Client {
    /// Makes a task.
    pub async fn create_task(&self, task: &NewTask, key: &IdempotencyKey) -> Result<Task> {
        self.create_or_find_task(task, key)
            .await
            .map(|created| created.document)
    }

    /// Makes a task, and tells whether an equal request made it before.
    pub async fn create_or_find_task(
        &self,
        task: &NewTask,
        key: &IdempotencyKey,
    ) -> Result<Created<Task>> {
        self.post("/api/v1/tasks", task).keyed(key).created().await
    }

    /// Makes tasks, all or none.
    pub async fn create_tasks(&self, tasks: &NewTasks, key: &IdempotencyKey) -> Result<Vec<Task>> {
        let made: TasksMade = self
            .post("/api/v1/tasks/batch", tasks)
            .keyed(key)
            .answer()
            .await?;
        Ok(made.tasks.unwrap_or_default())
    }

    /// Makes tasks, all or none, and answers with their ids alone: what a busy producer wants.
    pub async fn create_task_ids(
        &self,
        tasks: &NewTasks,
        key: &IdempotencyKey,
    ) -> Result<Vec<TaskId>> {
        let made: TasksMade = self
            .post("/api/v1/tasks/batch", tasks)
            .keyed(key)
            .minimal()
            .answer()
            .await?;
        Ok(made.task_ids.unwrap_or_default())
    }

    /// A page of tasks.
    pub async fn list_tasks(&self, query: &TaskQuery) -> Result<TaskPage> {
        self.read("/api/v1/tasks").query(query).answer().await
    }

    /// A task.
    pub async fn get_task(&self, id: &TaskId) -> Result<Task> {
        self.read(&task(id)).answer().await
    }

    /// Changes a task that waits, where it is still at `revision`; at any when `None`.
    pub async fn update_task(
        &self,
        id: &TaskId,
        changes: &UpdateTask,
        revision: Option<u64>,
    ) -> Result<Task> {
        self.change(Method::PUT, &task(id))
            .json(changes)
            .if_match(revision)
            .answer()
            .await
    }

    /// Hands a task to an agent now; to the best one when none is named.
    pub async fn delegate_task(&self, id: &TaskId, agent_id: Option<AgentId>) -> Result<Task> {
        self.post(&format!("{}/delegate", task(id)), &Delegate { agent_id })
            .answer()
            .await
    }

    /// Cancels a task; a running one stops when its agent hears of it.
    pub async fn cancel_task(&self, id: &TaskId, reason: Option<&str>) -> Result<Task> {
        let cancel = Cancel {
            lease: None,
            reason: reason.map(str::to_owned),
        };
        self.post(&format!("{}/cancel", task(id)), &cancel)
            .repeatable()
            .answer()
            .await
    }

    /// Runs a failed or cancelled task again, with fresh attempts.
    pub async fn retry_task(&self, id: &TaskId) -> Result<Task> {
        self.change(Method::POST, &format!("{}/retry", task(id)))
            .answer()
            .await
    }

    /// Why a task does not run.
    pub async fn explain_task(&self, id: &TaskId) -> Result<Explanation> {
        self.read(&format!("{}/explain", task(id))).answer().await
    }

    /// The attempts at a task.
    pub async fn list_attempts(&self, id: &TaskId) -> Result<Attempts> {
        self.read(&format!("{}/attempts", task(id))).answer().await
    }

    /// A page of a task's log.
    pub async fn list_logs(&self, id: &TaskId, page: &PageQuery) -> Result<LogPage> {
        self.read(&format!("{}/logs", task(id)))
            .query(page)
            .answer()
            .await
    }
}

fn task(id: &TaskId) -> String {
    format!("/api/v1/tasks/{id}")
}
