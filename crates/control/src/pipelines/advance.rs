//! Letting a pipeline go on: settle stages, start the next, make tasks, gather the output.
//!
//! Everything here may be asked again at any time, by anybody: stage tasks have ids that follow from
//! their place, commits are guarded by revisions, and each step looks at what is there first.

use std::sync::Arc;

use mcpanel_domain::{
    Namespace, PipelineId,
    pipeline::{self, Command, Effect, Facts, Mode, Pipeline, Stage, StageStatus},
    task::{self, Status, Task},
};
use mcpanel_store::{Commit, Write, query::Page};

use super::{
    bulk::{BATCH_TASKS, LIVE, cancellation, change_tasks, tasks_of},
    fill::fill_stage,
    inputs,
    output::collect_output,
};
use crate::{Error, Result, core::Core};

/// Looks at the facts that a stage takes: to settle it, to start it, to make its tasks, to see them.
const ROUNDS_PER_STAGE: usize = 4;

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
    let mut page = Page::first(BATCH_TASKS);
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
