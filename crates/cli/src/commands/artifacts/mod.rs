//! `mcpanel artifacts`: files that travel between stages, and what a run leaves.

mod download;
pub mod upload;

use clap::{Args, Subcommand};
use mcpanel_api::{
    ArtifactId, Name, PipelineId, TaskId,
    artifact::{Artifact, ArtifactQuery},
};
use mcpanel_client::Client;

use super::common::{
    self,
    confirm::Consent,
    pages::{Extent, Page},
    several::each,
};
use crate::{
    Result,
    arguments::Global,
    exit::Exit,
    output::{
        self,
        cell::{Cell, text},
        form::Form,
        listing::{self, Row},
        numbers::{bytes, grouped},
    },
};

/// See, fetch and store artifacts.
#[derive(Debug, Subcommand)]
pub enum Artifacts {
    /// List artifacts, newest first.
    List(List),
    /// Show what is known about an artifact.
    Get {
        /// Its id.
        artifact_id: ArtifactId,
    },
    /// Fetch the bytes of an artifact; they are checked against its digest.
    Download(download::Download),
    /// Store a file as an artifact.
    Upload(upload::Upload),
    /// Delete artifacts, and their bytes.
    Delete {
        /// Their ids.
        #[arg(required = true, value_name = "ARTIFACT_ID")]
        artifact_ids: Vec<ArtifactId>,
        #[command(flatten)]
        consent: Consent,
    },
}

/// Which artifacts to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only those of this pipeline.
    #[arg(long, value_name = "PIPELINE_ID")]
    pipeline: Option<PipelineId>,
    /// Only those of this stage.
    #[arg(long, value_name = "N")]
    stage: Option<u16>,
    /// Only those that this task made.
    #[arg(long, value_name = "TASK_ID")]
    task: Option<TaskId>,
    /// Only those that are for this, such as `dataset` or `report`.
    #[arg(long, value_name = "ROLE")]
    role: Option<Name>,
    #[command(flatten)]
    extent: Extent,
}

impl Artifacts {
    /// Does it.
    pub async fn execute(self, global: &Global) -> Result {
        let form = global.form();
        let client = common::client(global)?;
        match self {
            Self::List(list) => list.execute(&client, form).await,
            Self::Get { artifact_id } => {
                listing::one(form, &client.get_artifact(&artifact_id).await?)?;
                Ok(Exit::Ok)
            }
            Self::Download(download) => download.execute(&client, form).await,
            Self::Upload(upload) => upload.execute(&client, form).await,
            Self::Delete {
                artifact_ids,
                consent,
            } => {
                if !consent.to_all("delete", "artifact", &artifact_ids, "")? {
                    return Ok(Exit::Ok);
                }
                each(form, &artifact_ids, async |id| {
                    client.delete_artifact(id).await?;
                    output::say(format_args!("deleted artifact `{id}`"));
                    Ok(None::<Artifact>)
                })
                .await
            }
        }
    }
}

impl List {
    async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let query = ArtifactQuery {
            pipeline_id: self.pipeline,
            task_id: self.task,
            stage: self.stage,
            role: self.role,
            limit: None,
            cursor: None,
        };
        let read = async |page: Page| {
            let query = ArtifactQuery {
                limit: page.limit,
                cursor: page.cursor,
                ..query.clone()
            };
            let page = client.list_artifacts(&query).await?;
            Ok((page.artifacts, page.next_cursor))
        };
        self.extent.show(form, read).await
    }
}

impl Row for Artifact {
    const HEADER: &'static [&'static str] = &[
        "ARTIFACT", "NAME", "ROLE", "SIZE", "RECORDS", "PIPELINE", "STAGE", "CREATED",
    ];

    const WIDE: &'static [&'static str] =
        &["MEDIA TYPE", "TASK", "ATTEMPT", "SHA-256", "CREATED BY"];

    fn name(&self) -> String {
        self.artifact_id.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.artifact_id),
            self.name.as_str().into(),
            text(&self.role),
            text(bytes(self.size_bytes)),
            self.records.map(grouped).into(),
            self.pipeline_id.as_ref().map(text).into(),
            self.stage.map(text).into(),
            self.created_at.into(),
        ]
    }

    fn wide_cells(&self) -> Vec<Cell> {
        vec![
            self.media_type.as_str().into(),
            self.task_id.as_ref().map(text).into(),
            self.attempt.map(text).into(),
            self.sha256.as_str().into(),
            self.created_by.as_str().into(),
        ]
    }

    fn details(&self) -> Vec<(&'static str, Cell)> {
        let size = format!(
            "{} ({} bytes)",
            bytes(self.size_bytes),
            grouped(self.size_bytes)
        );
        vec![
            ("ARTIFACT", text(&self.artifact_id)),
            ("NAME", self.name.as_str().into()),
            ("ROLE", text(&self.role)),
            ("MEDIA TYPE", self.media_type.as_str().into()),
            ("SIZE", size.into()),
            ("SHA-256", self.sha256.as_str().into()),
            ("RECORDS", self.records.map(grouped).into()),
            ("PIPELINE", self.pipeline_id.as_ref().map(text).into()),
            ("STAGE", self.stage.map(text).into()),
            ("TASK", self.task_id.as_ref().map(text).into()),
            ("ATTEMPT", self.attempt.map(text).into()),
            ("CREATED", self.created_at.into()),
            ("CREATED BY", self.created_by.as_str().into()),
            ("METADATA", Cell::long(self.metadata.as_str())),
        ]
    }
}
