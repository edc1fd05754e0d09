//! What is measured, for machines that watch: `GET /metrics` in the text form of Prometheus.
//!
//! - [`requests`]: requests by route, their outcomes and times, counted in this process
//! - [`work`]: tasks, agents and pipelines of the caller's namespace, as the store knows them
//! - [`parts`]: the store, its caches and connections, Redis, limits, memory
//! - [`sockets`]: what happened on sockets
//! - [`text`]: the form
//!
//! Names are the specification's (`MCPMetrics`) in the form that Prometheus wants, and ours behind them; `docs/metrics.md`
//! lists all.

pub(crate) mod parts;
pub(crate) mod requests;
pub(crate) mod sockets;
mod text;
mod work;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use mcpanel_control::Scope;
use mcpanel_store_mongo::{MongoStore, StoreFigures};

pub(crate) use requests::Requests;
pub(crate) use text::{MEDIA_TYPE, Text};

use crate::{app::App, error::ApiResult};

/// Tells the figures of a store that instances share.
pub type LookAtStore = Arc<dyn Fn() -> StoreFigures + Send + Sync>;

/// Looks at a store that instances share.
pub fn of_store(store: &Arc<MongoStore>) -> LookAtStore {
    let store = store.clone();
    Arc::new(move || store.all_figures())
}

/// All figures, as text.
pub(crate) async fn write(app: &App, scope: &Scope) -> ApiResult<String> {
    let mut text = Text::default();
    work::write(app, scope, &mut text).await?;
    app.requests.write(&mut text);
    parts::write(app, &mut text).await;
    Ok(text.into_string())
}
