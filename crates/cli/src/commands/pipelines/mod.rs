//! `mcpanel pipelines`: make, see and steer pipelines.

mod create;
mod rows;
mod watch;

use clap::{Args, Subcommand};
use mcpanel_api::{
    PipelineId, TemplateId, Timestamp,
    pipeline::{Pipeline, PipelineProgress, PipelineQuery, PipelineStatus, Stage, UpdatePipeline},
};
use mcpanel_client::Client;

use super::common::{
    self,
    confirm::Consent,
    filter::moment,
    json,
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
        form::Form,
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
    /// Make a pipeline and begin it: `create --execute` in a word.
    // It begins either way; who typed the option meant no harm.
    #[command(mut_arg("execute", |execute| execute.hide(true)))]
    Run(Box<create::Create>),
    /// List pipelines, newest first.
    List(List),
    /// Show a pipeline and its stages.
    Get {
        /// Its id.
        pipeline_id: PipelineId,
    },
    /// Show how far a pipeline is, how fast its stages go, and when they will be done.
    Progress {
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
    /// Run one stage of an ended pipeline again, with all that depend on it.
    RetryStage {
        /// The pipeline's id.
        pipeline_id: PipelineId,
        /// The stage's number.
        stage: u16,
    },
    /// Change how a pipeline is described.
    Update(Update),
    /// Wait silently until pipelines have ended; the exit code tells how.
    Wait(watch::Wait),
}

/// What to change.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args([
    "name", "description", "tags", "no_tags", "metadata",
]))]
pub struct Update {
    /// Its id.
    pipeline_id: PipelineId,
    /// A name for people.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Words to find it by, in place of those it has; may be repeated, or given with commas.
    #[arg(long = "tag", value_name = "TAG", value_delimiter = ',')]
    tags: Vec<String>,
    /// Take all tags away.
    #[arg(long, conflicts_with = "tags")]
    no_tags: bool,
    /// What you want to keep with it, in place of what there is: a JSON object, or `@FILE` with one.
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// Only where the pipeline is still at this revision, as `get` shows it.
    #[arg(long, value_name = "N")]
    if_revision: Option<u64>,
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
    /// Only those made from this template.
    #[arg(long, value_name = "TEMPLATE_ID")]
    template: Option<TemplateId>,
    /// Only those with this in their id, name, description, tags, template, error, input or metadata; case does not matter.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Only those created since: a moment such as `2026-01-02T03:04:05Z`, or a time ago such as `2h`.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only those created before.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
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
    #[command(flatten)]
    consent: Consent,
}

impl Pipelines {
    /// Does it.
    pub async fn execute(self, global: &Global) -> Result {
        let form = global.form();
        let client = common::client(global)?;
        let pipeline = match self {
            Self::Create(create) => return create.execute(&client, form).await,
            Self::Run(create) => return create.begun().execute(&client, form).await,
            Self::Update(update) => update.execute(&client).await?,
            Self::List(list) => return list.execute(&client, form).await,
            Self::Watch(watch) => return watch.execute(&client, form).await,
            Self::Wait(wait) => return wait.execute(&client, form).await,
            Self::Cancel(cancel) => return cancel.execute(&client, form).await,
            Self::Progress { pipeline_id } => {
                return progress(form, &client.pipeline_progress(&pipeline_id).await?);
            }
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
            Self::RetryStage { pipeline_id, stage } => {
                client.retry_pipeline(&pipeline_id, Some(stage)).await?
            }
        };
        show(form, &pipeline)?;
        Ok(Exit::Ok)
    }
}

impl List {
    async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let query = PipelineQuery {
            status: self.status,
            tag: self.tag,
            template_id: self.template,
            created_from: self.since,
            created_before: self.until,
            text: self.text,
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
        self.extent.show(form, read).await
    }
}

impl Update {
    async fn execute(self, client: &Client) -> Result<Pipeline> {
        let changes = UpdatePipeline {
            name: self.name,
            description: self.description,
            metadata: self.metadata.as_deref().map(json::payload).transpose()?,
            tags: (self.no_tags || !self.tags.is_empty()).then_some(self.tags),
        };
        Ok(client
            .update_pipeline(&self.pipeline_id, &changes, self.if_revision)
            .await?)
    }
}

impl Cancel {
    async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let reason = self.reason.as_deref();
        let mut open = 0;
        for id in &self.pipeline_ids {
            // One that is not there is told when it is its turn.
            if let Ok(pipeline) = client.get_pipeline(id).await {
                open += pipeline.stages.iter().map(open_tasks).sum::<u64>();
            }
        }
        let aside = format!(" with {}", counted(open, "open task"));
        let consent = self.consent;
        if !consent.to_all("cancel", "pipeline", &self.pipeline_ids, &aside)? {
            return each(form, &self.pipeline_ids, async |id| {
                let status = word(client.get_pipeline(id).await?.status);
                output::say(format_args!("pipeline `{id}` is {status}"));
                Ok(None::<Pipeline>)
            })
            .await;
        }
        each(form, &self.pipeline_ids, async |id| {
            Ok(Some(client.cancel_pipeline(id, reason).await?))
        })
        .await
    }
}

/// Writes a pipeline, and for people its stages.
fn show(form: Form<'_>, pipeline: &Pipeline) -> Result<()> {
    listing::one(form, pipeline)?;
    // Columns that are named are those of the pipeline.
    if form.format.is_table() && form.columns.is_empty() {
        output::line("")?;
        listing::many(form, &pipeline.stages)?;
    }
    Ok(())
}

/// Writes how far a pipeline is; for people a row for each stage.
fn progress(form: Form<'_>, progress: &PipelineProgress) -> Result {
    match form.format {
        Format::Json => output::json(progress)?,
        Format::Jsonl => output::jsonl(progress)?,
        Format::Yaml => output::yaml::document(progress)?,
        Format::Name => output::line(progress.pipeline_id.as_str())?,
        Format::Table | Format::Wide => {
            listing::many(form, &progress.stages)?;
            let status = word(progress.status);
            output::say(format_args!(
                "pipeline `{}` is {status}, {:.0} %",
                progress.pipeline_id, progress.progress
            ));
        }
    }
    Ok(Exit::Ok)
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
