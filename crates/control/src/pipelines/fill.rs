//! Making the tasks of a stage.

use std::sync::Arc;

use mcpanel_domain::{
    Payload, TaskId,
    pipeline::{Mode, Pipeline, Stage, StageStatus},
    task::{NewTask, Place},
};
use mcpanel_store::{Commit, Write};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    bulk::{BATCH_TASKS, commit_for},
    inputs,
};
use crate::{Error, Result, core::Core};

/// Input data up to this size travels with each task, in bytes; larger is read from the pipeline.
const INPUT_DATA_BYTES_INLINE: usize = 16 * 1024;

/// Makes the tasks of a stage that are not there yet.
pub(super) async fn fill_stage(core: &Core, pipeline: &Arc<Pipeline>, number: u16) -> Result<bool> {
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
    let mut present_pipeline = pipeline.clone();
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
            // Somebody else makes them too, or the pipeline moved on: look again.
            let Some(next) = commit_for(core, &present_pipeline, commit).await? else {
                return Ok(true);
            };
            present_pipeline = next;
            made = true;
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
