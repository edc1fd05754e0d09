//! Which artifacts a task may read: one chunk, or everything that the stages before it made.
//!
//! A stage may have been tried several times. What counts is what the attempt made that completed the task, and only
//! of the stage's present run.

use std::collections::{BTreeSet, HashMap};

use mcpanel_api::{
    PipelineId, TaskId,
    artifact::{Artifact, ArtifactQuery},
    pipeline::Pipeline,
    task::{Task, TaskQuery, TaskStatus},
};
use mcpanel_client::{Client, Result};

use super::parameters::{RunInput, StageTask};
use crate::job::Input;

/// Tasks asked for at a time: the largest page that the API gives.
const PAGE_ITEMS: u32 = 500;

/// What a task may read, with the artifact behind each.
pub async fn of_task(
    client: &Client,
    task: &StageTask,
    run: &RunInput,
) -> Result<Vec<(Input, Artifact)>> {
    if let Some(id) = &task.input_artifact_id {
        let artifact = client.get_artifact(id).await?;
        return Ok(vec![(input(&artifact, 0), artifact)]);
    }
    let mut found = uploaded(client, &task.pipeline_id, run).await?;
    let pipeline = client.get_pipeline(&task.pipeline_id).await?;
    let before = before(&pipeline, task.stage);
    if !before.is_empty() {
        found.extend(made(client, &pipeline, &before).await?);
    }
    Ok(found)
}

/// What the stages of these numbers made in the attempts that won, in the order of stages, tasks and places.
pub async fn made(
    client: &Client,
    pipeline: &Pipeline,
    stages: &BTreeSet<u16>,
) -> Result<Vec<(Input, Artifact)>> {
    let winners = winners(client, pipeline, stages).await?;
    let query = ArtifactQuery {
        pipeline_id: Some(pipeline.pipeline_id.clone()),
        ..ArtifactQuery::default()
    };
    let mut found: Vec<(Input, Artifact)> = client
        .list_all_artifacts(&query)
        .await?
        .into_iter()
        .filter_map(|artifact| {
            let winner = winners.get(artifact.task_id.as_ref()?)?;
            let won = artifact.attempt == Some(winner.attempt);
            won.then(|| (input(&artifact, winner.index.unwrap_or(0)), artifact))
        })
        .collect();
    found.sort_by(|(a, one), (b, other)| {
        (a.stage, a.index, one.index).cmp(&(b.stage, b.index, other.index))
    });
    Ok(found)
}

/// The stages that a stage depends on, directly or not.
fn before(pipeline: &Pipeline, stage: u16) -> BTreeSet<u16> {
    let mut found = BTreeSet::new();
    let mut open = vec![stage];
    while let Some(number) = open.pop() {
        let known = pipeline.stages.iter().find(|stage| stage.stage == number);
        for dependency in known.into_iter().flat_map(|stage| &stage.dependencies) {
            if found.insert(*dependency) {
                open.push(*dependency);
            }
        }
    }
    found
}

/// The completed tasks of the present runs of these stages.
async fn winners(
    client: &Client,
    pipeline: &Pipeline,
    stages: &BTreeSet<u16>,
) -> Result<HashMap<TaskId, Task>> {
    let runs: HashMap<u16, u32> = pipeline
        .stages
        .iter()
        .filter(|stage| stages.contains(&stage.stage))
        .map(|stage| (stage.stage, stage.run))
        .collect();
    let mut query = TaskQuery {
        pipeline_id: Some(pipeline.pipeline_id.clone()),
        status: Some(TaskStatus::Completed),
        limit: Some(PAGE_ITEMS),
        ..TaskQuery::default()
    };
    let mut found = HashMap::new();
    loop {
        let page = client.list_tasks(&query).await?;
        for task in page.tasks {
            let present = task.stage.zip(task.index).is_some_and(|(stage, index)| {
                runs.get(&stage).is_some_and(|run| {
                    task.task_id == TaskId::of_stage(&pipeline.pipeline_id, *run, stage, index)
                })
            });
            if present {
                found.insert(task.task_id.clone(), task);
            }
        }
        match page.next_cursor {
            Some(next) => query.cursor = Some(next),
            None => return Ok(found),
        }
    }
}

/// The files of the run itself: those that its input names, or else those that were uploaded for it.
async fn uploaded(
    client: &Client,
    pipeline_id: &PipelineId,
    run: &RunInput,
) -> Result<Vec<(Input, Artifact)>> {
    let mut found = Vec::new();
    for id in run.artifacts() {
        let artifact = client.get_artifact(id).await?;
        found.push((run_file(&artifact), artifact));
    }
    if found.is_empty() {
        let query = ArtifactQuery {
            pipeline_id: Some(pipeline_id.clone()),
            ..ArtifactQuery::default()
        };
        let mut files = client.list_all_artifacts(&query).await?;
        files.retain(|artifact| artifact.task_id.is_none());
        files.sort_by(|a, b| (a.index, &a.artifact_id).cmp(&(b.index, &b.artifact_id)));
        found.extend(
            files
                .into_iter()
                .map(|artifact| (run_file(&artifact), artifact)),
        );
    }
    Ok(found)
}

/// A file of the run counts as made by stage 0, even where another run made it.
fn run_file(artifact: &Artifact) -> Input {
    Input {
        stage: 0,
        ..input(artifact, 0)
    }
}

fn input(artifact: &Artifact, index: u32) -> Input {
    Input {
        artifact_id: artifact.artifact_id.to_string(),
        name: artifact.name.clone(),
        role: artifact.role.to_string(),
        stage: artifact.stage.map_or(0, u32::from),
        index,
        size_bytes: artifact.size_bytes,
        digest: format!("sha256:{}", artifact.sha256),
        records: artifact.records,
    }
}
