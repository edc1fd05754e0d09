//! Pipelines: runs of stages over data.

use axum::{Json, extract::State, http::Method, response::Response};
use mcpanel_api::{
    pipeline::{
        CancelPipeline, NewPipeline, Pipeline, PipelinePage, PipelineProgress, PipelineQuery,
        RetryPipeline, UpdatePipeline,
    },
    schema,
};
use mcpanel_control::PipelineView;
use mcpanel_domain::{PipelineId, pipeline::Status};
use mcpanel_guard::Permission;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{needs, respond};
use crate::{
    access::Route,
    app::{App, idempotency},
    error::ApiResult,
    extract::{Caller, Idempotent, IfMatch, JsonBody, JsonBodyOrDefault, Path, Query},
    views::{self, page},
};

/// What the cursors of pipeline lists are bound to.
const PIPELINES: &str = "pipelines";

/// What the path names.
const WHAT: Option<&str> = Some("pipeline");

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, update))
        .routes(routes!(progress))
        .routes(routes!(execute))
        .routes(routes!(cancel))
        .routes(routes!(retry))
        .routes(routes!(execute_stage))
}

pub(super) fn table() -> Vec<Route> {
    let read = |path, operation, about| {
        needs(
            Method::GET,
            path,
            operation,
            Permission::PipelineRead,
            about,
        )
    };
    let manage =
        |method, path, operation| needs(method, path, operation, Permission::PipelineManage, WHAT);
    vec![
        needs(
            Method::POST,
            "/api/v1/pipelines",
            "create_pipeline",
            Permission::PipelineCreate,
            None,
        ),
        read("/api/v1/pipelines", "list_pipelines", None),
        read("/api/v1/pipelines/{pipeline_id}", "get_pipeline", WHAT),
        manage(
            Method::PUT,
            "/api/v1/pipelines/{pipeline_id}",
            "update_pipeline",
        ),
        read(
            "/api/v1/pipelines/{pipeline_id}/progress",
            "get_pipeline_progress",
            WHAT,
        ),
        manage(
            Method::POST,
            "/api/v1/pipelines/{pipeline_id}/execute",
            "execute_pipeline",
        ),
        manage(
            Method::POST,
            "/api/v1/pipelines/{pipeline_id}/cancel",
            "cancel_pipeline",
        ),
        manage(
            Method::POST,
            "/api/v1/pipelines/{pipeline_id}/retry",
            "retry_pipeline",
        ),
        manage(
            Method::POST,
            "/api/v1/pipelines/{pipeline_id}/stages/{stage}/execute",
            "execute_pipeline_stage",
        ),
    ]
}

/// Creates a pipeline
///
/// From a template, whose stages it keeps as they are now, or from stages of its own: any graph without a circle. It
/// waits until it is executed, unless `execute` is true.
#[utoipa::path(
    post, path = "/api/v1/pipelines", operation_id = "create_pipeline", tag = "pipelines", request_body = NewPipeline,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat.")),
    responses((status = 201, description = "The pipeline.", body = Pipeline, headers(
        ("ETag" = String, description = "Its revision."),
        ("Location" = String, description = "Where it is."),
        ("Idempotent-Replayed" = String, description = "`true` when an equal request made it before."))))
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    request: Idempotent<NewPipeline>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let pipelines = &app.control.pipelines;
    let execute = request.body.execute;
    let new = views::pipeline::new(request.body)?;
    let made = pipelines
        .create(&scope, new, idempotency(request.key).as_ref())
        .await?;
    let mut view = made.value;
    // A repeated request also starts what the first one could not any more.
    if execute && view.pipeline.status == Status::Created {
        view = pipelines.execute(&scope, &view.pipeline.id).await?;
    }
    let path = format!("/api/v1/pipelines/{}", view.pipeline.id);
    let body = views::pipeline::pipeline(&view);
    Ok(respond::created_at(
        &path,
        body.revision,
        made.replayed,
        body,
    ))
}

/// Lists pipelines
///
/// Newest first. A page holds fewer than `limit` where their payloads are large, or where a search by `text` looked for a
/// while: `next_cursor` goes on from there. `tasks` of a stage names the first ten.
#[utoipa::path(
    get, path = "/api/v1/pipelines", operation_id = "list_pipelines", tag = "pipelines", params(PipelineQuery),
    responses((status = 200, description = "A page of pipelines.", body = PipelinePage))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<PipelineQuery>,
) -> ApiResult<Json<PipelinePage>> {
    let page = page::page(PIPELINES, query.limit, query.cursor.as_deref())?;
    let search = views::pipeline::search(query);
    let pipelines = &app.control.pipelines;
    let mut listing = pipelines
        .search(&app.scope(&caller), &search, &page)
        .await?;
    views::pipeline::fit(&mut listing);
    Ok(Json(PipelinePage {
        pipelines: listing.items.iter().map(views::pipeline::listed).collect(),
        next_cursor: page::next_cursor(PIPELINES, listing.next),
    }))
}

/// Shows a pipeline
///
/// With its stages, the counts of their tasks, and how far they are.
#[utoipa::path(
    get, path = "/api/v1/pipelines/{pipeline_id}", operation_id = "get_pipeline", tag = "pipelines",
    params(("pipeline_id" = schema::Id, Path, description = "Which pipeline.")),
    responses((status = 200, description = "The pipeline.", body = Pipeline,
        headers(("ETag" = String, description = "Its revision."))))
)]
async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PipelineId>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    Ok(shown(&app.control.pipelines.get(&scope, &id).await?))
}

