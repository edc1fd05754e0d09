//! Letting a pipeline go on: settle stages, start the next, make tasks, gather the output.
//!
//! Everything here may be asked again at any time, by anybody: stage tasks have ids that follow from
//! their place, commits are guarded by revisions, and each step looks at what is there first.

use std::{collections::BTreeMap, sync::Arc};

use mcpanel_domain::{
    Namespace, Payload, PipelineId, TaskId,
    pipeline::{self, Command, Effect, Facts, Mode, Pipeline, Stage, StageStatus},
    task::{self, NewTask, Place, Status, Task},
};
use mcpanel_store::{
    Commit, Write,
    query::{Page, TaskFilter},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::inputs;
use crate::{Error, Result, act, core::Core};

/// Looks at the facts that a stage takes: to settle it, to start it, to make its tasks, to see them.
const ROUNDS_PER_STAGE: usize = 4;

/// Tasks made, replayed or cancelled in one commit.
const BATCH_TASKS: usize = 500;

/// Input data up to this size travels with each task, in bytes; larger is read from the pipeline.
const INPUT_DATA_BYTES_INLINE: usize = 16 * 1024;

/// Results gathered into `output_data` up to this size, in bytes; more is read from the tasks.
const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

/// Lets a pipeline go on until there is nothing more to do for it now.
pub(crate) async fn advance(core: &Core, namespace: &Namespace, id: &PipelineId) -> Result<()> {
    let mut rounds = 0;
    loop {
        let Some(pipeline) = core.store.pipeline(namespace, id).await? else {
            return Ok(());
        };
        // Each stage takes a few rounds of its own.
        if rounds > Core::tries().len() + ROUNDS_PER_STAGE * pipeline.stages.len() {
            return Err(Error::Contended { id: id.to_string() });
        }
        rounds += 1;
        let facts = facts(core, &pipeline).await?;
        let decision = pipeline::decide(&pipeline, Command::Advance { facts }, core.now())?;
        let changed = decision.pipeline.is_some();
        let current = match decision.pipeline {
            Some(next) => {
                let next = Arc::new(next);
                let commit = Commit::of(Write::Pipeline(next.clone())).with_events(decision.events);
                match core.commit(commit).await {
                    Ok(()) => next,
                    Err(error) if error.conflict().is_some() => continue,
                    Err(error) => return Err(error),
                }
            }
            None => pipeline,
        };
        let mut acted = false;
        for effect in decision.effects {
            acted |= perform(core, &current, effect).await?;
        }
        if !changed && !acted {
            return Ok(());
        }
    }
}

/// Performs an effect; tells whether anything changed.
async fn perform(core: &Core, pipeline: &Arc<Pipeline>, effect: Effect) -> Result<bool> {
    match effect {
        Effect::FillStage { stage } => fill_stage(core, pipeline, stage).await,
        Effect::ReplayTasks { stage } => {
            let run = pipeline.stage(stage).map_or(1, |stage| stage.run);
            let lost_or_live = [
                Status::Failed,
                Status::Cancelled,
                Status::Assigned,
                Status::Running,
            ];
            let wanted = |task: &Task| {
                let of_run = task.place.as_ref().is_some_and(|place| place.run == run);
                of_run && (task.status().is_terminal() || task.cancel_requested.is_some())
            };
            let filter = tasks_of(pipeline, Some(stage), &lost_or_live);
            change_tasks(core, pipeline, filter, wanted, task::Command::Replay).await
        }
        Effect::CancelTasks => {
            let why = format!("the pipeline is {}", pipeline.status.as_str());
            let filter = tasks_of(pipeline, None, &LIVE);
            change_tasks(core, pipeline, filter, |_| true, cancellation(why)).await
        }
        Effect::CancelOutdated => {
            let outdated = |task: &Task| {
                task.place.as_ref().is_some_and(|place| {
                    let stage = pipeline.stage(place.stage);
                    stage.is_some_and(|stage| place.run < stage.run)
                })
            };
            let why = "its stage is run anew".to_owned();
            let filter = tasks_of(pipeline, None, &LIVE);
            change_tasks(core, pipeline, filter, outdated, cancellation(why)).await
        }
        Effect::CollectOutput => collect_output(core, pipeline).await,
    }
}

/// What a task may be while it has not ended.
const LIVE: [Status; 4] = [
    Status::Pending,
    Status::Retry,
    Status::Assigned,
    Status::Running,
];

fn cancellation(why: String) -> task::Command {
    task::Command::Cancel {
        by: "mcpanel".to_owned(),
        reason: Some(why),
    }
}

fn tasks_of(pipeline: &Pipeline, stage: Option<u16>, statuses: &[Status]) -> TaskFilter {
    TaskFilter {
        statuses: statuses.to_vec(),
        pipeline_id: Some(pipeline.id.clone()),
        stage,
        ..TaskFilter::default()
    }
}

/// What the rules need to know: counts, and the number of chunks for stages that could start.
async fn facts(core: &Core, pipeline: &Pipeline) -> Result<Facts> {
    let stages = core
        .store
        .stage_counts(&pipeline.namespace, &pipeline.id)
        .await?;
    let counted = Facts {
        stages,
        ..Facts::default()
    };
    let mut inputs = Vec::new();
    let mut stopping = Vec::new();
    for stage in &pipeline.stages {
        if stage.replaying {
            let number = stage.definition.number;
            stopping.push((number, count_stopping(core, pipeline, stage).await?));
        }
        let could_start = pipeline.status == pipeline::Status::Running
            && stage.status == StageStatus::Pending
            && stage.definition.mode == Mode::Map
            && stage.definition.dependencies.iter().all(|number| {
                pipeline
                    .stage(*number)
                    .is_some_and(|before| is_done(before, &counted))
            });
        if could_start {
            let chunks = inputs::chunks(core, pipeline, stage).await?.len();
            inputs.push((
                stage.definition.number,
                u32::try_from(chunks).unwrap_or(u32::MAX),
            ));
        }
    }
    Ok(Facts {
        inputs,
        stopping,
        ..counted
    })
}

/// Tasks of a stage's present run that were asked to stop and have not.
async fn count_stopping(core: &Core, pipeline: &Pipeline, stage: &Stage) -> Result<u32> {
    let held = [Status::Assigned, Status::Running];
    let filter = tasks_of(pipeline, Some(stage.definition.number), &held);
    let mut page = Page {
        after: None,
        limit: BATCH_TASKS,
    };
    let mut count = 0;
    loop {
        let listing = core
            .store
            .list_tasks(&pipeline.namespace, &filter, &page)
            .await?;
        let stopping = listing.items.iter().filter(|task| {
            let place = task.place.as_ref();
            task.cancel_requested.is_some() && place.is_some_and(|place| place.run == stage.run)
        });
        count += u32::try_from(stopping.count()).unwrap_or(u32::MAX);
        match listing.next {
            Some(next) => page.after = Some(next),
            None => return Ok(count),
        }
    }
}

/// Whether a stage is completed, or will be found completed by this look.
fn is_done(stage: &Stage, facts: &Facts) -> bool {
    match stage.status {
        StageStatus::Completed => true,
        StageStatus::Running => {
            let counts = facts.of(stage.definition.number, stage.run);
            counts.count(Status::Completed) == stage.total
        }
        StageStatus::Pending | StageStatus::Failed | StageStatus::Cancelled => false,
    }
}

/// Makes the tasks of a stage that are not there yet.
async fn fill_stage(core: &Core, pipeline: &Arc<Pipeline>, number: u16) -> Result<bool> {
    let Some(stage) = pipeline
        .stage(number)
        .filter(|stage| stage.status == StageStatus::Running)
    else {
        return Ok(false);
    };
    let chunks = match stage.definition.mode {
        Mode::Map => inputs::chunks(core, pipeline, stage).await?,
        Mode::Single | Mode::Reduce => Vec::new(),
    };
    let mut made = false;
    for start in (0..stage.total).step_by(BATCH_TASKS) {
        let end = stage.total.min(start.saturating_add(BATCH_TASKS as u32));
        let ids: Vec<TaskId> = (start..end)
            .map(|index| TaskId::of_stage(&pipeline.id, stage.run, number, index))
            .collect();
        let present = core.store.tasks(&pipeline.namespace, &ids).await?;
        let mut commit = Commit::default();
        for ((index, id), present) in (start..end).zip(ids).zip(present) {
            if present.is_some() {
                continue;
            }
            let chunk = chunks.get(index as usize).map(|chunk| chunk.id.as_str());
            let new = stage_task(pipeline, stage, index, id, chunk)?;
            let by = Arc::from(pipeline.created_by.as_str());
            let decision = new.create(&pipeline.namespace, &by, core.now());
            commit.events.extend(decision.events);
            if let Some(task) = decision.task {
                commit.writes.push(Write::Task {
                    task: Arc::new(task),
                    parameters: Some(new.parameters),
                    result: None,
                });
            }
        }
        if !commit.is_empty() {
            match core.commit(commit).await {
                Ok(()) => made = true,
                // Somebody else makes them too: look again.
                Err(error) if error.conflict().is_some() => return Ok(true),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(made)
}

/// The parameters of a stage's task.
#[derive(Serialize)]
struct StageParameters<'a> {
    pipeline_id: &'a str,
    stage: u16,
    stage_name: &'a str,
    run: u32,
    index: u32,
    total: u32,
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_artifact_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_data: Option<&'a RawValue>,
    parameters: &'a RawValue,
}

fn stage_task(
    pipeline: &Pipeline,
    stage: &Stage,
    index: u32,
    id: TaskId,
    chunk: Option<&str>,
) -> Result<NewTask> {
    let definition = &stage.definition;
    let damaged = |error: serde_json::Error| {
        Error::Store(mcpanel_store::Error::Damaged {
            what: format!("the data of pipeline `{}`: {error}", pipeline.id),
        })
    };
    let input_data = if pipeline.input_data.size_bytes() <= INPUT_DATA_BYTES_INLINE {
        Some(pipeline.input_data.read::<&RawValue>().map_err(damaged)?)
    } else {
        None
    };
    let parameters = StageParameters {
        pipeline_id: pipeline.id.as_str(),
        stage: definition.number,
        stage_name: &definition.name,
        run: stage.run,
        index,
        total: stage.total,
        mode: definition.mode.as_str(),
        input_artifact_id: chunk,
        input_data,
        parameters: definition.parameters.read::<&RawValue>().map_err(damaged)?,
    };
    Ok(NewTask {
        capabilities: definition.capabilities.clone(),
        place: Some(Place {
            pipeline_id: pipeline.id.clone(),
            stage: definition.number,
            index,
            run: stage.run,
        }),
        priority: pipeline.priority,
        timeout_ms: definition.timeout_ms,
        retry: Arc::new(definition.retry.clone()),
        parameters: Payload::of(&parameters).map_err(damaged)?,
        ..NewTask::of_type(id, definition.task_type.clone())
    })
}

/// Gives a command to the tasks that pass the filter and are wanted, as long as the pipeline stands where it stood.
async fn change_tasks(
    core: &Core,
    pipeline: &Pipeline,
    filter: TaskFilter,
    wanted: impl Fn(&Task) -> bool,
    command: task::Command,
) -> Result<bool> {
    let mut page = Page {
        after: None,
        limit: BATCH_TASKS,
    };
    let mut changed = false;
    let mut outdated = false;
    while !outdated {
        let listing = core
            .store
            .list_tasks(&pipeline.namespace, &filter, &page)
            .await?;
        let mut effects = Vec::new();
        for task in listing.items.into_iter().filter(|task| wanted(task)) {
            // Somebody may have cancelled or replayed it meanwhile: then the wish is outdated.
            let present = core.store.pipeline(&pipeline.namespace, &pipeline.id);
            if present.await?.map(|present| present.status) != Some(pipeline.status) {
                outdated = true;
                break;
            }
            let before = task.revision;
            let outcome = core
                .change_task(&pipeline.namespace, &task.id, |_, _| Ok(command.clone()))
                .await;
            match outcome {
                Ok(done) => {
                    changed |= done.task.revision != before;
                    effects.extend(done.effects);
                }
                // It ended, or was replayed, in the meantime.
                Err(Error::Rejected(_)) => {}
                Err(error) => return Err(error),
            }
        }
        // Those that lead back to this pipeline are what the caller's loop is doing.
        effects.retain(|effect| matches!(effect, task::Effect::CancelDependents(_)));
        Box::pin(act::perform(core, &pipeline.namespace, effects)).await;
        match listing.next {
            Some(next) => page.after = Some(next),
            None => return Ok(changed),
        }
    }
    Ok(true)
}

/// Gathers the results of the last stages into the pipeline's output.
async fn collect_output(core: &Core, pipeline: &Arc<Pipeline>) -> Result<bool> {
    let mut output: BTreeMap<&str, Vec<Box<RawValue>>> = BTreeMap::new();
    let mut size = 0;
    for stage in &pipeline.stages {
        let number = stage.definition.number;
        let is_last = !pipeline
            .stages
            .iter()
            .any(|other| other.definition.dependencies.contains(&number));
        if !is_last {
            continue;
        }
        let results = output.entry(stage.definition.name.as_str()).or_default();
        for index in 0..stage.total {
            let id = TaskId::of_stage(&pipeline.id, stage.run, number, index);
            let payloads = core
                .store
                .payloads(&pipeline.namespace, &[id])
                .await?
                .pop()
                .flatten();
            let Some(result) = payloads.and_then(|payloads| payloads.result) else {
                continue;
            };
            size += result.size_bytes();
            if size > OUTPUT_BYTES_MAX {
                break;
            }
            if let Ok(raw) = RawValue::from_string(result.as_str().to_owned()) {
                results.push(raw);
            }
        }
    }
    let output = Payload::of(&output).map_err(|error| {
        Error::Store(mcpanel_store::Error::Damaged {
            what: format!("the results of pipeline `{}`: {error}", pipeline.id),
        })
    })?;
    let decision = pipeline::decide(pipeline, Command::StoreOutput { output }, core.now())?;
    let Some(next) = decision.pipeline else {
        return Ok(false);
    };
    match core
        .commit(Commit::of(Write::Pipeline(Arc::new(next))))
        .await
    {
        Ok(()) => Ok(true),
        Err(error) if error.conflict().is_some() => Ok(true),
        Err(error) => Err(error),
    }
}
