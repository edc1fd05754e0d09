//! What runs beside the requests: the reconcilers, and the removal of artifacts' bytes that nobody knows.

use std::time::{Duration, SystemTime};

use mcpanel_control::{Error, Scope};
use mcpanel_domain::Rejection;
use tokio::task::JoinSet;

use crate::{app::App, limits::ARTIFACT_SWEEP_INTERVAL_MS};

/// Starts what runs until the server stops.
pub(super) fn start(app: &App) -> JoinSet<()> {
    let mut parts = JoinSet::new();
    let (control, stop) = (app.control.clone(), app.stop.subscribe());
    parts.spawn(async move { control.run(stop).await });
    parts.spawn(sweep_artifacts(app.clone()));
    parts
}

async fn sweep_artifacts(app: App) {
    loop {
        let catalog = &app.control.catalog;
        let sweep = app
            .files
            .sweep(SystemTime::now(), |namespace, id| async move {
                let scope = Scope::new(namespace, "mcpanel");
                // Only a clear no counts: a store that cannot answer must not cost a file.
                !matches!(
                    catalog.artifact(&scope, &id).await,
                    Err(Error::Rejected(Rejection::NotFound { .. }))
                )
            });
        tokio::select! {
            swept = sweep => match swept {
                Ok(swept) if swept.removed > 0 => {
                    tracing::info!(swept.looked_at, swept.removed, "removed artifacts' bytes that nobody knows");
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "cannot look for artifacts' bytes that nobody knows"),
            },
            () = app.stop.begun() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ARTIFACT_SWEEP_INTERVAL_MS)) => {}
            () = app.stop.begun() => return,
        }
    }
}
