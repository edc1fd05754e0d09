//! Making tasks.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use mcpanel_api::task::{NewTask, NewTasks, Task, TasksMade};

use crate::{
    app::{App, idempotency},
    error::ApiResult,
    extract::{Caller, Idempotent, Prefer},
    routes::respond,
    views,
};

/// Makes a task
///
/// It waits until its dependencies are completed and its `run_at` has come, then for an agent that offers its
/// capabilities. A `task_id` that exists already is a `conflict`.
#[utoipa::path(
    post, path = "/api/v1/tasks", operation_id = "create_task", tag = "tasks", request_body = NewTask,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat.")),
    responses((status = 201, description = "The task.", body = Task, headers(
        ("ETag" = String, description = "Its revision."),
        ("Location" = String, description = "Its path."),
        ("Idempotent-Replayed" = String, description = "`true` when an equal request made it before."))))
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    request: Idempotent<NewTask>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let tasks = &app.control.tasks;
    let new = views::task::new(request.body, || tasks.new_id());
    let made = tasks
        .create(&scope, new, idempotency(request.key).as_ref())
        .await?;
    let task = views::task::task(&made.value);
    let path = format!("/api/v1/tasks/{}", task.task_id);
    Ok(respond::created_at(
        &path,
        task.revision,
        made.replayed,
        task,
    ))
}

/// Makes many tasks
///
/// All or none. They may depend on each other, in any order, where they bring their `task_id` along. With
/// `Prefer: return=minimal` the answer holds their ids only.
#[utoipa::path(
    post, path = "/api/v1/tasks/batch", operation_id = "create_tasks", tag = "tasks", request_body = NewTasks,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat."),
        ("Prefer" = Option<String>, Header, description = "`return=minimal` for the ids only.")
    ),
    responses((status = 201, description = "The tasks, in the order of the request.", body = TasksMade, headers(
        ("Idempotent-Replayed" = String, description = "`true` when an equal request made them before."))))
)]
pub async fn create_batch(
    State(app): State<App>,
    caller: Caller,
    prefer: Prefer,
    request: Idempotent<NewTasks>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let tasks = &app.control.tasks;
    let new = request
        .body
        .tasks
        .into_iter()
        .map(|task| views::task::new(task, || tasks.new_id()))
        .collect();
    let made = tasks
        .create_batch(&scope, new, idempotency(request.key).as_ref())
        .await?;
    let views = &made.value;
    let answer = if prefer.minimal {
        let ids = views.iter().map(|view| view.task.id.clone()).collect();
        TasksMade {
            tasks: None,
            task_ids: Some(ids),
        }
    } else {
        TasksMade {
            tasks: Some(views.iter().map(views::task::task).collect()),
            task_ids: None,
        }
    };
    Ok((prefer.applied(), respond::created(made.replayed, answer)).into_response())
}
