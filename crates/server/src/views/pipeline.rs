//! Pipelines and how far they are.

use mcpanel_api::pipeline::{
    NewPipeline, Pipeline, PipelineProgress, PipelineQuery, PipelineStatus, Stage, StagePace,
    StageProgress, StageStatus, TaskCounts, UpdatePipeline,
};
use mcpanel_control::{
    self as control, PipelineRequest, PipelineSearch, PipelineView, StageReport, StagesFrom,
};
use mcpanel_domain::{
    Fault, TaskId,
    pipeline::{self as rules, Changes, Facts, Status},
    task,
};
use mcpanel_store::query::{Listing, PipelineFilter, Position};

use super::template;
use crate::{
    error::{ApiError, ApiResult},
    limits::{PAGE_PAYLOAD_BYTES_MAX, STAGE_TASKS_LISTED_MAX, STAGE_TASKS_SHOWN_MAX},
};

/// A pipeline.
pub fn pipeline(view: &PipelineView) -> Pipeline {
    with_tasks(view, STAGE_TASKS_SHOWN_MAX)
}

/// A pipeline in a list, with fewer ids of tasks.
pub fn listed(view: &PipelineView) -> Pipeline {
    with_tasks(view, STAGE_TASKS_LISTED_MAX)
}

fn with_tasks(view: &PipelineView, tasks_max: u32) -> Pipeline {
    let pipeline = &*view.pipeline;
    let (template_id, template_version) = match &pipeline.template {
        Some((id, version)) => (Some(id.clone()), Some(*version)),
        None => (None, None),
    };
    let stages = pipeline.stages.iter();
    Pipeline {
        pipeline_id: pipeline.id.clone(),
        namespace: pipeline.namespace.clone(),
        name: pipeline.name.clone(),
        description: pipeline.description.clone(),
        status: status(pipeline.status),
        template_id,
        template_version,
        stages: stages
            .map(|each| stage(pipeline, each, &view.facts, tasks_max))
            .collect(),
        progress: pipeline.progress(&view.facts),
        input_data: pipeline.input_data.clone(),
        output_data: pipeline.output_data.clone(),
        metadata: pipeline.metadata.clone(),
        error: pipeline.error.clone(),
        tags: pipeline.tags.clone(),
        priority: pipeline.priority,
        created_by: pipeline.created_by.clone(),
        created_at: pipeline.created_at,
        updated_at: pipeline.updated_at,
        started_at: pipeline.started_at,
        completed_at: pipeline.completed_at,
        revision: pipeline.revision,
    }
}

fn stage(pipeline: &rules::Pipeline, stage: &rules::Stage, facts: &Facts, tasks_max: u32) -> Stage {
    let definition = &stage.definition;
    let task_id = |index| TaskId::of_stage(&pipeline.id, stage.run, definition.number, index);
    Stage {
        stage: definition.number,
        name: definition.name.clone(),
        task_type: definition.task_type.clone(),
        mode: template::mode(definition.mode),
        status: stage_status(stage.status),
        tasks: (0..stage.total.min(tasks_max)).map(task_id).collect(),
        dependencies: definition.dependencies.clone(),
        counts: counts(stage, facts),
        progress: stage.progress(facts),
        timeout_ms: definition.timeout_ms,
        retry_config: definition.retry.clone().into(),
        run: stage.run,
        started_at: stage.started_at,
        completed_at: stage.completed_at,
    }
}

fn counts(stage: &rules::Stage, facts: &Facts) -> TaskCounts {
    let counts = facts.of(stage.definition.number, stage.run);
    TaskCounts {
        // Known when the stage starts, before all of its tasks are made.
        total: stage.total.max(counts.total()),
        pending: counts.count(task::Status::Pending),
        assigned: counts.count(task::Status::Assigned),
        running: counts.count(task::Status::Running),
        completed: counts.count(task::Status::Completed),
        failed: counts.count(task::Status::Failed),
        retry: counts.count(task::Status::Retry),
        cancelled: counts.count(task::Status::Cancelled),
    }
}

