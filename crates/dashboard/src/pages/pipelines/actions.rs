//! What can be done to a pipeline.

use axum::response::Response;
use maud::Markup;
use mcpanel_domain::PipelineId;
use mcpanel_guard::Permission;

use super::{list::row, parse};
use crate::{
    Dashboard,
    act::{Document, On},
    error::{Failure, Result},
    form::Form,
    session::Viewer,
};

/// Pipelines, as actions know them.
pub struct Pipelines;

impl Document for Pipelines {
    type Id = PipelineId;

    const PATH: &'static str = "/pipelines";

    const READ: Permission = Permission::PipelineRead;

    fn id(text: &str) -> Result<PipelineId> {
        parse(text)
    }

    async fn row(dashboard: &Dashboard, viewer: &Viewer, id: &PipelineId) -> Result<Markup> {
        let view = dashboard.control.pipelines.get(&viewer.scope, id).await?;
        Ok(row(viewer, &view))
    }
}

/// Begins to run it.
pub async fn execute(on: On<Pipelines>, form: Form) -> Result<Response> {
    let pipelines = &on.dashboard.control.pipelines;
    let changed = pipelines.execute(&on.viewer.scope, &on.id).await;
    on.answer(&form, changed, |_| "The pipeline runs.".to_owned())
        .await
}

/// Stops it.
pub async fn cancel(on: On<Pipelines>, form: Form) -> Result<Response> {
    let pipelines = &on.dashboard.control.pipelines;
    let reason = form.text("reason").map(str::to_owned);
    let changed = pipelines.cancel(&on.viewer.scope, &on.id, reason).await;
    on.answer(&form, changed, |_| {
        "The pipeline is cancelled; what runs was asked to stop.".to_owned()
    })
    .await
}

/// Runs again what failed, or everything from a stage on.
pub async fn retry(on: On<Pipelines>, form: Form) -> Result<Response> {
    let from = form.text("from").map(stage).transpose()?;
    let pipelines = &on.dashboard.control.pipelines;
    let changed = pipelines.retry(&on.viewer.scope, &on.id, from).await;
    on.answer(&form, changed, |_| match from {
        Some(stage) => format!("The pipeline runs again from stage {stage}."),
        None => "What failed runs again.".to_owned(),
    })
    .await
}

/// Runs a stage, or what failed in it.
pub async fn execute_stage(on: On<Pipelines>, form: Form) -> Result<Response> {
    let number = stage(on.rest.first().map_or("", String::as_str))?;
    let pipelines = &on.dashboard.control.pipelines;
    let changed = pipelines
        .execute_stage(&on.viewer.scope, &on.id, number)
        .await;
    on.answer(&form, changed, |_| format!("Stage {number} runs."))
        .await
}

fn stage(text: &str) -> Result<u16> {
    text.parse().map_err(|_| Failure::not_found("stage", text))
}
