//! What people and other programs do with tasks that they do not hold.

use axum::{extract::State, response::Response};
use mcpanel_api::{
    schema,
    task::{Cancel, Delegate, Task, UpdateTask},
};
use mcpanel_domain::TaskId;
use mcpanel_guard::Permission;

use super::hold::{proof, shown};
use crate::{
    app::App,
    error::ApiResult,
    extract::{Caller, IfMatch, JsonBody, JsonBodyOrDefault, Path, Prefer},
    routes::respond::require,
    views,
};

/// Changes a task that waits
///
/// What is left out stays as it is; null takes a time away. A task that an agent holds, or that has ended, cannot
/// be changed.
#[utoipa::path(
    put, path = "/api/v1/tasks/{task_id}", operation_id = "update_task", tag = "tasks", request_body = UpdateTask,
    params(
        ("task_id" = schema::Id, Path, description = "Which task."),
        ("If-Match" = String, Header, description = "The `ETag` that you read, or `*`.")
    ),
    responses((status = 200, description = "The task.", body = Task, headers(("ETag" = String, description = "Its revision."))))
)]
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TaskId>,
    wanted: IfMatch,
    JsonBody(body): JsonBody<UpdateTask>,
) -> ApiResult<Response> {
    let revision = wanted.required()?;
    let scope = app.scope(&caller);
    let tasks = &app.control.tasks;
    let present = tasks.get(&scope, &id).await?;
    let changes = views::task::changes(body, &present.task.retry);
    let task = tasks.update(&scope, &id, changes, revision).await?;
    shown(&app, &scope, task, Prefer::default()).await
}

/// Has a task run by one agent
///
/// By the named agent, or by the best one there is now: capable, taking work, with the most free slots. The agent gets it with its
/// next claim.
#[utoipa::path(
    post, path = "/api/v1/tasks/{task_id}/delegate", operation_id = "delegate_task", tag = "tasks", request_body = Delegate,
    params(("task_id" = schema::Id, Path, description = "Which task.")),
    responses((status = 200, description = "The task.", body = Task, headers(("ETag" = String, description = "Its revision."))))
)]
pub async fn delegate(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TaskId>,
    JsonBodyOrDefault(body): JsonBodyOrDefault<Delegate>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let task = app
        .control
        .tasks
        .delegate(&scope, &id, body.agent_id.as_ref())
        .await?;
    shown(&app, &scope, task, Prefer::default()).await
}

/// Cancels a task, or confirms that it was stopped
///
/// A waiting task is cancelled at once. For one that an agent holds, `cancel_requested` is set; the agent hears of it
/// with its next heartbeat, stops, and confirms here with its `lease`. If it does not, the task is cancelled after a
/// while anyway. Needs `task:manage`, or `task:execute` with the `lease`.
#[utoipa::path(
    post, path = "/api/v1/tasks/{task_id}/cancel", operation_id = "cancel_task", tag = "tasks", request_body = Cancel,
    params(("task_id" = schema::Id, Path, description = "Which task.")),
    responses((status = 200, description = "The task.", body = Task, headers(("ETag" = String, description = "Its revision."))))
)]
pub async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TaskId>,
    JsonBodyOrDefault(body): JsonBodyOrDefault<Cancel>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let tasks = &app.control.tasks;
    let task = match body.lease {
        Some(lease) => {
            require(&caller, Permission::TaskExecute, "task", id.as_str())?;
            tasks.confirm_cancel(&scope, &id, proof(&lease)).await?
        }
        None => {
            require(&caller, Permission::TaskManage, "task", id.as_str())?;
            tasks.cancel(&scope, &id, body.reason).await?
        }
    };
    shown(&app, &scope, task, Prefer::default()).await
}

/// Tries an ended task again
///
/// A failed or cancelled task returns to the queue with all its retries. One that waits for its next attempt is
/// tried now.
#[utoipa::path(
    post, path = "/api/v1/tasks/{task_id}/retry", operation_id = "retry_task", tag = "tasks",
    params(("task_id" = schema::Id, Path, description = "Which task.")),
    responses((status = 200, description = "The task.", body = Task, headers(("ETag" = String, description = "Its revision."))))
)]
pub async fn retry(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TaskId>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let task = app.control.tasks.retry(&scope, &id).await?;
    shown(&app, &scope, task, Prefer::default()).await
}
