//! What the tasks of a stage work on: the chunks that the stages before it brought.

use std::{collections::HashMap, sync::Arc};

use mcpanel_domain::{
    TaskId,
    artifact::{Artifact, CHUNK_ROLE},
    pipeline::{Pipeline, Stage},
    task::{Status, Task},
};
use mcpanel_store::query::{ArtifactFilter, Page};

use crate::{Result, core::Core};

/// Artifacts read at a time.
const PAGE_ITEMS: usize = 1_000;

/// The role of files that were uploaded for a pipeline.
const INPUT_ROLE: &str = "input";

/// The inputs of a `map` stage in a fixed order: by stage, task and place. Asked again they are the same,
/// because a completed stage brings nothing new.
pub(super) async fn chunks(
    core: &Core,
    pipeline: &Pipeline,
    stage: &Stage,
) -> Result<Vec<Arc<Artifact>>> {
    let mut found = Vec::new();
    if stage.definition.dependencies.is_empty() {
        let mut uploaded = all(core, pipeline, None).await?;
        uploaded.retain(|artifact| artifact.role == INPUT_ROLE || artifact.role == CHUNK_ROLE);
        uploaded
            .sort_by(|a, b| (a.index, a.created_at, &a.id).cmp(&(b.index, b.created_at, &b.id)));
        return Ok(uploaded);
    }
    for number in &stage.definition.dependencies {
        let Some(before) = pipeline.stage(*number) else {
            continue;
        };
        let mut made = winners(core, pipeline, before).await?;
        made.retain(|(_, artifact)| artifact.role == CHUNK_ROLE);
        found.extend(made.into_iter().map(|(_, artifact)| artifact));
    }
    Ok(found)
}

/// What the winning attempts of a stage's present run made, in the order of its tasks.
async fn winners(
    core: &Core,
    pipeline: &Pipeline,
    stage: &Stage,
) -> Result<Vec<(u32, Arc<Artifact>)>> {
    let made = all(core, pipeline, Some(stage.definition.number)).await?;
    let ids: Vec<TaskId> = made
        .iter()
        .filter_map(|artifact| artifact.task_id.clone())
        .collect();
    let mut tasks: HashMap<TaskId, Arc<Task>> = HashMap::new();
    for ids in ids.chunks(PAGE_ITEMS) {
        let found = core.store.tasks(&pipeline.namespace, ids).await?;
        tasks.extend(
            found
                .into_iter()
                .flatten()
                .map(|task| (task.id.clone(), task)),
        );
    }
    let mut winners: Vec<(u32, Arc<Artifact>)> = made
        .into_iter()
        .filter_map(|artifact| {
            let task = tasks.get(artifact.task_id.as_ref()?)?;
            let place = task.place.as_ref()?;
            let won = task.status() == Status::Completed
                && place.run == stage.run
                && artifact.attempt == Some(task.attempt);
            won.then_some((place.index, artifact))
        })
        .collect();
    winners.sort_by(|a, b| (a.0, a.1.index, &a.1.id).cmp(&(b.0, b.1.index, &b.1.id)));
    Ok(winners)
}

/// All artifacts of a stage, or those that no stage made.
async fn all(core: &Core, pipeline: &Pipeline, stage: Option<u16>) -> Result<Vec<Arc<Artifact>>> {
    let filter = ArtifactFilter {
        pipeline_id: Some(pipeline.id.clone()),
        stage: Some(stage),
        ..ArtifactFilter::default()
    };
    let mut page = Page::first(PAGE_ITEMS);
    let mut found = Vec::new();
    loop {
        let listing = core
            .store
            .list_artifacts(&pipeline.namespace, &filter, &page)
            .await?;
        found.extend(listing.items);
        match listing.next {
            Some(next) => page.after = Some(next),
            None => return Ok(found),
        }
    }
}
