//! `mcpanel pipelines watch` and `wait`: until pipelines have ended; the exit code tells how.

use std::{
    io::IsTerminal,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use clap::Args;
use mcpanel_api::{
    PipelineId,
    pipeline::{Pipeline, PipelineProgress, PipelineStatus, StageProgress, StageStatus},
};
use mcpanel_client::Client;

use super::show;
use crate::{
    Result,
    arguments::Format,
    commands::common::waiting::{End, Limit, time_is_up},
    exit::Exit,
    output::{
        self, cell::harmless, is_watched, listing, listing::word, numbers::counted,
        progress::Progress,
    },
};

/// How often a line is written at most, where nothing can be redrawn.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// How often a line is written at least, so that a reader knows that somebody still watches.
const LINE_AT_LEAST_EVERY: Duration = Duration::from_secs(10);

/// Which pipeline to watch.
#[derive(Debug, Args)]
pub struct Watch {
    /// Its id.
    pipeline_id: PipelineId,
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
    /// Shows how far it is until it has ended.
    pub async fn execute(self, client: &Client, format: Format) -> Result {
        follow(client, format, &self.pipeline_id, self.limit).await
    }
}

impl Wait {
    /// Waits, writes the pipelines as they are then, and answers with the worst that happened.
    pub async fn execute(self, client: &Client, format: Format) -> Result {
        let mut pipelines: Vec<Pipeline> = Vec::new();
        let end = self
            .limit
            .until(async || {
                pipelines.clear();
                for id in &self.pipeline_ids {
                    pipelines.push(client.get_pipeline(id).await?);
                }
                Ok(
                    match pipelines.iter().all(|pipeline| is_end(pipeline.status)) {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    },
                )
            })
            .await?;
        if matches!(end, End::Interrupted) {
            return Ok(Exit::Interrupted);
        }
        match pipelines.as_slice() {
            [pipeline] => listing::one(format, pipeline)?,
            pipelines => listing::many(format, pipelines)?,
        }
        if matches!(end, End::TimeUp) {
            let open = pipelines
                .iter()
                .filter(|pipeline| !is_end(pipeline.status))
                .count();
            let what = format!("{} not ended", counted(open as u64, "pipeline"));
            return Err(time_is_up(&what, self.limit.timeout));
        }
        Ok(verdict(&pipelines))
    }
}

/// Shows how far a pipeline is until it has ended, then what became of it: redrawn on a terminal, else a line of
/// text or JSON now and then.
pub async fn follow(client: &Client, format: Format, id: &PipelineId, limit: Limit) -> Result {
    let mut view = View::new(format);
    let end = limit
        .until(async || {
            let progress = client.pipeline_progress(id).await?;
            view.show(&progress)?;
            Ok(match has_ended(&progress) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        })
        .await;
    view.end();
    match end? {
        End::Interrupted => Ok(Exit::Interrupted),
        End::TimeUp => Err(time_is_up(
            &format!("pipeline `{id}` has not ended"),
            limit.timeout,
        )),
        End::Reached(()) => {
            let pipeline = client.get_pipeline(id).await?;
            // Programs that read the progress line by line have read the end.
            if matches!(format, Format::Table | Format::Name) {
                match std::io::stdout().is_terminal() {
                    true => show(format, &pipeline)?,
                    false => output::line(pipeline.pipeline_id.as_str())?,
                }
            }
            Ok(verdict(std::slice::from_ref(&pipeline)))
        }
    }
}

/// How progress is shown.
enum View {
    /// Redrawn in place, on stderr.
    Drawn(Progress),
    /// A line when there is news.
    Lines(Pace),
    /// A JSON document when there is news.
    Documents(Option<PipelineProgress>),
}

/// When the last line was written, and what it said.
struct Pace {
    last: Option<(Instant, String)>,
}

impl View {
    fn new(format: Format) -> Self {
        match format {
            Format::Json | Format::Jsonl => Self::Documents(None),
            Format::Table | Format::Name if is_watched() => Self::Drawn(Progress::new()),
            Format::Table | Format::Name => Self::Lines(Pace { last: None }),
        }
    }

    fn show(&mut self, progress: &PipelineProgress) -> Result<()> {
        match self {
            Self::Drawn(bars) => bars.show(progress),
            Self::Lines(pace) => {
                if let Some(line) = pace.news(Instant::now(), line(progress), has_ended(progress)) {
                    output::say(line);
                }
            }
            Self::Documents(last) => {
                if last.as_ref() != Some(progress) {
                    output::jsonl(progress)?;
                    *last = Some(progress.clone());
                }
            }
        }
        Ok(())
    }

    fn end(&self) {
        if let Self::Drawn(bars) = self {
            bars.end();
        }
    }
}

impl Pace {
    /// The line, if it is time for it.
    fn news(&mut self, now: Instant, line: String, is_last: bool) -> Option<String> {
        let is_due = match &self.last {
            None => true,
            Some((when, said)) => {
                let since = now.saturating_duration_since(*when);
                (*said != line && (is_last || since >= LINE_EVERY)) || since >= LINE_AT_LEAST_EVERY
            }
        };
        is_due.then(|| {
            self.last = Some((now, line.clone()));
            line
        })
    }
}

/// `pipe_1 running 43 %: 1 ✓ 2 ✓ 3 57 % (412/720 tasks) 4 – 5 – 6 –`.
fn line(progress: &PipelineProgress) -> String {
    let stages: Vec<String> = progress.stages.iter().map(segment).collect();
    format!(
        "{} {} {:.0} %: {}",
        progress.pipeline_id,
        word(progress.status),
        progress.progress,
        stages.join(" ")
    )
}

fn segment(stage: &StageProgress) -> String {
    let number = stage.stage;
    match stage.status {
        StageStatus::Pending => format!("{number} –"),
        StageStatus::Completed => format!("{number} ✓"),
        StageStatus::Failed => format!("{number} failed"),
        StageStatus::Cancelled => format!("{number} cancelled"),
        StageStatus::Running => {
            let counts = stage.counts;
            let tasks = match counts.total {
                0 | 1 => String::new(),
                total => format!(" ({}/{total} tasks)", counts.completed),
            };
            format!("{number} {:.0} %{tasks}", stage.progress)
        }
    }
}

/// Whether nothing more will happen to it by itself.
fn has_ended(progress: &PipelineProgress) -> bool {
    is_end(progress.status)
}

fn is_end(status: PipelineStatus) -> bool {
    match status {
        PipelineStatus::Completed | PipelineStatus::Failed | PipelineStatus::Cancelled => true,
        PipelineStatus::Created | PipelineStatus::Running => false,
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

#[cfg(test)]
mod tests {
    use mcpanel_api::{Timestamp, pipeline::TaskCounts};

    use super::*;

    fn stage(stage: u16, status: StageStatus, progress: f64) -> StageProgress {
        StageProgress {
            stage,
            name: "a".to_owned(),
            status,
            progress,
            counts: TaskCounts {
                total: 720,
                completed: 412,
                ..TaskCounts::default()
            },
            counters: None,
            message: None,
            started_at: None,
            completed_at: None,
        }
    }

    #[test]
    fn a_line_tells_every_stage() {
        let progress = PipelineProgress {
            pipeline_id: PipelineId::parse("pipe_1").unwrap(),
            status: PipelineStatus::Running,
            progress: 43.2,
            stages: vec![
                stage(1, StageStatus::Completed, 100.0),
                stage(2, StageStatus::Running, 57.2),
                stage(3, StageStatus::Pending, 0.0),
            ],
            updated_at: Timestamp::ZERO,
        };
        assert_eq!(
            line(&progress),
            "pipe_1 running 43 %: 1 ✓ 2 57 % (412/720 tasks) 3 –"
        );
    }

    #[test]
    fn lines_come_neither_too_often_nor_too_rarely() {
        let mut pace = Pace { last: None };
        let start = Instant::now();
        let mut said = |seconds, line: &str, is_last| {
            let now = start + Duration::from_secs(seconds);
            pace.news(now, line.to_owned(), is_last).is_some()
        };
        assert!(said(0, "a", false));
        assert!(!said(1, "b", false), "too early");
        assert!(said(2, "b", false));
        assert!(!said(5, "b", false), "no news");
        assert!(said(12, "b", false), "a sign of life");
        assert!(said(13, "c", true), "the end is told at once");
    }
}