/// How far a pipeline is; `reports` and `paces` in the order of its stages.
pub fn progress(
    view: &PipelineView,
    reports: Vec<StageReport>,
    paces: Vec<control::StagePace>,
) -> PipelineProgress {
    let pipeline = &*view.pipeline;
    let stages = pipeline.stages.iter().zip(reports).zip(paces);
    PipelineProgress {
        pipeline_id: pipeline.id.clone(),
        status: status(pipeline.status),
        progress: pipeline.progress(&view.facts),
        stages: stages
            .map(|((stage, report), pace)| StageProgress {
                stage: stage.definition.number,
                name: stage.definition.name.clone(),
                status: stage_status(stage.status),
                progress: stage.progress(&view.facts),
                counts: counts(stage, &view.facts),
                counters: report.counters,
                message: report.message,
                pace: StagePace {
                    run_p50_ms: pace.run_p50_ms,
                    run_p95_ms: pace.run_p95_ms,
                    per_minute: pace.per_minute,
                    eta_ms: pace.eta_ms,
                },
                started_at: stage.started_at,
                completed_at: stage.completed_at,
            })
            .collect(),
        updated_at: pipeline.updated_at,
    }
}

fn status(status: Status) -> PipelineStatus {
    match status {
        Status::Created => PipelineStatus::Created,
        Status::Running => PipelineStatus::Running,
        Status::Completed => PipelineStatus::Completed,
        Status::Failed => PipelineStatus::Failed,
        Status::Cancelled => PipelineStatus::Cancelled,
    }
}

fn stage_status(status: rules::StageStatus) -> StageStatus {
    match status {
        rules::StageStatus::Pending => StageStatus::Pending,
        rules::StageStatus::Running => StageStatus::Running,
        rules::StageStatus::Completed => StageStatus::Completed,
        rules::StageStatus::Failed => StageStatus::Failed,
        rules::StageStatus::Cancelled => StageStatus::Cancelled,
    }
}

/// Which pipelines a query asks for.
pub fn search(query: PipelineQuery) -> PipelineSearch {
    PipelineSearch {
        filter: PipelineFilter {
            statuses: query.status.map(wanted).into_iter().collect(),
            tag: query.tag,
            template: query.template_id,
            created_from: query.created_from,
            created_before: query.created_before,
        },
        text: query.text,
    }
}

/// The status that a query asks for, as the rules have it.
fn wanted(status: PipelineStatus) -> Status {
    match status {
        PipelineStatus::Created => Status::Created,
        PipelineStatus::Running => Status::Running,
        PipelineStatus::Completed => Status::Completed,
        PipelineStatus::Failed => Status::Failed,
        PipelineStatus::Cancelled => Status::Cancelled,
    }
}

/// A new pipeline, as the business layer takes it.
pub fn new(request: NewPipeline) -> ApiResult<PipelineRequest> {
    let stages = match (request.template, request.stages) {
        (Some(template), None) => StagesFrom::Template(template, request.template_version),
        (None, Some(stages)) => {
            if request.template_version.is_some() {
                return Err(ApiError::fault(
                    "/template_version",
                    "not_applicable",
                    "goes with `template`, not with `stages`",
                ));
            }
            StagesFrom::Request(stages.into_iter().map(template::new_definition).collect())
        }
        (None, None) => {
            let detail = "is missing; give this or `stages`";
            return Err(ApiError::fault("/template", "required", detail));
        }
        (Some(_), Some(_)) => {
            let fault = |pointer, other: &str| {
                let detail = format!("cannot go with `{other}`; give one of them");
                Fault::new(pointer, "not_applicable", detail)
            };
            return Err(ApiError::validation(vec![
                fault("/template", "stages"),
                fault("/stages", "template"),
            ]));
        }
    };
    Ok(PipelineRequest {
        id: request.pipeline_id,
        name: request.name,
        description: request.description.unwrap_or_default(),
        stages,
        input_data: request.input_data.unwrap_or_default(),
        metadata: request.metadata.unwrap_or_default(),
        tags: request.tags,
        priority: request.priority.unwrap_or_default(),
    })
}

/// Changes to a pipeline, as the rules take them.
pub fn changes(request: UpdatePipeline) -> Changes {
    Changes {
        name: request.name,
        description: request.description,
        metadata: request.metadata,
        tags: request.tags,
    }
}

/// Cuts a page where its payloads would become too much for one answer; the rest is the next page. One pipeline is
/// always there, so that every page gets on.
pub fn fit(listing: &mut Listing<PipelineView>) {
    let mut bytes = 0;
    let fits = listing.items.iter().take_while(|view| {
        let pipeline = &view.pipeline;
        bytes += pipeline.input_data.size_bytes() + pipeline.metadata.size_bytes();
        bytes += pipeline
            .output_data
            .as_ref()
            .map_or(0, |output| output.size_bytes());
        bytes <= PAGE_PAYLOAD_BYTES_MAX
    });
    let keep = fits.count().max(1);
    if keep < listing.items.len() {
        listing.items.truncate(keep);
        listing.next = listing.items.last().map(|view| Position {
            created_at: view.pipeline.created_at,
            id: view.pipeline.id.to_string(),
        });
    }
}
