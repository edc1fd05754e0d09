//! Reading tasks.

use axum::{Json, extract::State, response::Response};
use mcpanel_api::{
    schema,
    task::{Attempts, Explanation, Task, TaskPage, TaskQuery},
};
use mcpanel_domain::TaskId;

use super::TASKS;
use crate::{
    app::App,
    error::ApiResult,
    extract::{Caller, Path, Query},
    routes::respond,
    views::{self, page},
};

/// Lists tasks
///
/// Newest first. `assigned_agent_id` finds what an agent holds, held last, or is alone allowed to run; `held_by` what it holds
/// now. A search for a `text` reads for a while and then answers what it found: a page may hold few tasks or none and still
/// not be the last, as long as there is a `next_cursor`.
#[utoipa::path(
    get, path = "/api/v1/tasks", operation_id = "list_tasks", tag = "tasks", params(TaskQuery),
    responses((status = 200, description = "A page of tasks.", body = TaskPage))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<TaskQuery>,
) -> ApiResult<Json<TaskPage>> {
    let page = page::page(TASKS, query.limit, query.cursor.as_deref())?;
    let search = views::task::search(query);
    let scope = app.scope(&caller);
    let listing = app.control.tasks.search(&scope, &search, &page).await?;
    Ok(Json(TaskPage {
        tasks: listing.items.iter().map(views::task::task).collect(),
        next_cursor: page::next_cursor(TASKS, listing.next),
    }))
}

/// Shows a task
#[utoipa::path(
    get, path = "/api/v1/tasks/{task_id}", operation_id = "get_task", tag = "tasks",
    params(("task_id" = schema::Id, Path, description = "Which task.")),
    responses((status = 200, description = "The task.", body = Task, headers(("ETag" = String, description = "Its revision."))))
)]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TaskId>,
) -> ApiResult<Response> {
    let view = app.control.tasks.get(&app.scope(&caller), &id).await?;
    Ok(respond::document(
        view.task.revision,
        views::task::task(&view),
    ))
}

/// Says why a task does not run
///
/// Names every blocker exactly: the dependency, the moment, the missing capability, the agents that take no work or are busy.
#[utoipa::path(
    get, path = "/api/v1/tasks/{task_id}/explain", operation_id = "explain_task", tag = "tasks",
    params(("task_id" = schema::Id, Path, description = "Which task.")),
    responses((status = 200, description = "What it waits for.", body = Explanation))
)]
pub async fn explain(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TaskId>,
) -> ApiResult<Json<Explanation>> {
    let told = app.control.tasks.explain(&app.scope(&caller), &id).await?;
    Ok(Json(views::explain::explanation(told)))
}

/// Lists the attempts at a task
///
/// Oldest first; of a task that was tried very often, the newest ones.
#[utoipa::path(
    get, path = "/api/v1/tasks/{task_id}/attempts", operation_id = "list_attempts", tag = "tasks",
    params(("task_id" = schema::Id, Path, description = "Which task.")),
    responses((status = 200, description = "The attempts.", body = Attempts))
)]
pub async fn attempts(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TaskId>,
) -> ApiResult<Json<Attempts>> {
    let view = app.control.tasks.get(&app.scope(&caller), &id).await?;
    Ok(Json(views::history::attempts(&view.task)))
}
