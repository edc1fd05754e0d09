//! Tasks: making, reading and steering them, and what their holders say.

mod complete;
mod create;
mod hold;
mod logs;
mod read;
mod steer;

use axum::http::Method;
use mcpanel_guard::Permission;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{caller, needs};
use crate::{access::Route, app::App};

/// What the cursors of task lists are bound to.
const TASKS: &str = "tasks";

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, read::list))
        .routes(routes!(create::create_batch))
        .routes(routes!(complete::complete_batch))
        .routes(routes!(read::get, steer::update))
        .routes(routes!(steer::delegate))
        .routes(routes!(steer::cancel))
        .routes(routes!(steer::retry))
        .routes(routes!(hold::start))
        .routes(routes!(hold::progress))
        .routes(routes!(complete::complete))
        .routes(routes!(hold::fail))
        .routes(routes!(hold::release))
        .routes(routes!(read::explain))
        .routes(routes!(read::attempts))
        .routes(routes!(logs::list, logs::append))
}

pub(super) fn table() -> Vec<Route> {
    use Permission::{TaskCreate, TaskExecute, TaskManage, TaskRead};
    const LIST: &str = "/api/v1/tasks";
    const TASK: &str = "/api/v1/tasks/{task_id}";
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
    let about = Some("task");
    let of_task =
        |path, operation, permission| needs(Method::POST, path, operation, permission, about);
    vec![
        needs(post.clone(), LIST, "create_task", TaskCreate, None),
        needs(get.clone(), LIST, "list_tasks", TaskRead, None),
        needs(
            post.clone(),
            "/api/v1/tasks/batch",
            "create_tasks",
            TaskCreate,
            None,
        ),
        needs(
            post.clone(),
            "/api/v1/tasks/complete",
            "complete_tasks",
            TaskExecute,
            None,
        ),
        needs(get.clone(), TASK, "get_task", TaskRead, about),
        needs(put, TASK, "update_task", TaskManage, about),
        of_task(
            "/api/v1/tasks/{task_id}/delegate",
            "delegate_task",
            TaskManage,
        ),
        // The holder confirms with `task:execute`, everybody else asks with `task:manage`.
        caller(post, "/api/v1/tasks/{task_id}/cancel", "cancel_task", about),
        of_task("/api/v1/tasks/{task_id}/retry", "retry_task", TaskManage),
        of_task("/api/v1/tasks/{task_id}/start", "start_task", TaskExecute),
        of_task(
            "/api/v1/tasks/{task_id}/progress",
            "report_progress",
            TaskExecute,
        ),
        of_task(
            "/api/v1/tasks/{task_id}/complete",
            "complete_task",
            TaskExecute,
        ),
        of_task("/api/v1/tasks/{task_id}/fail", "fail_task", TaskExecute),
        of_task(
            "/api/v1/tasks/{task_id}/release",
            "release_task",
            TaskExecute,
        ),
        needs(
            get.clone(),
            "/api/v1/tasks/{task_id}/explain",
            "explain_task",
            TaskRead,
            about,
        ),
        needs(
            get.clone(),
            "/api/v1/tasks/{task_id}/attempts",
            "list_attempts",
            TaskRead,
            about,
        ),
        needs(
            get,
            "/api/v1/tasks/{task_id}/logs",
            "list_logs",
            TaskRead,
            about,
        ),
        of_task("/api/v1/tasks/{task_id}/logs", "append_logs", TaskExecute),
    ]
}