/// Changes how a pipeline is described
///
/// Name, description, tags and metadata; what is left out stays. Needs `If-Match` with the `ETag` that was read.
#[utoipa::path(
    put, path = "/api/v1/pipelines/{pipeline_id}", operation_id = "update_pipeline", tag = "pipelines",
    request_body = UpdatePipeline,
    params(
        ("pipeline_id" = schema::Id, Path, description = "Which pipeline."),
        ("If-Match" = String, Header, description = "The `ETag` that was read, or `*`.")),
    responses((status = 200, description = "The pipeline as it is now.", body = Pipeline,
        headers(("ETag" = String, description = "Its revision."))))
)]
async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PipelineId>,
    wanted: IfMatch,
    JsonBody(body): JsonBody<UpdatePipeline>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let changes = views::pipeline::changes(body);
    let pipelines = &app.control.pipelines;
    let view = pipelines.update(&scope, &id, changes, wanted.required()?);
    Ok(shown(&view.await?))
}

/// Shows how far a pipeline is
///
/// Per cent, counts and the agents' own counters for each stage: all that a progress bar needs, and cheap to ask often.
#[utoipa::path(
    get, path = "/api/v1/pipelines/{pipeline_id}/progress", operation_id = "get_pipeline_progress", tag = "pipelines",
    params(("pipeline_id" = schema::Id, Path, description = "Which pipeline.")),
    responses((status = 200, description = "How far it is.", body = PipelineProgress))
)]
async fn progress(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PipelineId>,
) -> ApiResult<Json<PipelineProgress>> {
    let scope = app.scope(&caller);
    let view = app.control.pipelines.get(&scope, &id).await?;
    let reports = app.control.pipelines.reports(&view).await?;
    let paces = app.control.pipelines.paces(&view).await?;
    Ok(Json(views::pipeline::progress(&view, reports, paces)))
}

/// Executes a pipeline
///
/// Its first stages begin; the others follow by themselves. Asking again while it runs changes nothing.
#[utoipa::path(
    post, path = "/api/v1/pipelines/{pipeline_id}/execute", operation_id = "execute_pipeline", tag = "pipelines",
    params(("pipeline_id" = schema::Id, Path, description = "Which pipeline.")),
    responses((status = 200, description = "The pipeline as it is now.", body = Pipeline,
        headers(("ETag" = String, description = "Its revision."))))
)]
async fn execute(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PipelineId>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    Ok(shown(&app.control.pipelines.execute(&scope, &id).await?))
}

/// Cancels a pipeline
///
/// Waiting tasks are cancelled at once; running ones are asked to stop.
#[utoipa::path(
    post, path = "/api/v1/pipelines/{pipeline_id}/cancel", operation_id = "cancel_pipeline", tag = "pipelines",
    request_body = CancelPipeline,
    params(("pipeline_id" = schema::Id, Path, description = "Which pipeline.")),
    responses((status = 200, description = "The pipeline as it is now.", body = Pipeline,
        headers(("ETag" = String, description = "Its revision."))))
)]
async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PipelineId>,
    JsonBodyOrDefault(body): JsonBodyOrDefault<CancelPipeline>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let pipelines = &app.control.pipelines;
    Ok(shown(&pipelines.cancel(&scope, &id, body.reason).await?))
}

/// Runs an ended pipeline again
///
/// What failed or was cancelled; or, with `from_stage`, that stage and all that depend on it, with new tasks.
#[utoipa::path(
    post, path = "/api/v1/pipelines/{pipeline_id}/retry", operation_id = "retry_pipeline", tag = "pipelines",
    request_body = RetryPipeline,
    params(("pipeline_id" = schema::Id, Path, description = "Which pipeline.")),
    responses((status = 200, description = "The pipeline as it is now.", body = Pipeline,
        headers(("ETag" = String, description = "Its revision."))))
)]
async fn retry(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PipelineId>,
    JsonBodyOrDefault(body): JsonBodyOrDefault<RetryPipeline>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let pipelines = &app.control.pipelines;
    Ok(shown(&pipelines.retry(&scope, &id, body.from_stage).await?))
}

/// Executes a stage
///
/// Begins a pipeline that waits, with this stage among its first; or runs again what failed in it. Stages that it depends on
/// must be completed.
#[utoipa::path(
    post, path = "/api/v1/pipelines/{pipeline_id}/stages/{stage}/execute", operation_id = "execute_pipeline_stage",
    tag = "pipelines",
    params(
        ("pipeline_id" = schema::Id, Path, description = "Which pipeline."),
        ("stage" = schema::StageNumber, Path, description = "Which stage.")),
    responses((status = 200, description = "The pipeline as it is now.", body = Pipeline,
        headers(("ETag" = String, description = "Its revision."))))
)]
async fn execute_stage(
    State(app): State<App>,
    caller: Caller,
    Path((id, stage)): Path<(PipelineId, u16)>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let pipelines = &app.control.pipelines;
    Ok(shown(&pipelines.execute_stage(&scope, &id, stage).await?))
}

fn shown(view: &PipelineView) -> Response {
    respond::document(view.pipeline.revision, views::pipeline::pipeline(view))
}
