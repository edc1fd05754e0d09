//! Templates: versioned descriptions of pipelines.

use axum::{Json, extract::State, http::Method, response::Response};
use mcpanel_api::{
    page::PageQuery,
    schema,
    template::{NewTemplate, Template, TemplatePage, TemplateVersionQuery},
};
use mcpanel_domain::TemplateId;
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

/// What the cursors of template lists are bound to.
const TEMPLATES: &str = "templates";

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get))
}

pub(super) fn table() -> Vec<Route> {
    vec![
        needs(
            Method::POST,
            "/api/v1/templates",
            "create_template",
            Permission::TemplateManage,
            None,
        ),
        needs(
            Method::GET,
            "/api/v1/templates",
            "list_templates",
            Permission::PipelineRead,
            None,
        ),
        needs(
            Method::GET,
            "/api/v1/templates/{template_id}",
            "get_template",
            Permission::PipelineRead,
            Some("template"),
        ),
    ]
}

/// Stores a template
///
/// Or, under an id that there is, its next version. Versions are never changed: a pipeline keeps the one it was made of.
#[utoipa::path(
    post, path = "/api/v1/templates", operation_id = "create_template", tag = "templates", request_body = NewTemplate,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat.")),
    responses((status = 201, description = "The version that was stored.", body = Template, headers(
        ("Idempotent-Replayed" = String, description = "`true` when an equal request stored it before."))))
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    request: Idempotent<NewTemplate>,
) -> ApiResult<Response> {
    let made = app
        .control
        .pipelines
        .create_template(
            &app.scope(&caller),
            views::template::new(request.body),
            idempotency(request.key).as_ref(),
        )
        .await?;
    let body = views::template::template(&made.value);
    Ok(respond::created(made.replayed, body))
}

/// Lists templates
///
/// The newest version of each, and `techdeck`, which is built in.
#[utoipa::path(
    get, path = "/api/v1/templates", operation_id = "list_templates", tag = "templates", params(PageQuery),
    responses((status = 200, description = "A page of templates.", body = TemplatePage))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<TemplatePage>> {
    let page = page::page(TEMPLATES, query.limit, query.cursor.as_deref())?;
    let templates = app.control.pipelines.templates(&app.scope(&caller)).await?;
    let listing = page::cut(templates, &page, |each| views::template::position(each));
    Ok(Json(TemplatePage {
        templates: listing
            .items
            .iter()
            .map(|template| views::template::template(template))
            .collect(),
        next_cursor: page::next_cursor(TEMPLATES, listing.next),
    }))
}

/// Shows a template
///
/// The newest version, or the one that `version` names.
#[utoipa::path(
    get, path = "/api/v1/templates/{template_id}", operation_id = "get_template", tag = "templates",
    params(("template_id" = schema::Id, Path, description = "Which template."), TemplateVersionQuery),
    responses((status = 200, description = "The template.", body = Template))
)]
async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TemplateId>,
    Query(query): Query<TemplateVersionQuery>,
) -> ApiResult<Json<Template>> {
    let scope = app.scope(&caller);
    let pipelines = &app.control.pipelines;
    let template = pipelines.template(&scope, &id, query.version).await?;
    Ok(Json(views::template::template(&template)))
}
