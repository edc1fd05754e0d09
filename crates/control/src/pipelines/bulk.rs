//! Many tasks of a pipeline at once, in its name.

use std::sync::Arc;

use mcpanel_domain::{
    pipeline::{self, Pipeline},
    task::{self, Status, Task},
};
use mcpanel_store::{
    Commit, Write,
    query::{Page, TaskFilter},
};

use crate::{Result, act, core::Core};

/// Tasks made or changed in one commit. A commit that meets a newer document is made again, so it is small enough
/// to be through before much changes.
pub(super) const BATCH_TASKS: usize = 200;

/// What a task may be while it has not ended.
pub(super) const LIVE: [Status; 4] = [
    Status::Pending,
    Status::Retry,
    Status::Assigned,
    Status::Running,
];

/// A cancellation that nobody in particular asked for.
pub(super) fn cancellation(why: String) -> task::Command {
    task::Command::Cancel {
        by: "mcpanel".to_owned(),
        reason: Some(why),
    }
}

/// The tasks of a pipeline, or of one of its stages, that have one of these statuses.
pub(super) fn tasks_of(pipeline: &Pipeline, stage: Option<u16>, statuses: &[Status]) -> TaskFilter {
    TaskFilter {
        statuses: statuses.to_vec(),
        pipeline_id: Some(pipeline.id.clone()),
        stage,
        ..TaskFilter::default()
    }
}

/// Gives a command to the tasks that pass the filter and are wanted; tells whether anything changed, or somebody else
/// changed something first.
pub(super) async fn change_tasks(
    core: &Core,
    pipeline: &Arc<Pipeline>,
    filter: TaskFilter,
    wanted: impl Fn(&Task) -> bool,
    command: task::Command,
) -> Result<bool> {
    let mut pipeline = pipeline.clone();
    let mut page = Page::first(BATCH_TASKS);
    let mut changed = false;
    loop {
        let listing = core
            .store
            .list_tasks(&pipeline.namespace, &filter, &page)
            .await?;
        let mut commit = Commit::default();
        let mut effects = Vec::new();
        let standing = core.stand(&pipeline.namespace, listing.items).await;
        for each in standing.into_iter().filter(|each| wanted(&each.task)) {
            // Refused where it ended meanwhile, or is as it should be.
            let Ok(decision) = task::decide(&each.task, command.clone(), core.now()) else {
                continue;
            };
            let Some(next) = decision.task else { continue };
            let events = each.events(decision.events);
            commit = commit.with_events(events).with(Write::Task {
                task: Arc::new(next),
                parameters: None,
                result: None,
            });
            effects.extend(decision.effects);
        }
        if !commit.is_empty() {
            let Some(next) = commit_for(core, &pipeline, commit).await? else {
                return Ok(true);
            };
            pipeline = next;
            changed = true;
        }
        // Those that lead back to this pipeline are what the caller's loop is doing.
        effects.retain(|effect| matches!(effect, task::Effect::CancelDependents(_)));
        Box::pin(act::perform(core, &pipeline.namespace, effects)).await;
        match listing.next {
            Some(next) => page.after = Some(next),
            None => return Ok(changed),
        }
    }
}

/// Commits what is done in a pipeline's name together with a new revision of it, so that nothing of it becomes durable
/// once the pipeline was cancelled, replayed or moved on. `None` when it was: look again.
pub(super) async fn commit_for(
    core: &Core,
    pipeline: &Arc<Pipeline>,
    commit: Commit,
) -> Result<Option<Arc<Pipeline>>> {
    let decision = pipeline::decide(pipeline, pipeline::Command::Touch, core.now())?;
    let next = decision.pipeline.map_or_else(|| pipeline.clone(), Arc::new);
    match core
        .commit(commit.with(Write::Pipeline(next.clone())))
        .await
    {
        Ok(()) => Ok(Some(next)),
        Err(error) if error.conflict().is_some() => Ok(None),
        Err(error) => Err(error),
    }
}
