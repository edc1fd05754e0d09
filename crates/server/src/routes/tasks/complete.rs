//! Completing tasks.

use axum::{Json, extract::State, response::Response};
use mcpanel_api::{
    schema,
    task::{Complete, CompleteBatch, CompletionOutcome, CompletionResult, CompletionsDone, Task},
};
use mcpanel_control::Completion;
use mcpanel_domain::TaskId;

use super::hold::{proof, shown};
use crate::{
    app::App,
    error::{ApiError, ApiResult},
    extract::{Caller, JsonBody, Path, Prefer},
};

/// Says that a task is done
///
/// Said again with the same lease, it is answered the same.
#[utoipa::path(
    post, path = "/api/v1/tasks/{task_id}/complete", operation_id = "complete_task", tag = "tasks", request_body = Complete,
    params(("task_id" = schema::Id, Path, description = "Which task.")),
    responses((status = 200, description = "The task.", body = Task), (status = 204, description = "Done, as preferred without the task."))
)]
pub async fn complete(
    State(app): State<App>,
    caller: Caller,
    prefer: Prefer,
    Path(id): Path<TaskId>,
    JsonBody(body): JsonBody<Complete>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let completion = Completion {
        task_id: id,
        proof: proof(&body.lease),
        result: body.result,
    };
    let task = app.control.tasks.complete(&scope, completion).await?;
    shown(&app, &scope, task, prefer).await
}

/// Says that many tasks are done
///
/// Each is decided by itself: those that are refused, with their problem, do not hold up the others.
#[utoipa::path(
    post, path = "/api/v1/tasks/complete", operation_id = "complete_tasks", tag = "tasks", request_body = CompleteBatch,
    responses((status = 200, description = "What became of each, in the order of the request.", body = CompletionsDone))
)]
pub async fn complete_batch(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<CompleteBatch>,
) -> ApiResult<Json<CompletionsDone>> {
    let scope = app.scope(&caller);
    let ids: Vec<TaskId> = body
        .completions
        .iter()
        .map(|completion| completion.task_id.clone())
        .collect();
    let completions = body
        .completions
        .into_iter()
        .map(|completion| Completion {
            proof: proof(&completion.lease),
            task_id: completion.task_id,
            result: completion.result,
        })
        .collect();
    let outcomes = app
        .control
        .tasks
        .complete_batch(&scope, completions)
        .await?;
    let results = ids
        .into_iter()
        .zip(outcomes)
        .map(|(task_id, outcome)| match outcome {
            Ok(_) => CompletionResult {
                task_id,
                status: CompletionOutcome::Completed,
                problem: None,
            },
            Err(error) => CompletionResult {
                task_id,
                status: CompletionOutcome::Refused,
                problem: Some(ApiError::from(error).problem()),
            },
        })
        .collect();
    Ok(Json(CompletionsDone { results }))
}
