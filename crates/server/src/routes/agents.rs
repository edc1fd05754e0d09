//! Agents: signing on, being alive, taking work, settings.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{Method, StatusCode},
    response::Response,
};
use mcpanel_api::{
    agent::{
        Agent, AgentPage, AgentQuery, AgentRegistered, Claim, Claimed, Heartbeat, HeartbeatAnswer,
        RegisterAgent, UpdateAgent,
    },
    schema,
};
use mcpanel_control::{AgentView, Claim as Asked};
use mcpanel_domain::{
    AgentId, SessionId,
    limits::{CLAIM_WAIT_MS_MAX, HEARTBEAT_INTERVAL_MS, LEASE_TTL_MS},
};
use mcpanel_guard::{Permission, Permissions, Principal, Role, token::AGENT_LIFETIME_MS};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    caller, needs,
    respond::{self, forbidden},
};
use crate::{
    access::Route,
    app::{App, idempotency},
    claims::{self, Delivery},
    error::{ApiError, ApiResult},
    extract::{Caller, Idempotent, IfMatch, JsonBody, JsonBodyOrDefault, Path, Query},
    views::{self, page},
};

/// What the cursors of agent lists are bound to.
const AGENTS: &str = "agents";

const AGENT: &str = "/api/v1/agents/{agent_id}";

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(list))
        .routes(routes!(get, update, unregister))
        .routes(routes!(heartbeat))
        .routes(routes!(claim))
}

pub(super) fn table() -> Vec<Route> {
    use Permission::{AgentRead, AgentRegister, TaskExecute};
    let about = Some("agent");
    let (get, post) = (Method::GET, Method::POST);
    vec![
        needs(
            post.clone(),
            "/api/v1/agents/register",
            "register_agent",
            AgentRegister,
            None,
        ),
        needs(
            get.clone(),
            "/api/v1/agents",
            "list_agents",
            AgentRead,
            None,
        ),
        needs(get, AGENT, "get_agent", AgentRead, about),
        // An agent changes itself and signs itself off; for others it takes `agent:manage`.
        caller(Method::PUT, AGENT, "update_agent", about),
        caller(Method::DELETE, AGENT, "delete_agent", about),
        needs(
            post.clone(),
            "/api/v1/agents/{agent_id}/heartbeat",
            "heartbeat",
            TaskExecute,
            about,
        ),
        needs(
            post,
            "/api/v1/agents/{agent_id}/claim",
            "claim",
            TaskExecute,
            about,
        ),
    ]
}

/// Signs an agent on
///
/// The answer carries the agent's own credential. Under the id of a known agent this opens a new session: what the
/// old session held returns to the queue, and its calls are refused with `session_superseded`. A repeated request with the
/// same `Idempotency-Key` gets a fresh token for the session that it opened.
#[utoipa::path(
    post, path = "/api/v1/agents/register", operation_id = "register_agent", tag = "agents", request_body = RegisterAgent,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat.")),
    responses((status = 201, description = "The agent and its token.", body = AgentRegistered, headers(
        ("ETag" = String, description = "The revision of its settings."),
        ("Location" = String, description = "Its path."),
        ("Idempotent-Replayed" = String, description = "`true` when an equal request signed it on before."))))
)]
async fn register(
    State(app): State<App>,
    caller: Caller,
    request: Idempotent<RegisterAgent>,
) -> ApiResult<Response> {
    let scope = app.scope(&caller);
    let permissions = Permissions::of_agent();
    let agents = &app.control.agents;
    let registration =
        views::agent::registration(request.body, permissions.words(), || agents.new_id());
    let signed_on = agents
        .register(&scope, registration, idempotency(request.key).as_ref())
        .await?;
    let (answer, _) = welcome(&app, &signed_on.value);
    let path = format!("/api/v1/agents/{}", answer.agent.agent_id);
    let revision = answer.agent.revision;
    Ok(respond::created_at(
        &path,
        revision,
        signed_on.replayed,
        answer,
    ))
}

/// What an agent that signed on is told, and who it is from now on.
pub(crate) fn welcome(app: &App, view: &AgentView) -> (AgentRegistered, Principal) {
    let agent = views::agent::agent(view);
    let session = view.agent.session.id.clone();
    let principal = Principal {
        role: Role::Agent {
            agent_id: agent.agent_id.clone(),
            session: session.clone(),
        },
        namespace: agent.namespace.clone(),
        permissions: Permissions::of_agent(),
    };
    let (token, token_expires_at) = app.authenticator.tokens().issue(
        &principal,
        AGENT_LIFETIME_MS,
        app.env.now(),
        app.env.random(),
    );
    let answer = AgentRegistered {
        token,
        token_expires_at,
        session_id: session,
        heartbeat_interval_ms: HEARTBEAT_INTERVAL_MS,
        lease_ttl_ms: LEASE_TTL_MS,
        agent,
    };
    (answer, principal)
}

/// Lists agents
///
/// Newest first, by when they first signed on.
#[utoipa::path(
    get, path = "/api/v1/agents", operation_id = "list_agents", tag = "agents", params(AgentQuery),
    responses((status = 200, description = "A page of agents.", body = AgentPage))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<AgentQuery>,
) -> ApiResult<Json<AgentPage>> {
    let page = page::page(AGENTS, query.limit, query.cursor.as_deref())?;
    let mut views = app.control.agents.list(&app.scope(&caller)).await?;
    views.retain(|view| views::agent::matches(&query, view));
    let listing = page::cut(views, &page, views::agent::position);
    Ok(Json(AgentPage {
        agents: listing.items.iter().map(views::agent::agent).collect(),
        next_cursor: page::next_cursor(AGENTS, listing.next),
    }))
}

