//! What the agent that holds a task says: it began, how far it is, that it failed, that it gives the task back.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mcpanel_api::{
    schema,
    task::{Fail, Release, ReportProgress, Start, Task},
};
use mcpanel_control::Scope;
use mcpanel_domain::{
    TaskId,
    task::{self as rules, Progress, TaskError},
};

use crate::{
    app::App,
    error::ApiResult,
    extract::{Caller, JsonBody, Path, Prefer},
    routes::respond,
    views,
};

pub(super) use crate::views::task::proof;

/// What is written down for a task that was given back without a reason.
const NO_REASON: &str = "the agent gave it back";

/// Says that work begins
///
/// Optional: a report of progress or a completion says so too. With `Prefer: return=minimal`, here and in the other
/// calls of holders, the answer is 204 without the task.
#[utoipa::path(
    post, path = "/api/v1/tasks/{task_id}/start", operation_id = "start_task", tag = "tasks", request_body = Start,
    params(("task_id" = schema::Id, Path, description = "Which task.")),
    responses((status = 200, description = "The task.", body = Task), (status = 204, description = "Done, as preferred without the task."))
)]
pub async fn start(
    State(app): State<App>,
    caller: Caller,
    prefer: Prefer,
    Path(id): Path<TaskId>,
    JsonBody(body): JsonBody<Start>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let task = app
        .control
        .tasks
        .start(&scope, &id, proof(&body.lease))
        .await?;
    shown(&app, &scope, task, prefer).await
}

/// Says how far a task is
#[utoipa::path(
    post, path = "/api/v1/tasks/{task_id}/progress", operation_id = "report_progress", tag = "tasks",
    request_body = ReportProgress, params(("task_id" = schema::Id, Path, description = "Which task.")),
    responses((status = 200, description = "The task.", body = Task), (status = 204, description = "Done, as preferred without the task."))
)]
pub async fn progress(
    State(app): State<App>,
    caller: Caller,
    prefer: Prefer,
    Path(id): Path<TaskId>,
    JsonBody(body): JsonBody<ReportProgress>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let report = Progress {
        percent: body.progress,
        message: body.message,
        counters: body.counters.into_iter().collect(),
    };
    let task = app
        .control
        .tasks
        .report(&scope, &id, proof(&body.lease), report)
        .await?;
    shown(&app, &scope, task, prefer).await
}

/// Says that the attempt failed
///
/// The task's retry policy decides by the class of the error whether there is another attempt, and when.
#[utoipa::path(
    post, path = "/api/v1/tasks/{task_id}/fail", operation_id = "fail_task", tag = "tasks", request_body = Fail,
    params(("task_id" = schema::Id, Path, description = "Which task.")),
    responses((status = 200, description = "The task.", body = Task), (status = 204, description = "Done, as preferred without the task."))
)]
pub async fn fail(
    State(app): State<App>,
    caller: Caller,
    prefer: Prefer,
    Path(id): Path<TaskId>,
    JsonBody(body): JsonBody<Fail>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let error = TaskError {
        kind: body.error.kind.into(),
        message: body.error.message,
        details: body.error.details,
    };
    let task = app
        .control
        .tasks
        .fail(&scope, &id, proof(&body.lease), error)
        .await?;
    shown(&app, &scope, task, prefer).await
}

/// Gives a task back
///
/// It returns to the queue unharmed, and no retry is used up.
#[utoipa::path(
    post, path = "/api/v1/tasks/{task_id}/release", operation_id = "release_task", tag = "tasks", request_body = Release,
    params(("task_id" = schema::Id, Path, description = "Which task.")),
    responses((status = 200, description = "The task.", body = Task), (status = 204, description = "Done, as preferred without the task."))
)]
pub async fn release(
    State(app): State<App>,
    caller: Caller,
    prefer: Prefer,
    Path(id): Path<TaskId>,
    JsonBody(body): JsonBody<Release>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let reason = body.reason.unwrap_or_else(|| NO_REASON.to_owned());
    let task = app
        .control
        .tasks
        .release(&scope, &id, proof(&body.lease), reason)
        .await?;
    shown(&app, &scope, task, prefer).await
}

/// A changed task with its payloads; nothing for who prefers that.
pub(super) async fn shown(
    app: &App,
    scope: &Scope,
    task: Arc<rules::Task>,
    prefer: Prefer,
) -> ApiResult<Response> {
    if prefer.minimal {
        return Ok((prefer.applied(), StatusCode::NO_CONTENT).into_response());
    }
    let view = app.control.tasks.view(scope, task).await?;
    Ok(respond::document(
        view.task.revision,
        views::task::task(&view),
    ))
}
