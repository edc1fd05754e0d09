//! Artifacts: files that travel between stages.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use mcpanel_adapters::artifacts::Draft;
use mcpanel_api::{
    artifact::{Artifact, ArtifactPage, ArtifactQuery, ArtifactUpload},
    schema,
};
use mcpanel_control::{Created, Error, NewArtifact, Scope};
use mcpanel_domain::{ArtifactId, Namespace, artifact};
use mcpanel_guard::Permission;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{needs, respond};
use crate::{
    access::Route,
    app::App,
    error::ApiResult,
    extract::{Caller, Path, Query},
    transfer::{self, Upload},
    views::{self, page},
};

/// What the cursors of artifact lists are bound to.
const ARTIFACTS: &str = "artifacts";

/// What the path names.
const WHAT: Option<&str> = Some("artifact");

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, delete))
        .routes(routes!(content))
}

pub(super) fn table() -> Vec<Route> {
    let read = |path, operation, about| {
        needs(
            Method::GET,
            path,
            operation,
            Permission::ArtifactRead,
            about,
        )
    };
    vec![
        needs(
            Method::POST,
            "/api/v1/artifacts",
            "create_artifact",
            Permission::ArtifactWrite,
            None,
        ),
        read("/api/v1/artifacts", "list_artifacts", None),
        read("/api/v1/artifacts/{artifact_id}", "get_artifact", WHAT),
        needs(
            Method::DELETE,
            "/api/v1/artifacts/{artifact_id}",
            "delete_artifact",
            Permission::PipelineManage,
            WHAT,
        ),
        read(
            "/api/v1/artifacts/{artifact_id}/content",
            "get_artifact_content",
            WHAT,
        ),
    ]
}

/// Uploads an artifact
///
/// The body is the file as it is, of any length up to the server's bound, and is stored as it comes. It is answered when
/// the bytes are on the disk. An agent names the task in hand and its lease, which are checked before the first byte is taken
/// and again after the last.
#[utoipa::path(
    post, path = "/api/v1/artifacts", operation_id = "create_artifact", tag = "artifacts",
    params(
        ArtifactUpload,
        ("Content-Digest" = Option<String>, Header, description = "`sha-256=:<base64>:` (RFC 9530), compared with what came."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat.")),
    request_body(content = schema::Bytes, content_type = "application/octet-stream",
        description = "The bytes. Any media type is taken; it is kept with them."),
    responses((status = 201, description = "What is known about it.", body = Artifact, headers(
        ("Location" = String, description = "Where it is."),
        ("Idempotent-Replayed" = String, description = "`true` when an equal request stored it before."))))
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ArtifactUpload>,
    request: Request,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let (parts, body) = request.into_parts();
    let bytes_max = app.files.bytes_max();
    let mut upload = Upload::read(&parts.method, &parts.uri, &parts.headers, bytes_max)?;
    let id = app.control.catalog.new_artifact_id();
    let mut new = views::artifact::new(id, query, upload.media_type.clone())?;
    let catalog = &app.control.catalog;
    let repetition = upload.idempotency.as_ref();
    catalog.check_artifact(&scope, &new, repetition).await?;

    let place = app.transfers.upload().await?;
    let draft = transfer::receive(&app.files, body).await?;
    new.sha256 = upload.check(&draft)?;
    new.size_bytes = draft.size_bytes();
    let stored = store(&app, &scope, &upload, draft, new).await?;
    drop(place);

    let path = format!("/api/v1/artifacts/{}", stored.value.id);
    let body = views::artifact::artifact(&stored.value);
    let revision = stored.value.revision;
    Ok(respond::created_at(&path, revision, stored.replayed, body))
}

/// Makes the bytes durable, then what is known about them.
async fn store(
    app: &App,
    scope: &Scope,
    upload: &Upload,
    draft: Draft,
    new: NewArtifact,
) -> ApiResult<Created<Arc<artifact::Artifact>>> {
    let id = new.id.clone();
    let kept = draft.keep(&scope.namespace, &id).await;
    kept.map_err(transfer::failed)?;
    let catalog = &app.control.catalog;
    let outcome = catalog
        .create_artifact(scope, new, upload.idempotency.as_ref())
        .await;
    let unknown = match &outcome {
        Ok(stored) => stored.replayed,
        Err(Error::Rejected(_) | Error::IdempotencyMismatch { .. }) => true,
        // It may have been recorded after all; a sweep finds out.
        Err(Error::Store(_) | Error::Contended { .. }) => false,
    };
    if unknown {
        remove(app, &scope.namespace, &id).await;
    }
    Ok(outcome?)
}

/// Removes bytes that nobody knows any more. What cannot be removed now, a sweep removes.
async fn remove(app: &App, namespace: &Namespace, id: &ArtifactId) {
    if let Err(error) = app.files.remove(namespace, id).await {
        tracing::warn!(artifact.id = %id, %error, "cannot remove the bytes of an artifact; a sweep will");
    }
}

/// Lists artifacts
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/v1/artifacts", operation_id = "list_artifacts", tag = "artifacts", params(ArtifactQuery),
    responses((status = 200, description = "A page of artifacts.", body = ArtifactPage))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ArtifactQuery>,
) -> ApiResult<Json<ArtifactPage>> {
    let page = page::page(ARTIFACTS, query.limit, query.cursor.as_deref())?;
    let filter = views::artifact::filter(query);
    let catalog = &app.control.catalog;
    let listing = catalog
        .artifacts(&app.scope(&caller), &filter, &page)
        .await?;
    Ok(Json(ArtifactPage {
        artifacts: listing
            .items
            .iter()
            .map(|artifact| views::artifact::artifact(artifact))
            .collect(),
        next_cursor: page::next_cursor(ARTIFACTS, listing.next),
    }))
}

