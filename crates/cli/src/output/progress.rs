//! The progress of a pipeline: a bar per stage on a terminal, a line now and then otherwise.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mcpanel_api::pipeline::{PipelineProgress, StageProgress, StageStatus};

use super::{cell::now, durations, is_watched, numbers::grouped, say};

/// Steps of a bar: a tenth of a per cent.
const STEPS: f64 = 10.0;

/// How often a line is written where bars cannot be drawn.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows how far a pipeline is.
pub enum Progress {
    /// Bars, redrawn in place.
    Bars {
        all: MultiProgress,
        stages: HashMap<u16, ProgressBar>,
    },
    /// Lines, one after the other.
    Lines {
        ended: HashMap<u16, StageStatus>,
        last: Instant,
    },
}

impl Progress {
    /// Bars where somebody watches, lines otherwise.
    pub fn new() -> Self {
        if is_watched() {
            Self::Bars {
                all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8)),
                stages: HashMap::new(),
            }
        } else {
            Self::Lines {
                ended: HashMap::new(),
                last: Instant::now(),
            }
        }
    }

    /// Says something without tearing the bars.
    pub fn say(&self, text: &str) {
        match self {
            Self::Bars { all, .. } => all.suspend(|| say(text)),
            Self::Lines { .. } => say(text),
        }
    }

    /// Shows the news.
    pub fn show(&mut self, progress: &PipelineProgress) {
        match self {
            Self::Bars { all, stages } => {
                for stage in &progress.stages {
                    let bar = stages
                        .entry(stage.stage)
                        .or_insert_with(|| all.add(new_bar(stage)));
                    show_bar(bar, stage);
                }
            }
            Self::Lines { ended, last } => {
                for stage in &progress.stages {
                    if has_ended(stage.status) && ended.insert(stage.stage, stage.status).is_none()
                    {
                        say(line(stage, progress.stages.len()));
                        *last = Instant::now();
                    }
                }
                if last.elapsed() >= LINE_EVERY {
                    let running = |stage: &&StageProgress| stage.status == StageStatus::Running;
                    for stage in progress.stages.iter().filter(running) {
                        say(line(stage, progress.stages.len()));
                    }
                    *last = Instant::now();
                }
            }
        }
    }

    /// Leaves the bars as they are.
    pub fn end(&self) {
        if let Self::Bars { stages, .. } = self {
            for bar in stages.values().filter(|bar| !bar.is_finished()) {
                bar.abandon();
            }
        }
    }
}

fn new_bar(stage: &StageProgress) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{prefix:<19} {bar:18.cyan/dim} {percent:>3} %  {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸─");
    ProgressBar::new((100.0 * STEPS) as u64)
        .with_style(style)
        .with_prefix(format!("{} {}", stage.stage, stage.name))
}

fn show_bar(bar: &ProgressBar, stage: &StageProgress) {
    if bar.is_finished() && has_ended(stage.status) {
        return;
    }
    bar.set_position((stage.progress.clamp(0.0, 100.0) * STEPS) as u64);
    bar.set_message(words(stage));
    match stage.status {
        StageStatus::Pending | StageStatus::Running => bar.tick(),
        StageStatus::Completed => bar.finish(),
        StageStatus::Failed | StageStatus::Cancelled => bar.abandon(),
    }
}

fn has_ended(status: StageStatus) -> bool {
    match status {
        StageStatus::Completed | StageStatus::Failed | StageStatus::Cancelled => true,
        StageStatus::Pending | StageStatus::Running => false,
    }
}

fn line(stage: &StageProgress, stages: usize) -> String {
    let state = match stage.status {
        StageStatus::Pending => "waits",
        StageStatus::Running => "runs",
        StageStatus::Completed => "done",
        StageStatus::Failed => "failed",
        StageStatus::Cancelled => "cancelled",
    };
    let (number, name) = (stage.stage, &stage.name);
    let words = words(stage);
    match stage.status {
        StageStatus::Running => format!(
            "stage {number}/{stages} {name:<18} {:>3.0} %  {words}",
            stage.progress
        ),
        _ => format!("stage {number}/{stages} {name:<18} {state}  {words}"),
    }
}

/// `1,482 records, 612/s, 2.4 s` when it has ended; `630 records, 610/s, 1.4 s left` while it runs.
fn words(stage: &StageProgress) -> String {
    let Some(elapsed) = elapsed(stage) else {
        return String::new();
    };
    let mut words = Vec::new();
    let records = stage
        .counters
        .iter()
        .flatten()
        .find(|(name, _)| name.as_str() == "records")
        .map_or(0, |(_, records)| *records);
    if records > 0 {
        words.push(format!("{} records", grouped(records)));
        let rate = records as f64 / elapsed.as_secs_f64().max(0.001);
        words.push(format!("{}/s", grouped(rate as u64)));
    }
    if stage.counts.total > 1 && !has_ended(stage.status) {
        words.push(format!(
            "{}/{} chunks",
            stage.counts.completed, stage.counts.total
        ));
    }
    if has_ended(stage.status) {
        words.push(durations::show(elapsed));
    } else if let Some(left) = left(stage.progress, elapsed) {
        words.push(format!("{} left", durations::show(left)));
    } else if let Some(message) = &stage.message {
        words.push(message.clone());
    }
    words.join(", ")
}

/// How long the stage has been running, or ran.
fn elapsed(stage: &StageProgress) -> Option<Duration> {
    let until = stage.completed_at.unwrap_or_else(now);
    Some(Duration::from_millis(until.ms_since(stage.started_at?)))
}

/// How long the rest takes if it goes on like that; nothing before there is something to judge by.
fn left(progress: f64, elapsed: Duration) -> Option<Duration> {
    const PROGRESS_MIN: f64 = 2.0;
    (progress >= PROGRESS_MIN).then(|| elapsed.mul_f64((100.0 - progress.min(100.0)) / progress))
}