/// Shows an agent
#[utoipa::path(
    get, path = "/api/v1/agents/{agent_id}", operation_id = "get_agent", tag = "agents",
    params(("agent_id" = schema::Id, Path, description = "Which agent.")),
    responses((status = 200, description = "The agent.", body = Agent, headers(("ETag" = String, description = "The revision of its settings."))))
)]
async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<AgentId>,
) -> ApiResult<Response> {
    let view = app.control.agents.get(&app.scope(&caller), &id).await?;
    let agent = views::agent::agent(&view);
    Ok(respond::document(agent.revision, agent))
}

/// Changes an agent
///
/// What is left out stays as it is; null takes an address away. Needs `agent:manage`, or the agent's own token; an agent
/// cannot change its own `admission`.
#[utoipa::path(
    put, path = "/api/v1/agents/{agent_id}", operation_id = "update_agent", tag = "agents", request_body = UpdateAgent,
    params(
        ("agent_id" = schema::Id, Path, description = "Which agent."),
        ("If-Match" = String, Header, description = "The `ETag` that you read, or `*`.")
    ),
    responses((status = 200, description = "The agent.", body = Agent, headers(("ETag" = String, description = "The revision of its settings."))))
)]
async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<AgentId>,
    wanted: IfMatch,
    JsonBody(body): JsonBody<UpdateAgent>,
) -> ApiResult<Response> {
    let manages = manages_or_is(&caller, &id)?;
    if body.admission.is_some() && !manages {
        // An operator who keeps work from an agent must not be overruled by it.
        return Err(forbidden(
            "an agent cannot change its own `admission`; this needs the permission `agent:manage`",
        ));
    }
    let revision = wanted.required()?;
    let view = app
        .control
        .agents
        .update(
            &app.scope(&caller),
            &id,
            views::agent::changes(body),
            revision,
        )
        .await?;
    let agent = views::agent::agent(&view);
    Ok(respond::document(agent.revision, agent))
}

/// Signs an agent off
///
/// It is forgotten, its token ends, and what it held returns to the queue. Needs `agent:manage`, or the agent's own token.
#[utoipa::path(
    delete, path = "/api/v1/agents/{agent_id}", operation_id = "delete_agent", tag = "agents",
    params(("agent_id" = schema::Id, Path, description = "Which agent.")),
    responses((status = 204, description = "It is signed off."))
)]
async fn unregister(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<AgentId>,
) -> ApiResult<StatusCode> {
    manages_or_is(&caller, &id)?;
    let scope = app.scope(&caller);
    app.control.agents.unregister(&scope, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says that an agent is alive
///
/// It renews every lease of the session. The answer tells what to stop: `cancel` names tasks that somebody wants stopped,
/// `lost` those of the named ones that this session does not hold any more.
#[utoipa::path(
    post, path = "/api/v1/agents/{agent_id}/heartbeat", operation_id = "heartbeat", tag = "agents", request_body = Heartbeat,
    params(("agent_id" = schema::Id, Path, description = "Which agent.")),
    responses((status = 200, description = "What to stop, and when to come again.", body = HeartbeatAnswer))
)]
async fn heartbeat(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<AgentId>,
    JsonBodyOrDefault(body): JsonBodyOrDefault<Heartbeat>,
) -> ApiResult<Json<HeartbeatAnswer>> {
    let session = session(&caller, &id)?;
    let answer = app
        .control
        .agents
        .heartbeat(
            &app.scope(&caller),
            &id,
            session,
            views::agent::health(&body),
            body.tasks.as_deref(),
        )
        .await?;
    Ok(Json(views::agent::heartbeat(answer)))
}

/// Takes work
///
/// Hands out up to `max` tasks, no more than the agent has free slots, each with the `lease` that all further calls about it carry.
/// When there is nothing, waits up to `wait_ms` and then answers with no tasks. A claim whose answer cannot be
/// delivered gives everything back.
#[utoipa::path(
    post, path = "/api/v1/agents/{agent_id}/claim", operation_id = "claim", tag = "agents", request_body = Claim,
    params(("agent_id" = schema::Id, Path, description = "Which agent.")),
    responses((status = 200, description = "Tasks with their leases; none when there is nothing to do.", body = Claimed))
)]
async fn claim(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<AgentId>,
    JsonBodyOrDefault(body): JsonBodyOrDefault<Claim>,
) -> ApiResult<Delivery> {
    let asked = Asked {
        session: session(&caller, &id)?.cloned(),
        agent_id: id,
        max: body.max.unwrap_or(1),
    };
    let wait = Duration::from_millis(body.wait_ms.unwrap_or(0).min(CLAIM_WAIT_MS_MAX));
    let scope = app.scope(&caller);
    claims::hand_out(app, scope, asked, wait).await
}

/// The session in which a caller acts for an agent: an agent acts as itself only, in its own session; another
/// caller acts for any, in the present one.
fn session<'c>(caller: &'c Caller, id: &AgentId) -> ApiResult<Option<&'c SessionId>> {
    match caller.agent() {
        Some((own, session)) if own == id => Ok(Some(session)),
        Some(_) => Err(ApiError::not_found("agent", id.as_str())),
        None => Ok(None),
    }
}

/// Whether a caller manages agents; refuses who neither does nor is this one.
fn manages_or_is(caller: &Caller, id: &AgentId) -> ApiResult<bool> {
    let manages = caller.may(Permission::AgentManage);
    let is_it = caller.agent().is_some_and(|(own, _)| own == id);
    if manages || is_it {
        Ok(manages)
    } else {
        Err(ApiError::not_found("agent", id.as_str()))
    }
}
