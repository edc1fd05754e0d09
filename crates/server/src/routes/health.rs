//! How the server is.
//!
//! - *live*: the process answers. A supervisor restarts what is not.
//! - *ready*: it takes changes. A load balancer sends requests elsewhere while it is not.
//! - the whole picture, in the specification's form. A store that takes no changes and answers questions is
//!   *degraded*; one that does not answer either is *unhealthy*, and so is the server.

use std::{collections::BTreeMap, time::Instant};

use axum::{
    Json,
    extract::State,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use mcpanel_api::health::{Health, HealthCheck, HealthChecks, HealthStatus, Probe};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::public;
use crate::{access::Route, app::App};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(check))
        .routes(routes!(check_short))
        .routes(routes!(live))
        .routes(routes!(ready))
}

pub(super) fn table() -> Vec<Route> {
    vec![
        public(Method::GET, "/api/v1/health", "get_health"),
        public(Method::GET, "/health", "get_health_short"),
        public(Method::GET, "/health/live", "get_live"),
        public(Method::GET, "/health/ready", "get_ready"),
    ]
}

/// Tells how the server is
#[utoipa::path(
    get, path = "/api/v1/health", operation_id = "get_health", tag = "health",
    responses(
        (status = 200, description = "How it is: healthy, or degraded.", body = HealthCheck),
        (status = 503, description = "It cannot work.", body = HealthCheck)
    )
)]
async fn check(State(app): State<App>) -> Response {
    let check = look(&app).await;
    (code(check.status), Json(check)).into_response()
}

/// Tells how the server is, at the usual place
#[utoipa::path(
    get, path = "/health", operation_id = "get_health_short", tag = "health",
    responses(
        (status = 200, description = "How it is: healthy, or degraded.", body = HealthCheck),
        (status = 503, description = "It cannot work.", body = HealthCheck)
    )
)]
async fn check_short(app: State<App>) -> Response {
    check(app).await
}

/// Tells that the process runs
#[utoipa::path(
    get, path = "/health/live", operation_id = "get_live", tag = "health",
    responses((status = 200, description = "It does.", body = Probe))
)]
async fn live() -> Json<Probe> {
    Json(Probe {
        status: Health::Healthy,
    })
}

/// Tells whether the server takes changes
///
/// Not while it stops, and not while its store takes none.
#[utoipa::path(
    get, path = "/health/ready", operation_id = "get_ready", tag = "health",
    responses(
        (status = 200, description = "It does.", body = Probe),
        (status = 503, description = "It does not, at the moment.", body = Probe)
    )
)]
async fn ready(State(app): State<App>) -> Response {
    let takes_changes =
        !app.stop.has_begun() && app.control.store().health().await.read_only.is_none();
    let status = if takes_changes {
        Health::Healthy
    } else {
        Health::Unhealthy
    };
    (code(status), Json(Probe { status })).into_response()
}

/// The status of the whole.
pub(super) async fn overall(app: &App) -> Health {
    look(app).await.status
}

async fn look(app: &App) -> HealthCheck {
    let database = database(app).await;
    let redis = redis(app);
    let system = system(app);
    let parts = [database.status, redis.status, system.status];
    let well = |part: &Health| matches!(part, Health::Healthy | Health::NotConfigured);
    let status = match () {
        () if parts.contains(&Health::Unhealthy) => Health::Unhealthy,
        () if parts.iter().all(well) => Health::Healthy,
        () => Health::Degraded,
    };
    HealthCheck {
        service: "mcpanel".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        status,
        timestamp: app.env.now(),
        checks: HealthChecks {
            database,
            redis,
            external_services: unused("none is set"),
            system_resources: system,
        },
    }
}

async fn database(app: &App) -> HealthStatus {
    let began = Instant::now();
    let store = app.control.store().health().await;
    let latency_ms = began.elapsed().as_secs_f64() * 1_000.0;
    let (status, message) = match store.read_only {
        None => (Health::Healthy, format!("engine `{}`", store.engine)),
        Some(reason) if store.reads => (
            Health::Degraded,
            format!("engine `{}` takes no changes: {reason}", store.engine),
        ),
        Some(reason) => (
            Health::Unhealthy,
            format!("engine `{}` cannot be used: {reason}", store.engine),
        ),
    };
    let mut figures = BTreeMap::from([
        ("commits".to_owned(), store.commits),
        ("flushes".to_owned(), store.flushes),
    ]);
    if let Some(size) = store.size_bytes {
        figures.insert("size_bytes".to_owned(), size);
    }
    HealthStatus {
        status,
        message: Some(message),
        latency_ms: Some(latency_ms),
        figures,
    }
}

fn redis(app: &App) -> HealthStatus {
    let Some(look) = &app.redis else {
        return unused("this server needs none");
    };
    let health = look();
    let (status, message) = match (health.up, &health.reason) {
        (true, None) => (Health::Healthy, None),
        (true, Some(reason)) => (
            Health::Degraded,
            Some(format!("Redis refuses some calls ({reason})")),
        ),
        (false, reason) => {
            let reason = reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(" ({reason})"));
            let text = format!(
                "Redis is away{reason}: work goes on from MongoDB, more slowly and less fairly"
            );
            (Health::Degraded, Some(text))
        }
    };
    HealthStatus {
        status,
        message,
        latency_ms: Some(health.latency_us as f64 / 1_000.0),
        figures: BTreeMap::from([
            ("answered".to_owned(), health.answered),
            ("failed".to_owned(), health.failed),
            ("spared".to_owned(), health.spared),
            ("opened".to_owned(), health.opened),
        ]),
    }
}

fn system(app: &App) -> HealthStatus {
    let mut figures = BTreeMap::from([
        (
            "uptime_ms".to_owned(),
            app.env.now().ms_since(app.started_at),
        ),
        ("claims_waiting".to_owned(), u64::from(app.waiting.total())),
    ]);
    if let Some(bytes) = resident_bytes() {
        figures.insert("resident_bytes".to_owned(), bytes);
    }
    let stopping = app.stop.has_begun();
    HealthStatus {
        status: if stopping {
            Health::Degraded
        } else {
            Health::Healthy
        },
        message: stopping.then(|| "the server stops".to_owned()),
        latency_ms: None,
        figures,
    }
}

fn unused(message: &str) -> HealthStatus {
    HealthStatus {
        status: Health::NotConfigured,
        message: Some(message.to_owned()),
        latency_ms: None,
        figures: BTreeMap::new(),
    }
}

fn code(status: Health) -> StatusCode {
    match status {
        Health::Healthy | Health::Degraded | Health::NotConfigured => StatusCode::OK,
        Health::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The memory that this process holds, where the system tells it (Linux).
pub(crate) fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
