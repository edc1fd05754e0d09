//! `mcpanel pipelines`: make, see and steer pipelines.

mod create;
mod rows;
mod watch;

use clap::{Args, Subcommand};
use mcpanel_api::{
    PipelineId,
    pipeline::{Pipeline, PipelineQuery, PipelineStatus, Stage},
};
use mcpanel_client::Client;

use super::common::{
    self,
    pages::{Extent, Page},
    several::each,
    words::{self, PIPELINE_STATUSES},
};
use crate::{
    Result,
    arguments::{Format, Global},
    exit::Exit,
    output::{
        self,
        listing::{self, word},
        numbers::counted,
    },
};

pub use create::file_name;

/// Make, see and steer pipelines.
#[derive(Debug, Subcommand)]
pub enum Pipelines {
    /// Make a pipeline, from a template or a file.
    Create(Box<create::Create>),
    /// List pipelines, newest first.
    List(List),
    /// Show a pipeline and its stages.
    Get {
        /// Its id.
        pipeline_id: PipelineId,
    },
    /// Begin a pipeline that was made and not begun, or one of its stages.
    Execute {
        /// Its id.
        pipeline_id: PipelineId,
        /// Begin this stage alone.
        #[arg(long, value_name = "N")]
        stage: Option<u16>,
    },
    /// Watch a pipeline until it has ended.
    Watch(watch::Watch),
    /// Cancel pipelines with all their tasks.
    Cancel(Cancel),
    /// Run an ended pipeline again, from where it failed or from a stage.
    Retry {
        /// Its id.
        pipeline_id: PipelineId,
        /// The stage to run again, with all that depend on it.
        #[arg(long, value_name = "N")]
        from_stage: Option<u16>,
    },
    /// Wait silently until pipelines have ended; the exit code tells how.
    Wait(watch::Wait),
}

/// Which pipelines to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only those with this status.
    #[arg(long, value_parser = words::of::<PipelineStatus>(&PIPELINE_STATUSES))]
    status: Option<PipelineStatus>,
    /// Only those with this tag.
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    #[command(flatten)]
    extent: Extent,
}

/// Which pipelines to cancel.
#[derive(Debug, Args)]
pub struct Cancel {
    /// Their ids.
    #[arg(required = true, value_name = "PIPELINE_ID")]
    pipeline_ids: Vec<PipelineId>,
    /// Why; shown with the pipeline.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say which pipelines would be cancelled, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Pipelines {
    /// Does it.
    pub async fn execute(self, global: &Global) -> Result {
        let format = global.output;
        let client = common::client(global)?;
        let pipeline = match self {
            Self::Create(create) => return create.execute(&client, format).await,
            Self::List(list) => return list.execute(&client, format).await,
            Self::Watch(watch) => return watch.execute(&client, format).await,
            Self::Wait(wait) => return wait.execute(&client, format).await,
            Self::Cancel(cancel) => return cancel.execute(&client, format).await,
            Self::Get { pipeline_id } => client.get_pipeline(&pipeline_id).await?,
            Self::Execute {
                pipeline_id,
                stage: None,
            } => client.execute_pipeline(&pipeline_id).await?,
            Self::Execute {
                pipeline_id,
                stage: Some(stage),
            } => client.execute_stage(&pipeline_id, stage).await?,
            Self::Retry {
                pipeline_id,
                from_stage,
            } => client.retry_pipeline(&pipeline_id, from_stage).await?,
        };
        show(format, &pipeline)?;
        Ok(Exit::Ok)
    }
}

impl List {
    async fn execute(self, client: &Client, format: Format) -> Result {
        let query = PipelineQuery {
            status: self.status,
            tag: self.tag,
            limit: None,
            cursor: None,
        };
        let read = async |page: Page| {
            let query = PipelineQuery {
                limit: page.limit,
                cursor: page.cursor,
                ..query.clone()
            };
            let page = client.list_pipelines(&query).await?;
            Ok((page.pipelines, page.next_cursor))
        };
        self.extent.show(format, read).await
    }
}

impl Cancel {
    async fn execute(self, client: &Client, format: Format) -> Result {
        let reason = self.reason.as_deref();
        each(format, &self.pipeline_ids, async |id| {
            if self.dry_run {
                let pipeline = client.get_pipeline(id).await?;
                let open: u64 = pipeline.stages.iter().map(open_tasks).sum();
                let open = counted(open, "open task");
                let status = word(pipeline.status);
                output::say(format_args!(
                    "would cancel pipeline `{id}`, which is {status}, with {open}"
                ));
                return Ok(None);
            }
            Ok(Some(client.cancel_pipeline(id, reason).await?))
        })
        .await
    }
}

/// Writes a pipeline, and for people its stages.
fn show(format: Format, pipeline: &Pipeline) -> Result<()> {
    listing::one(format, pipeline)?;
    if format == Format::Table {
        output::line("")?;
        listing::many(format, &pipeline.stages)?;
    }
    Ok(())
}

/// Tasks of a stage that have not ended.
fn open_tasks(stage: &Stage) -> u64 {
    let counts = stage.counts;
    [
        counts.pending,
        counts.assigned,
        counts.running,
        counts.retry,
    ]
    .map(u64::from)
    .iter()
    .sum()
}
