//! `mcpanel pipelines watch` and `wait`: until pipelines have ended; the exit code tells how.

use std::{collections::HashMap, io::IsTerminal, ops::ControlFlow};

use clap::Args;
use mcpanel_api::{
    PipelineId,
    pipeline::{Pipeline, PipelineProgress, PipelineStatus},
};
use mcpanel_client::Client;

use super::show;
use crate::{
    Result,
    arguments::Format,
    commands::common::waiting::{End, Limit, time_is_up},
    exit::Exit,
    output::{
        self,
        cell::harmless,
        form::Form,
        listing::{self, streamed},
        numbers::counted,
        progress::{Progress, has_ended},
    },
};

/// Which pipelines to watch.
#[derive(Debug, Args)]
pub struct Watch {
    /// Their ids.
    #[arg(required = true, value_name = "PIPELINE_ID")]
    pipeline_ids: Vec<PipelineId>,
    #[command(flatten)]
    limit: Limit,
}

/// Which pipelines to wait for.
#[derive(Debug, Args)]
pub struct Wait {
    /// Their ids.
    #[arg(required = true, value_name = "PIPELINE_ID")]
    pipeline_ids: Vec<PipelineId>,
    #[command(flatten)]
    limit: Limit,
}

impl Watch {
    /// Shows how far they are until all have ended.
    pub async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        follow(client, form, &self.pipeline_ids, self.limit).await
    }
}

impl Wait {
    /// Waits, writes the pipelines as they are then, and answers with the worst that happened.
    pub async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let read = async |id: &PipelineId| Ok(client.get_pipeline(id).await?);
        let (pipelines, end) = self
            .limit
            .until_all(&self.pipeline_ids, read, |pipeline: &Pipeline| {
                has_ended(pipeline.status)
            })
            .await?;
        if matches!(end, End::Interrupted) {
            return Ok(Exit::Interrupted);
        }
        match pipelines.as_slice() {
            [pipeline] => listing::one(form, pipeline)?,
            pipelines => listing::many(form, pipelines)?,
        }
        if matches!(end, End::TimeUp) {
            let open = pipelines
                .iter()
                .filter(|pipeline| !has_ended(pipeline.status))
                .count();
            let what = format!("{} not ended", counted(open as u64, "pipeline"));
            return Err(time_is_up(&what, self.limit.timeout));
        }
        Ok(verdict(&pipelines))
    }
}

/// Shows how far pipelines are until all have ended, then what became of them: redrawn on a terminal, else a line of
/// text or a document now and then.
pub async fn follow(client: &Client, form: Form<'_>, ids: &[PipelineId], limit: Limit) -> Result {
    let mut view = View::new(form.format, ids.len() > 1);
    let mut open: Vec<&PipelineId> = ids.iter().collect();
    let end = limit
        .until(async || {
            let mut still_open = Vec::new();
            for id in &open {
                let progress = client.pipeline_progress(id).await?;
                view.show(&progress)?;
                if !has_ended(progress.status) {
                    still_open.push(*id);
                }
            }
            open = still_open;
            Ok(match open.is_empty() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        })
        .await;
    view.end();
    match end? {
        End::Interrupted => Ok(Exit::Interrupted),
        End::TimeUp => {
            let what = match open.as_slice() {
                [id] => format!("pipeline `{id}` has not ended"),
                open => format!("{} not ended", counted(open.len() as u64, "pipeline")),
            };
            Err(time_is_up(&what, limit.timeout))
        }
        End::Reached(()) => {
            let mut pipelines = Vec::new();
            for id in ids {
                pipelines.push(client.get_pipeline(id).await?);
            }
            tell(form, &pipelines)?;
            Ok(verdict(&pipelines))
        }
    }
}

/// Writes what became of pipelines to those who have not read it document by document.
fn tell(form: Form<'_>, pipelines: &[Pipeline]) -> Result<()> {
    match form.format {
        Format::Json | Format::Jsonl | Format::Yaml => Ok(()),
        Format::Table | Format::Wide if std::io::stdout().is_terminal() => pipelines
            .iter()
            .try_for_each(|pipeline| show(form, pipeline)),
        Format::Table | Format::Wide | Format::Name => pipelines
            .iter()
            .try_for_each(|pipeline| output::line(pipeline.pipeline_id.as_str())),
    }
}

/// How progress is shown.
enum View {
    /// To people, on stderr.
    Told(Progress),
    /// A document when there is news.
    Documents {
        format: Format,
        last: HashMap<PipelineId, PipelineProgress>,
    },
}

impl View {
    fn new(format: Format, are_several: bool) -> Self {
        match format {
            Format::Json | Format::Jsonl | Format::Yaml => Self::Documents {
                format,
                last: HashMap::new(),
            },
            Format::Table | Format::Wide | Format::Name => Self::Told(Progress::new(are_several)),
        }
    }

    fn show(&mut self, progress: &PipelineProgress) -> Result<()> {
        match self {
            Self::Told(told) => {
                told.show(progress);
                Ok(())
            }
            Self::Documents { format, last } => {
                let before = last.insert(progress.pipeline_id.clone(), progress.clone());
                if before.as_ref() == Some(progress) {
                    return Ok(());
                }
                let name = |progress: &PipelineProgress| progress.pipeline_id.to_string();
                streamed(*format, progress, name, |_| Ok(()))
            }
        }
    }

    fn end(&self) {
        if let Self::Told(told) = self {
            told.end();
        }
    }
}

fn verdict(pipelines: &[Pipeline]) -> Exit {
    for pipeline in pipelines {
        let became = match pipeline.status {
            PipelineStatus::Failed => "failed",
            PipelineStatus::Cancelled => "was cancelled",
            PipelineStatus::Created | PipelineStatus::Running | PipelineStatus::Completed => {
                continue;
            }
        };
        let why = harmless(pipeline.error.as_deref().unwrap_or_default());
        output::say(format_args!(
            "pipeline `{}` {became}: {why}",
            pipeline.pipeline_id
        ));
    }
    let any = |status| pipelines.iter().any(|pipeline| pipeline.status == status);
    if any(PipelineStatus::Failed) {
        Exit::WatchedFailed
    } else if any(PipelineStatus::Cancelled) {
        Exit::WatchedCancelled
    } else {
        Exit::Ok
    }
}
