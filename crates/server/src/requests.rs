//! A log line for each request: method, route, status, duration, request id, and who asked. Never a body, a query or a header.
//! The same is counted for whoever watches.

use std::time::Instant;

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{self, Next},
    response::Response,
};

use crate::{edge, metrics::Requests};

/// The target of these lines, to filter them by.
pub const TARGET: &str = "mcpanel_server::requests";

/// What is written for a path that no route has. The path itself could hold anything.
const NO_ROUTE: &str = "no route";

/// Logs and counts every request that comes through.
pub(crate) fn log<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    requests: Requests,
) -> Router<S> {
    router.layer(middleware::from_fn_with_state(requests, logged))
}

async fn logged(State(requests): State<Requests>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    requests.count(route, &method, response.status(), began.elapsed());
    tracing::info!(
        target: TARGET,
        {
            request.id = edge::request_id().as_deref(),
            user.id = edge::caller().as_deref(),
            http.method = method.as_str(),
            http.route = route,
            http.status = response.status().as_u16(),
            duration_ms = began.elapsed().as_secs_f64() * 1_000.0,
        },
        "{method} {route}"
    );
    response
}
