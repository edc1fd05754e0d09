//! The endpoints, a file for each family. A handler reads as a short story: unpack, authorize (done by the
//! guard), call one service function, convert.

mod agents;
mod artifacts;
mod auth;
mod discovery;
mod events;
mod health;
mod keys;
mod metrics;
mod operations;
mod pipelines;
mod respond;
mod tasks;
mod templates;

pub(crate) use health::resident_bytes;

pub(crate) use agents::welcome;

use axum::http::Method;
use mcpanel_guard::Permission;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    access::{Access, Route},
    app::App,
};

/// A family of endpoints: its handlers, and its lines of the route table.
pub struct Family {
    /// The handlers.
    pub router: fn() -> OpenApiRouter<App>,
    /// Who may use them.
    pub table: fn() -> Vec<Route>,
}

/// What tells how the server is and what it does.
pub const PROBES: Family = Family {
    router: || health::router().merge(metrics::scrape_router()),
    table: || [health::table(), metrics::scrape_table()].concat(),
};

macro_rules! families {
    ($($name:ident),+ $(,)?) => {
        /// All families.
        pub const FAMILIES: &[Family] = &[$(Family { router: $name::router, table: $name::table },)+];
    };
}

families!(
    agents, tasks, operations, pipelines, templates, artifacts, events, metrics, keys, auth,
    discovery, health,
);

/// A line of the route table that needs a permission. `about` is what the path names, if it names something.
fn needs(
    method: Method,
    path: &'static str,
    operation: &'static str,
    permission: Permission,
    about: Option<&'static str>,
) -> Route {
    Route {
        method,
        path,
        operation,
        access: Access::Needs(permission),
        about,
    }
}

/// A line for anybody with valid credentials; the handler looks closer.
fn caller(
    method: Method,
    path: &'static str,
    operation: &'static str,
    about: Option<&'static str>,
) -> Route {
    Route {
        method,
        path,
        operation,
        access: Access::Caller,
        about,
    }
}

/// A line for everybody.
fn public(method: Method, path: &'static str, operation: &'static str) -> Route {
    Route {
        method,
        path,
        operation,
        access: Access::Public,
        about: None,
    }
}
