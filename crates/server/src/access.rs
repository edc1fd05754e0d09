//! The route table and the one place where routes are guarded.
//!
//! Every route stands in a table with the permission it needs. The guard runs before any
//! handler and refuses what is not in the table, so a forgotten entry is a closed door, not an open one.

use std::{collections::HashMap, sync::Arc};

use axum::{
    RequestExt, Router,
    extract::{MatchedPath, RawPathParams, Request, State},
    http::Method,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use mcpanel_guard::Permission;

use crate::{
    auth::{Authenticator, Caller},
    edge,
    error::{ApiError, ApiResult, Code},
    namespace,
    rates::{RateLimits, Standing},
};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without credentials.
    Public,
    /// Anybody with valid credentials.
    Caller,
    /// Who holds this permission.
    Needs(Permission),
}

/// A line of the route table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method. `HEAD` goes with `GET`.
    pub method: Method,
    /// The path as axum and OpenAPI write it, such as `/api/v1/tasks/{task_id}`.
    pub path: &'static str,
    /// The OpenAPI operation id, stable: client libraries name their methods after it.
    pub operation: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What the first parameter of the path names, such as `task`. Who lacks the permission is told that there is no
    /// such one, in the words for one that does not exist.
    pub about: Option<&'static str>,
}

/// Guards routes by a table.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    routes: HashMap<&'static str, Vec<Route>>,
    authenticator: Arc<Authenticator>,
    rates: RateLimits,
}

impl Guard {
    /// Guards these routes.
    pub fn new(table: Vec<Route>, authenticator: Arc<Authenticator>, rates: RateLimits) -> Self {
        let mut routes: HashMap<_, Vec<Route>> = HashMap::new();
        for route in table {
            routes.entry(route.path).or_default().push(route);
        }
        Self(Arc::new(Inner {
            routes,
            authenticator,
            rates,
        }))
    }

    /// Puts the guard before every route of `router`.
    pub fn protect<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        router.route_layer(middleware::from_fn_with_state(self, guard))
    }

    fn route(&self, method: &Method, path: &str) -> ApiResult<&Route> {
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let routes = self
            .0
            .routes
            .get(path)
            .map(Vec::as_slice)
            .unwrap_or_default();
        routes
            .iter()
            .find(|route| route.method == *method)
            .ok_or_else(|| {
                ApiError::internal(format!("`{method} {path}` is not in the route table"))
            })
    }
}

async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    match let_in(&guard, &mut request).await {
        Ok(standing) => {
            let mut response = next.run(request).await;
            if let Some(standing) = standing {
                standing.write(response.headers_mut());
            }
            response
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn let_in(guard: &Guard, request: &mut Request) -> ApiResult<Option<Standing>> {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.ok_or_else(|| ApiError::internal("the guard stands before no route"))?;
    let route = guard.route(request.method(), path.as_str())?;
    if route.access == Access::Public {
        return Ok(None);
    }
    let authenticator = &guard.0.authenticator;
    let principal = authenticator
        .identify(request.headers(), request.uri().query())
        .await?;
    edge::note_caller(principal.actor());
    let standing = guard.0.rates.count(route, &principal).await?;
    let principal = namespace::chosen(principal, request.headers())?;
    if let Access::Needs(permission) = route.access
        && !principal.may(permission)
    {
        return Err(refusal(route, permission, request).await);
    }
    request.extensions_mut().insert(Caller(principal));
    Ok(standing)
}

/// What a caller without the permission sees: for a document, what a nonexistent one shows.
async fn refusal(route: &Route, permission: Permission, request: &mut Request) -> ApiError {
    if let Some(what) = route.about
        && let Ok(params) = request.extract_parts::<RawPathParams>().await
        && let Some((_, id)) = params.iter().next()
    {
        return ApiError::not_found(what, id);
    }
    ApiError::new(
        Code::Forbidden,
        format!("this needs the permission `{permission}`"),
    )
}
