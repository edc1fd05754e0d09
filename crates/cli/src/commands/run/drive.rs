//! The pipeline of a run: made, or found as it was left, and watched to its end.

use std::time::Duration;

use mcpanel_api::{
    ArtifactId, ErrorType, Name, Payload, TemplateId, Timestamp,
    artifact::ArtifactUpload,
    pipeline::{NewPipeline, Pipeline, PipelineStatus},
    task::{Task, TaskError, TaskQuery, TaskStatus},
};
use mcpanel_client::{Client, IdempotencyKey};
use serde::Deserialize;
use serde_json::json;

use super::{folder::Folder, shown};
use crate::{
    Failure, Result,
    output::{cell::now, progress::Progress},
};

/// How often to look: bars move smoothly, and a look costs the server nothing worth measuring.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The template of the six stages.
const TEMPLATE: &str = "techdeck";

/// What helps where the columns are not found.
const MAPPING_HINT: &str =
    "say which is which: `--mapping question=COLUMN --mapping answer=COLUMN`";

/// What the built-in agents add to an error.
#[derive(Deserialize)]
struct Details {
    code: String,
}

/// How a pipeline ended.
pub enum Ended {
    Completed(Box<Pipeline>),
    /// The input cannot be worked on: it will be the same next time.
    BadInput(Failure),
    Failed(Failure),
}

/// Makes the pipeline or goes on with it, and watches it to its end.
pub async fn to_the_end(
    client: &Client,
    folder: &Folder,
    progress: &mut Progress,
) -> Result<Ended> {
    let began = now();
    begin_or_go_on(client, folder, progress).await?;
    let id = &folder.asked.pipeline_id;
    loop {
        let news = client.pipeline_progress(id).await?;
        progress.show(&news);
        match news.status {
            PipelineStatus::Created | PipelineStatus::Running => {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            PipelineStatus::Completed => {
                let pipeline = client.get_pipeline(id).await?;
                return Ok(Ended::Completed(Box::new(pipeline)));
            }
            PipelineStatus::Failed | PipelineStatus::Cancelled => {
                let failed = failed_task(client, folder).await?;
                if !failed
                    .as_ref()
                    .is_some_and(|task| is_of_before(task, began))
                {
                    let pipeline = client.get_pipeline(id).await?;
                    return Ok(why_failed(&pipeline, failed.as_ref(), folder));
                }
                client.retry_pipeline(id, None).await?;
            }
        }
    }
}

/// Whether the attempt that failed was made by a process that is gone: being killed once too often says nothing
/// about the work.
fn is_of_before(task: &Task, began: Timestamp) -> bool {
    let error = task.error.as_ref().map(|error| error.kind);
    error != Some(ErrorType::Validation) && task.started_at.is_some_and(|started| started < began)
}

async fn begin_or_go_on(client: &Client, folder: &Folder, progress: &Progress) -> Result<()> {
    let id = &folder.asked.pipeline_id;
    let known = match client.get_pipeline(id).await {
        Ok(known) => Some(known),
        Err(error) if error.code() == Some("not_found") => None,
        Err(error) => return Err(error.into()),
    };
    match known.map(|known| known.status) {
        None => {
            let artifact = upload(client, folder).await?;
            create(client, folder, &artifact).await?;
            progress.say(&format!("pipeline {id} over `{}`", folder.asked.file_name));
        }
        Some(PipelineStatus::Running | PipelineStatus::Completed) => {
            progress.say(&format!("going on with pipeline {id}"));
        }
        Some(PipelineStatus::Created) => {
            client.execute_pipeline(id).await?;
        }
        Some(PipelineStatus::Failed | PipelineStatus::Cancelled) => {
            progress.say(&format!("trying pipeline {id} again from where it failed"));
            client.retry_pipeline(id, None).await?;
        }
    }
    Ok(())
}

/// Uploads the dataset. Asked again after a crash it is the same artifact.
async fn upload(client: &Client, folder: &Folder) -> Result<ArtifactId> {
    let asked = &folder.asked;
    let about = ArtifactUpload {
        name: asked.file_name.clone(),
        role: Name::parse("input").ok(),
        task_id: None,
        lease: None,
        index: None,
        records: None,
        pipeline_id: None,
    };
    let key = key_for(folder, "input");
    let artifact = client
        .upload_file(&asked.file, "application/octet-stream", &about, &key)
        .await?;
    Ok(artifact.artifact_id)
}

async fn create(client: &Client, folder: &Folder, artifact: &ArtifactId) -> Result<()> {
    let asked = &folder.asked;
    let input = json!({ "artifact_id": artifact, "parameters": asked.parameters });
    let pipeline = NewPipeline {
        pipeline_id: Some(asked.pipeline_id.clone()),
        template: TemplateId::parse(TEMPLATE).ok(),
        template_version: None,
        stages: None,
        name: asked.file_name.clone(),
        description: None,
        input_data: Payload::of(&input).ok(),
        metadata: None,
        tags: vec!["run".to_owned()],
        priority: None,
        execute: true,
    };
    client
        .create_pipeline(&pipeline, &key_for(folder, "pipeline"))
        .await?;
    Ok(())
}

/// A key that is the same each time this run asks for this.
fn key_for(folder: &Folder, what: &str) -> IdempotencyKey {
    let text = format!("run-{}-{what}", folder.asked.pipeline_id);
    IdempotencyKey::parse(&text).unwrap_or_else(IdempotencyKey::random)
}

/// The task that failed the pipeline.
async fn failed_task(client: &Client, folder: &Folder) -> Result<Option<Task>> {
    let query = TaskQuery {
        status: Some(TaskStatus::Failed),
        pipeline_id: Some(folder.asked.pipeline_id.clone()),
        limit: Some(1),
        ..TaskQuery::default()
    };
    Ok(client.list_tasks(&query).await?.tasks.into_iter().next())
}

/// One sentence about why a pipeline failed.
fn why_failed(pipeline: &Pipeline, failed: Option<&Task>, folder: &Folder) -> Ended {
    let stage = failed.and_then(|task| {
        let number = task.stage?;
        pipeline.stages.iter().find(|stage| stage.stage == number)
    });
    let resume = format!(
        "`mcpanel run --resume --out {}` tries again from there",
        shown(folder.root())
    );
    match (stage, failed.and_then(|task| task.error.as_ref())) {
        (Some(stage), Some(error))
            if stage.dependencies.is_empty() && error.kind == ErrorType::Validation =>
        {
            Ended::BadInput(bad_input(error))
        }
        (Some(stage), Some(error)) => {
            let what = format!("stage `{}` failed: {}", stage.name, error.message);
            Ended::Failed(Failure::new(what).hint(resume))
        }
        _ => {
            let why = pipeline.error.as_deref().unwrap_or("it was cancelled");
            let what = format!("the pipeline did not complete: {why}");
            Ended::Failed(Failure::new(what).hint(resume))
        }
    }
}

/// What the first stage says about the file, and what helps.
fn bad_input(error: &TaskError) -> Failure {
    let failure = Failure::new(error.message.clone());
    let code = error
        .details
        .as_ref()
        .and_then(|details| details.read::<Details>().ok())
        .map(|details| details.code);
    match code.as_deref() {
        Some("missing_columns") => failure.hint(MAPPING_HINT),
        Some(_) | None => failure,
    }
}
