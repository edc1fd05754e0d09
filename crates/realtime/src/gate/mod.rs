//! The HTTP side: what is looked at before a request reaches Socket.IO.
//!
//! Browsers send along where a page came from, and do not ask before they open a websocket, so the origin is
//! checked here for every request and not only by their CORS rules. Programs send none, or that of the server's own address.

mod origin;

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use mcpanel_api::{
    Problem, Timestamp,
    health::{Health, Probe},
};
use mcpanel_guard::Permission;
use serde::Serialize;
use socketioxide::layer::SocketIoLayer;
use tokio::time::Instant;

use crate::{
    connect::{self, Auth},
    limits::BODY_READ_MS_MAX,
    refusal::{Refusal, quoted},
    server::Inner,
};

/// When to try again after a refused handshake, in seconds.
const RETRY_AFTER_S: u32 = 2;

/// Names under which people send credentials in query strings.
const QUERY_CREDENTIALS: &[&str] = &[
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "key",
    "token",
    "x-api-key",
];

/// How the sockets are, for whoever watches an instance that serves nothing else.
#[derive(Serialize)]
struct Report {
    service: &'static str,
    version: &'static str,
    status: Health,
    timestamp: Timestamp,
    /// What is to be known, for people.
    message: Option<&'static str>,
    /// How many are open.
    sockets: usize,
    /// Those that were ended because their peers took nothing.
    slow_readers: u64,
}

/// What a server says that hears of nothing.
const DEAF: &str =
    "events cannot be read: Redis is away, or refuses; sockets stay open and get what they missed";

/// Socket.IO behind the gate, and health under the paths of the API's port.
pub(crate) fn router(server: Arc<Inner>, sockets: SocketIoLayer) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/health/ready", get(ready))
        .route("/health/live", get(live))
        .route("/metrics", get(metrics))
        .fallback(no_such_path)
        .with_state(server.clone())
        .layer(sockets)
        .layer(middleware::from_fn_with_state(server, gate))
}

async fn health(State(server): State<Arc<Inner>>) -> Json<Report> {
    let is_live = server.parts.follow.is_live();
    Json(Report {
        service: "mcpanel",
        version: env!("CARGO_PKG_VERSION"),
        status: if is_live {
            Health::Healthy
        } else {
            Health::Degraded
        },
        timestamp: server.parts.identify.now(),
        message: (!is_live).then_some(DEAF),
        sockets: server.sockets(),
        slow_readers: server.figures.slow_readers(),
    })
}

/// Whether new sockets should come here: not while it hears of nothing.
async fn ready(State(server): State<Arc<Inner>>) -> (StatusCode, Json<Probe>) {
    let (code, status) = match server.parts.follow.is_live() {
        true => (StatusCode::OK, Health::Healthy),
        false => (StatusCode::SERVICE_UNAVAILABLE, Health::Unhealthy),
    };
    (code, Json(Probe { status }))
}

/// That the process runs.
async fn live() -> Json<Probe> {
    Json(Probe {
        status: Health::Healthy,
    })
}

/// The figures, for whoever has the permission that they need at the API's port.
async fn metrics(State(server): State<Arc<Inner>>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(scrape) = server.parts.scrape.clone() else {
        return no_such_path(State(server), uri).await;
    };
    match may_watch(&server, &headers).await {
        Ok(()) => {
            let (media_type, text) = scrape.write(&server.figures);
            ([(header::CONTENT_TYPE, media_type)], text).into_response()
        }
        Err(problem) => answer(problem),
    }
}

async fn may_watch(server: &Inner, headers: &HeaderMap) -> Result<(), Box<Problem>> {
    let shown = connect::credential(headers, Ok(Auth::default()))?;
    let identity = server.parts.identify.identify(&shown).await?;
    let needed = Permission::SystemHealth;
    if identity.principal.may(needed) {
        return Ok(());
    }
    let detail = format!("the figures need the permission `{}`", needed.as_str());
    Err(Refusal::Forbidden.because(detail))
}

async fn no_such_path(State(server): State<Arc<Inner>>, uri: Uri) -> Response {
    let figures = match server.parts.scrape {
        Some(_) => "figures at `/metrics`",
        None => "figures at `/metrics` of the API",
    };
    let detail = format!(
        "no path `{}`; sockets are at `/socket.io/`, health at `/health`, {figures}; the API has a port of its own",
        quoted(uri.path())
    );
    answer(Refusal::NotFound.because(detail))
}

async fn gate(State(server): State<Arc<Inner>>, request: Request, next: Next) -> Response {
    let allowed = match origin::check(&server.settings.origins, request.headers()) {
        Ok(allowed) => allowed,
        Err(problem) => {
            server.figures.refused(&problem.code);
            return answer(problem);
        }
    };
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        pass(&server, request, next).await
    };
    dress(response.headers_mut(), allowed);
    response
}

async fn pass(server: &Inner, request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    if let Err(problem) = let_in(server, request.uri().path(), query) {
        server.figures.refused(&problem.code);
        return answer(problem);
    }
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    // Polled messages; whoever sends them a byte at a time must not keep the connection.
    let time = Duration::from_millis(BODY_READ_MS_MAX);
    match tokio::time::timeout(time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

fn let_in(server: &Inner, path: &str, query: &str) -> Result<(), Box<Problem>> {
    if !path.starts_with("/socket.io") {
        return Ok(());
    }
    let name = |pair: &str| {
        pair.split('=')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let credential = query
        .split('&')
        .map(name)
        .find(|name| QUERY_CREDENTIALS.contains(&name.as_str()));
    if let Some(name) = credential {
        return Err(Refusal::Unauthenticated.because(format!(
            "credentials in the query (`{name}`) are refused, because they end up in logs; connect with `auth`, and replace \
             that credential"
        )));
    }
    if query.split('&').any(|pair| pair.starts_with("sid=")) {
        return Ok(());
    }
    if server.sockets() >= server.settings.sockets_max {
        return Err(Refusal::Overloaded.because(format!(
            "{} sockets are open already",
            server.settings.sockets_max
        )));
    }
    if !server.handshakes.lock().take(Instant::now()) {
        return Err(Refusal::Overloaded.because("too many sockets connect at once"));
    }
    Ok(())
}

fn answer(problem: Box<Problem>) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(problem)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
    }
    response
}

/// The headers that every answer has.
fn dress(headers: &mut HeaderMap, allowed: Option<HeaderValue>) {
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = allowed else { return };
    let fixed: [(HeaderName, &'static str); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type, x-api-key",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        HeaderValue::from_static("true"),
    );
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