/// Shows what is known about an artifact
#[utoipa::path(
    get, path = "/api/v1/artifacts/{artifact_id}", operation_id = "get_artifact", tag = "artifacts",
    params(("artifact_id" = schema::Id, Path, description = "Which artifact.")),
    responses((status = 200, description = "What is known about it.", body = Artifact))
)]
async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ArtifactId>,
) -> ApiResult<Json<Artifact>> {
    let scope = app.scope(&caller);
    let artifact = app.control.catalog.artifact(&scope, &id).await?;
    Ok(Json(views::artifact::artifact(&artifact)))
}

/// Deletes an artifact
///
/// The file and what is known about it.
#[utoipa::path(
    delete, path = "/api/v1/artifacts/{artifact_id}", operation_id = "delete_artifact", tag = "artifacts",
    params(("artifact_id" = schema::Id, Path, description = "Which artifact.")),
    responses((status = 204, description = "It is gone."))
)]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ArtifactId>,
) -> ApiResult<StatusCode> {
    let scope = app.scope(&caller);
    app.control.catalog.delete_artifact(&scope, &id).await?;
    remove(&app, &scope.namespace, &id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Downloads an artifact
///
/// As it was uploaded. One `Range` of bytes can be asked for, so that a broken download goes on where it ended; the `ETag` is the
/// SHA-256 of the whole.
#[utoipa::path(
    get, path = "/api/v1/artifacts/{artifact_id}/content", operation_id = "get_artifact_content", tag = "artifacts",
    params(
        ("artifact_id" = schema::Id, Path, description = "Which artifact."),
        ("Range" = Option<String>, Header, description = "`bytes=<first>-<last>`, `bytes=<first>-` or `bytes=-<last n>`."),
        ("If-Range" = Option<String>, Header, description = "The `ETag` of the first piece."),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what the caller has.")),
    responses(
        (status = 200, description = "The whole file.", content_type = "application/octet-stream", body = schema::Bytes,
            headers(("ETag" = String, description = "The SHA-256 of the whole."))),
        (status = 206, description = "The piece that was asked for.", content_type = "application/octet-stream",
            body = schema::Bytes, headers(("Content-Range" = String, description = "Which piece."))),
        (status = 304, description = "The caller has it."))
)]
async fn content(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ArtifactId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let artifact = app.control.catalog.artifact(&scope, &id).await?;
    transfer::download(&app, &artifact, &headers).await
}
