//! What there is to be found.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::Method};
use mcpanel_api::{
    agent::AgentQuery,
    discovery::{Capability, DiscoveredAgents, Service, Services},
};
use mcpanel_control::AgentView;
use mcpanel_domain::{Name, agent::Status};
use mcpanel_guard::Permission;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{health, needs};
use crate::{
    access::Route,
    app::App,
    error::{ApiError, ApiResult},
    extract::{Caller, Query},
    views::{self, page},
};

/// What the cursors of discovered agents are bound to.
const DISCOVERED: &str = "discovered";

/// What this server offers: name, description, place, protocol.
const SERVICES: &[(&str, &str, &str, &str)] = &[
    (
        "api",
        "Agents, tasks, pipelines, artifacts, keys",
        "/api/v1",
        "http",
    ),
    (
        "events",
        "Everything that happens, as it happens",
        "/api/v1/events/stream",
        "sse",
    ),
    (
        "openapi",
        "The description of the API",
        "/openapi.json",
        "http",
    ),
    (
        "docs",
        "The description of the API, to read and to try",
        "/docs",
        "http",
    ),
    ("health", "How this server is", "/health", "http"),
];

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(services))
        .routes(routes!(agents))
}

pub(super) fn table() -> Vec<Route> {
    vec![
        needs(
            Method::GET,
            "/api/v1/discovery/services",
            "discover_services",
            Permission::SystemHealth,
            None,
        ),
        needs(
            Method::GET,
            "/api/v1/discovery/agents",
            "discover_agents",
            Permission::AgentRead,
            None,
        ),
    ]
}

/// Lists the services of this server
#[utoipa::path(
    get, path = "/api/v1/discovery/services", operation_id = "discover_services", tag = "discovery",
    responses((status = 200, description = "The services, and how they are.", body = Services))
)]
async fn services(State(app): State<App>) -> ApiResult<Json<Services>> {
    let status = health::overall(&app).await;
    let services = SERVICES
        .iter()
        .map(|(name, description, url, protocol)| {
            Ok(Service {
                name: Name::parse(name).map_err(ApiError::internal)?,
                description: (*description).to_owned(),
                url: (*url).to_owned(),
                protocol: (*protocol).to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                status,
            })
        })
        .collect::<ApiResult<_>>()?;
    Ok(Json(Services { services }))
}

/// Finds agents by what they offer
///
/// Those that are alive, and, for each capability, how much more work there is room for.
#[utoipa::path(
    get, path = "/api/v1/discovery/agents", operation_id = "discover_agents", tag = "discovery", params(AgentQuery),
    responses((status = 200, description = "A page of agents, and what all of them offer.", body = DiscoveredAgents))
)]
async fn agents(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<AgentQuery>,
) -> ApiResult<Json<DiscoveredAgents>> {
    let page = page::page(DISCOVERED, query.limit, query.cursor.as_deref())?;
    let mut views = app.control.agents.list(&app.scope(&caller)).await?;
    views.retain(|view| view.status != Status::Inactive && views::agent::matches(&query, view));
    let capabilities = capabilities(&views, query.capability.as_ref());
    let listing = page::cut(views, &page, views::agent::position);
    Ok(Json(DiscoveredAgents {
        agents: listing.items.iter().map(views::agent::discovered).collect(),
        capabilities,
        next_cursor: page::next_cursor(DISCOVERED, listing.next),
    }))
}

/// What these agents offer, or how much of the one thing that was asked for.
fn capabilities(views: &[AgentView], only: Option<&Name>) -> Vec<Capability> {
    let mut found: BTreeMap<&Name, (u32, u32)> = BTreeMap::new();
    for view in views {
        let free = views::agent::free_slots(view);
        for name in &view.agent.capabilities {
            if only.is_none_or(|only| only == name) {
                let (agents, free_slots) = found.entry(name).or_default();
                *agents += 1;
                *free_slots = free_slots.saturating_add(free);
            }
        }
    }
    found
        .into_iter()
        .map(|(name, (agents, free_slots))| Capability {
            capability: name.clone(),
            agents,
            free_slots,
        })
        .collect()
}
