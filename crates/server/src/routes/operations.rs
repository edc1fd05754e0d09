//! Operations: one wish about many tasks.

use axum::{
    Json,
    extract::State,
    http::Method,
    response::{IntoResponse, Response},
};
use mcpanel_api::{
    operation::{NewOperation, Operation, OperationPage, OperationPreview, OperationQuery},
    schema,
};
use mcpanel_domain::OperationId;
use mcpanel_guard::Permission;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{needs, respond};
use crate::{
    access::Route,
    app::{App, idempotency},
    error::ApiResult,
    extract::{Caller, Idempotent, Path, Query},
    views::{self, page},
};

/// What the cursors of operation lists are bound to.
const OPERATIONS: &str = "operations";

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get))
        .routes(routes!(abort))
}

pub(super) fn table() -> Vec<Route> {
    use Permission::{TaskManage, TaskRead};
    const LIST: &str = "/api/v1/operations";
    const ONE: &str = "/api/v1/operations/{operation_id}";
    const ABORT: &str = "/api/v1/operations/{operation_id}/abort";
    let about = Some("operation");
    vec![
        needs(Method::POST, LIST, "create_operation", TaskManage, None),
        needs(Method::GET, LIST, "list_operations", TaskRead, None),
        needs(Method::GET, ONE, "get_operation", TaskRead, about),
        needs(Method::POST, ABORT, "abort_operation", TaskManage, about),
    ]
}

/// Begins an operation on many tasks
///
/// The answer comes at once; the operation goes on by itself, also over a restart of the server, and tells by `operation:*`
/// events how far it is. With `dry_run` nothing is begun and the tasks are only counted. A filter that names no tasks
/// in particular is refused unless `all` is true.
#[utoipa::path(
    post, path = "/api/v1/operations", operation_id = "create_operation", tag = "operations", request_body = NewOperation,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat.")),
    responses(
        (status = 201, description = "The operation.", body = Operation, headers(
            ("ETag" = String, description = "Its revision."),
            ("Location" = String, description = "Its path."),
            ("Idempotent-Replayed" = String, description = "`true` when an equal request began it before."))),
        (status = 200, description = "With `dry_run`: what it would go through.", body = OperationPreview)
    )
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    request: Idempotent<NewOperation>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let operations = &app.control.operations;
    let (kind, dry_run) = (request.body.kind, request.body.dry_run);
    let wish = views::operation::request(request.body);
    if dry_run {
        let matched = operations.preview(&scope, wish).await?;
        return Ok(Json(views::operation::preview(kind, matched)).into_response());
    }
    let begun = operations
        .create(&scope, wish, idempotency(request.key).as_ref())
        .await?;
    let operation = views::operation::operation(&begun.value);
    let path = format!("/api/v1/operations/{}", operation.operation_id);
    Ok(respond::created_at(
        &path,
        operation.revision,
        begun.replayed,
        operation,
    ))
}

/// Lists operations
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/v1/operations", operation_id = "list_operations", tag = "operations", params(OperationQuery),
    responses((status = 200, description = "A page of operations.", body = OperationPage))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<OperationQuery>,
) -> ApiResult<Json<OperationPage>> {
    let page = page::page(OPERATIONS, query.limit, query.cursor.as_deref())?;
    let filter = views::operation::filter(query.status);
    let scope = app.scope(&caller);
    let listing = app.control.operations.list(&scope, &filter, &page).await?;
    Ok(Json(OperationPage {
        operations: listing
            .items
            .iter()
            .map(|each| views::operation::operation(each))
            .collect(),
        next_cursor: page::next_cursor(OPERATIONS, listing.next),
    }))
}

/// Shows an operation
#[utoipa::path(
    get, path = "/api/v1/operations/{operation_id}", operation_id = "get_operation", tag = "operations",
    params(("operation_id" = schema::Id, Path, description = "Which operation.")),
    responses((status = 200, description = "The operation.", body = Operation, headers(("ETag" = String, description = "Its revision."))))
)]
async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<OperationId>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let operation = app.control.operations.get(&scope, &id).await?;
    let body = views::operation::operation(&operation);
    Ok(respond::document(body.revision, body))
}

/// Stops an operation
///
/// What it has done stays done. Stopping one that was aborted answers 200; one that has ended otherwise cannot be stopped.
#[utoipa::path(
    post, path = "/api/v1/operations/{operation_id}/abort", operation_id = "abort_operation", tag = "operations",
    params(("operation_id" = schema::Id, Path, description = "Which operation.")),
    responses((status = 200, description = "The operation.", body = Operation, headers(("ETag" = String, description = "Its revision."))))
)]
async fn abort(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<OperationId>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let operation = app.control.operations.abort(&scope, &id).await?;
    let body = views::operation::operation(&operation);
    Ok(respond::document(body.revision, body))
}
