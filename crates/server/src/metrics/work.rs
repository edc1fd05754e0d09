//! Tasks, agents and pipelines of one namespace. All instances tell the same.

use mcpanel_control::Scope;
use mcpanel_domain::{
    Timestamp, agent,
    pipeline::{Pipeline, Status as PipelineStatus},
    sample::{Activity, Histogram},
    task,
};
use mcpanel_store::query::{Page, PipelineFilter};

use super::text::{Kind, Text};
use crate::{app::App, error::ApiResult};

/// How far back rates and times look, in milliseconds: five whole minutes, so that a scrape every minute sees each of them.
const BACK_MS: u64 = 5 * 60_000;

/// How long a step of history is, in milliseconds: that of the samples.
const STEP_MS: u64 = 60_000;

/// Pipelines that are looked at, the newest. Each may hold free-form data of some size.
const PIPELINES_MAX: usize = 20;

/// The quantiles that are told, in per cent.
const QUANTILES: [(u32, &str); 3] = [(50, "0.5"), (95, "0.95"), (99, "0.99")];

/// Writes them.
pub(super) async fn write(app: &App, scope: &Scope, text: &mut Text) -> ApiResult<()> {
    let points = app.control.history.points(scope, BACK_MS, STEP_MS).await?;
    let mut recent = Activity::default();
    for point in &points {
        recent.absorb(&point.activity);
    }
    let agents = points.last().map(|point| point.agents).unwrap_or_default();
    agents_by_status(agents, text);
    tasks(app, scope, text).await?;
    rates(&recent, points.len(), text);
    times(
        "agent_response_time_seconds",
        "How long tasks of the last five minutes waited for an agent to begin.",
        &recent.wait,
        text,
    );
    times(
        "task_processing_time_seconds",
        "How long the last attempts of tasks took that ended in the last five minutes.",
        &recent.run,
        text,
    );
    pipelines(app, scope, text).await
}

fn agents_by_status(agents: [u64; 5], text: &mut Text) {
    let mut active = 0;
    let mut family = text.family(
        "agents",
        Kind::Gauge,
        "Agents by status, at the end of the last whole minute.",
    );
    for (status, count) in agent::Status::ALL.iter().zip(agents) {
        family.add(&[("status", status.as_str())], count);
        if matches!(status, agent::Status::Active | agent::Status::Busy) {
            active += count;
        }
    }
    text.one(
        "active_agents",
        Kind::Gauge,
        "Agents that are heard and well, at the end of the last whole minute.",
        active,
    );
}

async fn tasks(app: &App, scope: &Scope, text: &mut Text) -> ApiResult<()> {
    let totals = app
        .control
        .store()
        .totals(&scope.namespace)
        .await
        .map_err(mcpanel_control::Error::Store)?;
    let mut family = text.family("tasks", Kind::Gauge, "Tasks by status.");
    for (status, count) in task::Status::ALL.iter().zip(totals.tasks) {
        family.add(&[("status", status.as_str())], count);
    }
    text.one(
        "task_queue_size",
        Kind::Gauge,
        "Tasks that wait: for other tasks, their time or an agent.",
        totals.of(&[task::Status::Pending, task::Status::Retry]),
    );
    text.one(
        "tasks_ready",
        Kind::Gauge,
        "Tasks that could be given out this moment.",
        totals.ready,
    );
    Ok(())
}

fn rates(recent: &Activity, minutes: usize, text: &mut Text) {
    let seconds = (minutes.max(1) * 60) as f64;
    text.one(
        "task_completion_rate",
        Kind::Gauge,
        "Tasks completed a second over the last five minutes.",
        recent.completed as f64 / seconds,
    );
    text.one(
        "task_failure_rate",
        Kind::Gauge,
        "Tasks that failed for good, of those that completed or failed in the last five minutes.",
        share(recent.failed, recent.failed + recent.completed),
    );
}

fn times(name: &'static str, help: &str, times: &Histogram, text: &mut Text) {
    let mut family = text.family(name, Kind::Gauge, help);
    for (per_cent, quantile) in QUANTILES {
        if let Some(ms) = times.percentile(per_cent) {
            family.add(&[("quantile", quantile)], ms as f64 / 1_000.0);
        }
    }
}

async fn pipelines(app: &App, scope: &Scope, text: &mut Text) -> ApiResult<()> {
    let page = Page::first(PIPELINES_MAX);
    let newest = app
        .control
        .store()
        .list_pipelines(&scope.namespace, &PipelineFilter::default(), &page)
        .await
        .map_err(mcpanel_control::Error::Store)?;
    let (mut whole, mut stages) = (Histogram::default(), Histogram::default());
    let (mut completed, mut failed) = (0, 0);
    for pipeline in &newest.items {
        match pipeline.status {
            PipelineStatus::Completed => completed += 1,
            PipelineStatus::Failed => failed += 1,
            PipelineStatus::Created | PipelineStatus::Running | PipelineStatus::Cancelled => {}
        }
        record(pipeline, &mut whole, &mut stages);
    }
    text.one(
        "pipeline_success_rate",
        Kind::Gauge,
        "Pipelines that completed, of those among the twenty newest that completed or failed.",
        share(completed, completed + failed),
    );
    times(
        "stage_completion_time_seconds",
        "How long the completed stages of the twenty newest pipelines took.",
        &stages,
        text,
    );
    times(
        "overall_pipeline_time_seconds",
        "How long those of the twenty newest pipelines took that completed.",
        &whole,
        text,
    );
    Ok(())
}

fn record(pipeline: &Pipeline, whole: &mut Histogram, stages: &mut Histogram) {
    let took = |from: Option<Timestamp>, to: Option<Timestamp>| Some(to?.ms_since(from?));
    if pipeline.status == PipelineStatus::Completed
        && let Some(ms) = took(pipeline.started_at, pipeline.completed_at)
    {
        whole.record(ms);
    }
    for stage in &pipeline.stages {
        if stage.status == mcpanel_domain::pipeline::StageStatus::Completed
            && let Some(ms) = took(stage.started_at, stage.completed_at)
        {
            stages.record(ms);
        }
    }
}

/// A part of a whole; nothing of nothing.
fn share(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 0.0,
        whole => part as f64 / whole as f64,
    }
}
