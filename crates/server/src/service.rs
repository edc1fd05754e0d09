//! The whole router: all routes, guarded by the one table, with the pages that describe them.

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    access::{Guard, Route},
    app::App,
    dashboard, docs, edge,
    mount::{self, BasePath},
    requests, routes,
};

/// Every route there is, with who may use it.
pub fn table() -> Vec<Route> {
    let mut table = Vec::new();
    for family in routes::FAMILIES {
        table.extend((family.table)());
    }
    table
}

/// The router over an application.
pub fn router(app: App) -> Router {
    let (router, openapi) = parts();
    let guarded = guard(table(), &app).protect(router);
    let dashboard = dashboard::over(&app);
    let pages = mcpanel_dashboard::router(&dashboard);
    let requests = app.requests.clone();
    let base = app.base.clone();
    let whole = guarded
        .with_state(app)
        .merge(docs::router(openapi, base.as_ref()))
        .merge(pages);
    let dressed = dashboard::dress(edge::wrap(requests::log(whole, requests)), dashboard);
    below(base, dressed)
}

/// The routes that tell how the server is, and no others: for an instance that serves no API.
pub fn probes(app: App) -> Router {
    let (router, _) = (routes::PROBES.router)().split_for_parts();
    let guarded = guard((routes::PROBES.table)(), &app).protect(router);
    let requests = app.requests.clone();
    let base = app.base.clone();
    below(
        base,
        edge::wrap(requests::log(guarded.with_state(app), requests)),
    )
}

fn below(base: Option<BasePath>, router: Router) -> Router {
    match base {
        Some(base) => mount::below(base, router),
        None => router,
    }
}

fn guard(table: Vec<Route>, app: &App) -> Guard {
    Guard::new(table, app.authenticator.clone(), app.rates.clone())
}

/// The document that describes the API.
pub fn openapi() -> OpenApi {
    parts().1
}

fn parts() -> (Router<App>, OpenApi) {
    let mut collected = OpenApiRouter::with_openapi(docs::document());
    for family in routes::FAMILIES {
        collected = collected.merge((family.router)());
    }
    let (router, mut openapi) = collected.split_for_parts();
    docs::describe(&mut openapi, &table());
    (router, openapi)
}
