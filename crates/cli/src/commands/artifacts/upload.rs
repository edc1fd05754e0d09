//! `mcpanel artifacts upload`: a file that pipelines can work on.

use std::path::PathBuf;

use clap::Args;
use mcpanel_api::{Name, PipelineId, artifact::ArtifactUpload};
use mcpanel_client::Client;

use crate::{
    Result,
    commands::{common, pipelines::file_name},
    exit::Exit,
    output::{form::Form, listing},
};

/// What to store.
#[derive(Debug, Args)]
pub struct Upload {
    /// The file.
    file: PathBuf,
    /// What it is for.
    #[arg(long, value_name = "ROLE", default_value = "input")]
    role: Name,
    /// What its bytes are; by the file's ending when left out.
    #[arg(long, value_name = "TYPE")]
    media_type: Option<String>,
    /// The pipeline it belongs to.
    #[arg(long, value_name = "PIPELINE_ID")]
    pipeline: Option<PipelineId>,
    /// Uploading again under the same key gives the same artifact. Random when left out.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

impl Upload {
    /// Stores it; the server checks the digest.
    pub async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let key = common::key(self.idempotency_key.as_deref())?;
        let name = file_name(&self.file)?;
        let media_type = self
            .media_type
            .unwrap_or_else(|| by_ending(&name).to_owned());
        let about = ArtifactUpload {
            name,
            role: Some(self.role),
            task_id: None,
            lease: None,
            index: None,
            records: None,
            pipeline_id: self.pipeline,
        };
        let artifact = client
            .upload_file(&self.file, &media_type, &about, &key)
            .await?;
        listing::one(form, &artifact)?;
        Ok(Exit::Ok)
    }
}

/// What a file's bytes are, by the ending of its name.
pub fn by_ending(name: &str) -> &'static str {
    match name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase())
        .as_deref()
    {
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        Some("jsonl" | "ndjson") => "application/jsonl",
        Some("gz") => "application/gzip",
        Some("html") => "text/html",
        Some("txt" | "md") => "text/plain",
        _ => "application/octet-stream",
    }
}
