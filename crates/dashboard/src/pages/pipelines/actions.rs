//! What can be done to a pipeline.

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::parse;
use crate::{
    Dashboard,
    error::{Failure, Result},
    form::{Form, outcome},
    session::Viewer,
};

/// Begins to run it.
pub async fn execute(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    _: Form,
) -> Result<Response> {
    let id = parse(&id)?;
    let changed = dashboard
        .control
        .pipelines
        .execute(&viewer.scope, &id)
        .await;
    outcome(&format!("/pipelines/{id}"), changed, |_| {
        "The pipeline runs.".to_owned()
    })
}

/// Stops it.
pub async fn cancel(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response> {
    let id = parse(&id)?;
    let reason = form.text("reason").map(str::to_owned);
    let changed = dashboard
        .control
        .pipelines
        .cancel(&viewer.scope, &id, reason)
        .await;
    outcome(&format!("/pipelines/{id}"), changed, |_| {
        "The pipeline is cancelled; what runs was asked to stop.".to_owned()
    })
}

/// Runs again what failed, or everything from a stage on.
pub async fn retry(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response> {
    let id = parse(&id)?;
    let from = form.text("from").map(stage).transpose()?;
    let changed = dashboard
        .control
        .pipelines
        .retry(&viewer.scope, &id, from)
        .await;
    outcome(&format!("/pipelines/{id}"), changed, |_| match from {
        Some(stage) => format!("The pipeline runs again from stage {stage}."),
        None => "What failed runs again.".to_owned(),
    })
}

/// Runs a stage, or what failed in it.
pub async fn execute_stage(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path((id, number)): Path<(String, String)>,
    _: Form,
) -> Result<Response> {
    let id = parse(&id)?;
    let number = stage(&number)?;
    let changed = dashboard
        .control
        .pipelines
        .execute_stage(&viewer.scope, &id, number)
        .await;
    outcome(&format!("/pipelines/{id}"), changed, |_| {
        format!("Stage {number} runs.")
    })
}

fn stage(text: &str) -> Result<u16> {
    text.parse().map_err(|_| Failure::not_found("stage", text))
}
