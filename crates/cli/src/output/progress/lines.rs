//! Lines about a pipeline where nothing can be redrawn.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use mcpanel_api::pipeline::{PipelineProgress, StageProgress, StageStatus};

use super::words::{has_ended, words};
use crate::output::listing::word;

/// How often a line is written where nothing ends: a reader sees that somebody still watches, and a log of a run
/// of hours stays short.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What was said about a pipeline, and when.
#[derive(Debug, Default)]
pub struct Pace {
    ended: HashMap<u16, StageStatus>,
    last: Option<Instant>,
    is_over: bool,
}

impl Pace {
    /// The lines that are due.
    pub fn news(
        &mut self,
        now: Instant,
        progress: &PipelineProgress,
        is_named: bool,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        for stage in &progress.stages {
            // What ran again may end again.
            let ended = has_ended(stage.status).then_some(stage.status);
            let before = match ended {
                Some(status) => self.ended.insert(stage.stage, status),
                None => self.ended.remove(&stage.stage),
            };
            if ended.is_some() && before != ended {
                let line = stage_line(stage, progress.stages.len());
                lines.push(match is_named {
                    true => format!("{} {line}", progress.pipeline_id),
                    false => line,
                });
            }
        }
        let is_over = super::has_ended(progress.status);
        let is_due = match self.last {
            None => true,
            Some(last) => now.saturating_duration_since(last) >= LINE_EVERY,
        };
        if !self.is_over && (is_due || is_over) {
            lines.push(line(progress));
        }
        self.is_over = is_over;
        if !lines.is_empty() {
            self.last = Some(now);
        }
        lines
    }
}

/// `pipe_1 running 43 %: 1 ✓ 2 ✓ 3 57 % (412/720 tasks, 41/s, 7 s left) 4 – 5 – 6 –`.
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
        StageStatus::Running => match words(stage).as_str() {
            "" => format!("{number} {:.0} %", stage.progress),
            words => format!("{number} {:.0} % ({words})", stage.progress),
        },
    }
}

/// `stage 3/6 standardize        done  1,482 records, 612/s, 2.4 s`.
fn stage_line(stage: &StageProgress, stages: usize) -> String {
    let state = match stage.status {
        StageStatus::Pending => "waits",
        StageStatus::Running => "runs",
        StageStatus::Completed => "done",
        StageStatus::Failed => "failed",
        StageStatus::Cancelled => "cancelled",
    };
    let (number, name) = (stage.stage, &stage.name);
    let line = format!(
        "stage {number}/{stages} {name:<18} {state}  {}",
        words(stage)
    );
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use mcpanel_api::pipeline::PipelineStatus;

    use super::{super::sample, *};

    fn pipeline(status: PipelineStatus, stages: &[StageStatus]) -> PipelineProgress {
        let stages = (1..).zip(stages);
        let stages = stages.map(|(number, status)| sample::stage(number, *status, 57.2));
        sample::pipeline(status, stages.collect())
    }

    #[test]
    fn a_line_tells_every_stage() {
        use StageStatus::{Completed, Pending, Running};
        let progress = pipeline(PipelineStatus::Running, &[Completed, Running, Pending]);
        assert_eq!(line(&progress), "pipe_1 running 43 %: 1 ✓ 2 57 % 3 –");
    }

    #[test]
    fn lines_come_when_a_stage_ends_and_every_ten_seconds() {
        use StageStatus::{Completed, Pending, Running};
        let mut pace = Pace::default();
        let start = Instant::now();
        let mut said = |seconds, status, stages: &[StageStatus]| {
            let now = start + Duration::from_secs(seconds);
            pace.news(now, &pipeline(status, stages), false)
        };
        let running = PipelineStatus::Running;
        assert_eq!(said(0, running, &[Running, Pending]).len(), 1, "the first");
        assert!(said(9, running, &[Running, Pending]).is_empty());
        assert_eq!(said(10, running, &[Running, Pending]).len(), 1, "ten later");
        assert_eq!(
            said(11, running, &[Completed, Running]),
            ["stage 1/2 sift               done"]
        );
        assert!(said(12, running, &[Completed, Running]).is_empty());
        let last = said(13, PipelineStatus::Completed, &[Completed, Completed]);
        assert_eq!(last.len(), 2, "the end is told at once: {last:?}");
        assert!(said(60, PipelineStatus::Completed, &[Completed, Completed]).is_empty());
    }

    #[test]
    fn a_stage_that_runs_again_ends_again() {
        use StageStatus::{Completed, Failed, Running};
        let mut pace = Pace::default();
        let now = Instant::now();
        let mut said = |stage| pace.news(now, &pipeline(PipelineStatus::Running, &[stage]), true);
        said(Running);
        assert!(said(Failed)[0].starts_with("pipe_1 stage 1/1"));
        assert!(said(Running).is_empty());
        assert_eq!(said(Completed).len(), 1);
    }
}
