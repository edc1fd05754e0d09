//! `mcpanel pipelines create`: a pipeline from a template or a file, begun and watched where that is wanted.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use clap::{ArgGroup, Args};
use mcpanel_api::{
    Name, Payload, PipelineId, TemplateId,
    artifact::{Artifact, ArtifactUpload},
    pipeline::NewPipeline,
};
use mcpanel_client::{Client, IdempotencyKey};

use super::{show, watch};
use crate::{
    Failure, Result,
    commands::{
        artifacts::upload::by_ending,
        common::{self, documents::Documents, json, waiting::Limit},
    },
    exit::Exit,
    output::{self, form::Form},
};

/// What to try where a file describes no pipeline: it may be what a pipeline is to work on.
const DATASETS: &str =
    "write one JSON object, or work on a dataset: `--template techdeck --upload FILE`";

/// What to make.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["file", "template"]))]
pub struct Create {
    /// A file with the pipeline as the API takes it, a JSON object; `-` for stdin.
    file: Option<PathBuf>,
    /// Make it of this template, such as `techdeck`.
    #[arg(long, value_name = "TEMPLATE_ID")]
    template: Option<TemplateId>,
    /// The version of the template; the newest when left out.
    #[arg(long, value_name = "N", requires = "template")]
    template_version: Option<u32>,
    /// Its id; made by the server when left out.
    #[arg(long, value_name = "PIPELINE_ID", requires = "template")]
    id: Option<PipelineId>,
    /// A name for people; that of the template when left out.
    #[arg(long, value_name = "TEXT", requires = "template")]
    name: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT", requires = "template")]
    description: Option<String>,
    /// Upload this file, and work on it.
    #[arg(long, value_name = "FILE", requires = "template")]
    upload: Option<PathBuf>,
    /// What to work on: a JSON object, or `@FILE` with one.
    #[arg(
        long,
        value_name = "JSON",
        requires = "template",
        conflicts_with = "upload"
    )]
    input: Option<String>,
    /// A word to find it by; may be repeated.
    #[arg(long = "tag", value_name = "TAG", requires = "template")]
    tags: Vec<String>,
    /// What you want to keep with it: a JSON object, or `@FILE` with one.
    #[arg(long, value_name = "JSON", requires = "template")]
    metadata: Option<String>,
    /// The priority of its tasks, -1000 to 1000.
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        requires = "template"
    )]
    priority: Option<i32>,
    /// Begin it at once.
    #[arg(long)]
    execute: bool,
    /// Begin it, and watch until it has ended.
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    limit: Limit,
    /// Creating again under the same key gives the same pipeline. Random when left out.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Look at it as a server would, write what would be sent, and send nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Create {
    /// The same, begun at once.
    pub fn begun(self: Box<Self>) -> Self {
        Self {
            execute: true,
            ..*self
        }
    }

    /// Makes it.
    pub async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        if self.limit.timeout.is_some() && !self.watch {
            return Err(Failure::usage(
                "`--timeout` says how long to watch, and needs `--watch`",
            ));
        }
        let key = common::key(self.idempotency_key.as_deref())?;
        let upload = self.upload.clone();
        // The same file under the same key is the same artifact, or the pipeline would be another one.
        let upload_key = self
            .idempotency_key
            .as_ref()
            .map(|key| format!("{key}.upload"));
        let upload_key = common::key(upload_key.as_deref())?;
        let (is_dry, is_watched, limit) = (self.dry_run, self.watch, self.limit);
        let mut pipeline = self.pipeline()?;
        if is_dry {
            if let Some(file) = &upload {
                readable(file)?;
            }
            output::json(&json::tried(
                &pipeline,
                mcpanel_server::trial::new_pipeline,
            )?)?;
            if let Some(file) = upload {
                output::say(format_args!("would upload `{}` first", file.display()));
            }
            return Ok(Exit::Ok);
        }
        if let Some(file) = upload {
            pipeline.input_data = Some(input(&store(client, &file, &upload_key).await?)?);
        }
        let made = client.create_pipeline(&pipeline, &key).await?;
        if is_watched {
            output::say(format_args!("pipeline `{}`", made.pipeline_id));
            return watch::follow(client, form, std::slice::from_ref(&made.pipeline_id), limit)
                .await;
        }
        show(form, &made)?;
        Ok(Exit::Ok)
    }

    fn pipeline(self) -> Result<NewPipeline> {
        let execute = self.execute || self.watch;
        let Some(template) = self.template else {
            // The command line requires it where there is no template.
            let file = self.file.unwrap_or_else(|| PathBuf::from("-"));
            let read = Documents::<NewPipeline>::open(&file)?.only();
            let mut pipeline = read.map_err(|failure| match failure.exit {
                Exit::Usage => failure.hint(DATASETS),
                _ => failure,
            })?;
            pipeline.execute |= execute;
            return Ok(pipeline);
        };
        Ok(NewPipeline {
            pipeline_id: self.id,
            name: self.name.unwrap_or_else(|| template.to_string()),
            template: Some(template),
            template_version: self.template_version,
            stages: None,
            description: self.description,
            input_data: self.input.as_deref().map(json::payload).transpose()?,
            metadata: self.metadata.as_deref().map(json::payload).transpose()?,
            tags: self.tags,
            priority: self.priority,
            execute,
        })
    }
}

/// Uploads a file for a pipeline to work on.
async fn store(client: &Client, file: &Path, key: &IdempotencyKey) -> Result<Artifact> {
    let name = file_name(file)?;
    let media_type = by_ending(&name);
    let about = ArtifactUpload {
        name,
        role: Name::parse("input").ok(),
        task_id: None,
        lease: None,
        index: None,
        records: None,
        pipeline_id: None,
    };
    Ok(client.upload_file(file, media_type, &about, key).await?)
}

/// Whether there is such a file, and it may be read.
fn readable(file: &Path) -> Result<()> {
    let shown = file.display();
    let opened = File::open(file).and_then(|file| file.metadata());
    match opened {
        Ok(about) if about.is_dir() => Err(Failure::new(format!("`{shown}` is a folder"))),
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::new(format!("cannot read `{shown}`: {error}"))),
    }
}

/// The input data that names an artifact.
fn input(artifact: &Artifact) -> Result<Payload> {
    Payload::of(&serde_json::json!({ "artifact_id": artifact.artifact_id }))
        .map_err(|error| Failure::new(format!("cannot write the input: {error}")))
}

/// The name of a file as the API takes it.
pub fn file_name(file: &Path) -> Result<String> {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .ok_or_else(|| Failure::usage(format!("`{}` is not a file", file.display())))?;
    // A hidden file is a file like any other; its name there may not begin with a dot.
    match name.trim_start_matches('.') {
        "" => Err(Failure::usage(format!(
            "`{}` is not a file",
            file.display()
        ))),
        name => Ok(name.to_owned()),
    }
}
