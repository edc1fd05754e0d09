//! How things stand and stood: queues, history, errors, and all figures for machines that watch.

use axum::{
    Json,
    extract::State,
    http::{Method, header},
    response::{IntoResponse, Response},
};
use mcpanel_api::history::{History, HistoryQuery, Queues, TaskErrors, TaskErrorsQuery};
use mcpanel_guard::Permission;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::needs;
use crate::{
    access::Route,
    app::App,
    error::ApiResult,
    extract::{Caller, Query},
    metrics, views,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(history))
        .routes(routes!(queues))
        .routes(routes!(errors))
        .merge(scrape_router())
}

/// What machines that watch ask for, which every instance answers, whatever else it serves.
pub(super) fn scrape_router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(figures))
}

pub(super) fn scrape_table() -> Vec<Route> {
    vec![get("/metrics", "get_metrics", Permission::SystemHealth)]
}

fn get(path: &'static str, operation: &'static str, permission: Permission) -> Route {
    needs(Method::GET, path, operation, permission, None)
}

pub(super) fn table() -> Vec<Route> {
    use Permission::{SystemHealth, TaskRead};
    let mut table = vec![
        get("/api/v1/metrics/history", "get_history", SystemHealth),
        get("/api/v1/queues", "list_queues", SystemHealth),
        get("/api/v1/tasks/errors", "list_task_errors", TaskRead),
    ];
    table.extend(scrape_table());
    table
}

/// Shows what happened over time
///
/// From samples that are taken once a minute and kept for eight days: tasks and agents by status, what was created,
/// completed, failed and retried, and how long tasks waited and ran.
#[utoipa::path(
    get, path = "/api/v1/metrics/history", operation_id = "get_history", tag = "metrics", params(HistoryQuery),
    responses((status = 200, description = "The history of the caller's namespace.", body = History))
)]
async fn history(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<HistoryQuery>,
) -> ApiResult<Json<History>> {
    let range = query.range.unwrap_or_default();
    let step_ms = range.step_ms();
    let points = app
        .control
        .history
        .points(&app.scope(&caller), range.back_ms(), step_ms)
        .await?;
    Ok(Json(History {
        range,
        step_ms,
        points: points.iter().map(views::metrics::point).collect(),
    }))
}

/// Shows what waits
///
/// The tasks that have not ended, by type: how many wait and since when, and how many are in agents' hands.
#[utoipa::path(
    get, path = "/api/v1/queues", operation_id = "list_queues", tag = "metrics",
    responses((status = 200, description = "The queues of the caller's namespace.", body = Queues))
)]
async fn queues(State(app): State<App>, caller: Caller) -> ApiResult<Json<Queues>> {
    let queues = app.control.history.queues(&app.scope(&caller)).await?;
    let now = app.env.now();
    Ok(Json(Queues {
        queues: queues
            .into_iter()
            .map(|queue| views::metrics::queue(queue, now))
            .collect(),
    }))
}

/// Shows why tasks failed
///
/// Those that failed for good, grouped by type, class and what their messages have in common; the most frequent first.
#[utoipa::path(
    get, path = "/api/v1/tasks/errors", operation_id = "list_task_errors", tag = "tasks", params(TaskErrorsQuery),
    responses((status = 200, description = "The groups.", body = TaskErrors))
)]
async fn errors(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<TaskErrorsQuery>,
) -> ApiResult<Json<TaskErrors>> {
    let range = query.range.unwrap_or_default();
    let groups = app
        .control
        .history
        .errors(&app.scope(&caller), range.back_ms())
        .await?;
    Ok(Json(TaskErrors {
        range,
        errors: groups.into_iter().map(views::metrics::error).collect(),
    }))
}

/// Shows all figures
///
/// In the text form of Prometheus: tasks, agents and pipelines of the caller's namespace, and how this instance and its parts
/// do.
#[utoipa::path(
    get, path = "/metrics", operation_id = "get_metrics", tag = "metrics",
    responses((status = 200, description = "The figures.", body = String, content_type = "text/plain"))
)]
async fn figures(State(app): State<App>, caller: Caller) -> ApiResult<Response> {
    let text = metrics::write(&app, &app.scope(&caller)).await?;
    Ok(([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response())
}
