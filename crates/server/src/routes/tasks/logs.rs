//! The lines that agents log about their tasks.

use axum::{Json, extract::State, http::StatusCode};
use mcpanel_api::{
    page::PageQuery,
    schema,
    task::{AppendLogs, LogPage},
};
use mcpanel_domain::TaskId;

use super::hold::proof;
use crate::{
    app::App,
    cursor::Cursor,
    error::ApiResult,
    extract::{Caller, JsonBody, Path, Query},
    views::{
        history::{self, LOGS},
        page,
    },
};

/// Lists the log of a task
///
/// Oldest first. `next_cursor` is null when there are no more lines yet; to follow, repeat the last request and pass over the
/// lines whose `seq` is known.
#[utoipa::path(
    get, path = "/api/v1/tasks/{task_id}/logs", operation_id = "list_logs", tag = "tasks",
    params(("task_id" = schema::Id, Path, description = "Which task."), PageQuery),
    responses((status = 200, description = "A page of lines.", body = LogPage))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TaskId>,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<LogPage>> {
    let after = match query.cursor.as_deref() {
        Some(cursor) => u64::try_from(Cursor::decode(cursor, LOGS)?.key).unwrap_or(0),
        None => 0,
    };
    let size = page::size(query.limit);
    let scope = app.scope(&caller);
    let lines = app.control.tasks.logs(&scope, &id, after, size).await?;
    Ok(Json(history::log_page(lines, size)))
}

/// Adds lines to the log of a task in hand
#[utoipa::path(
    post, path = "/api/v1/tasks/{task_id}/logs", operation_id = "append_logs", tag = "tasks", request_body = AppendLogs,
    params(("task_id" = schema::Id, Path, description = "Which task.")),
    responses((status = 204, description = "They are kept."))
)]
pub async fn append(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TaskId>,
    JsonBody(body): JsonBody<AppendLogs>,
) -> ApiResult<StatusCode> {
    let lines = body.lines.into_iter().map(history::new_line).collect();
    let scope = app.scope(&caller);
    app.control
        .tasks
        .append_logs(&scope, &id, proof(&body.lease), lines)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
