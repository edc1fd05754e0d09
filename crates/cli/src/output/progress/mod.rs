//! The progress of pipelines, on stderr: a bar for each with a segment for each stage where somebody watches, a
//! line when a stage ends and now and then otherwise.
//!
//! - [`bar`]: the bar
//! - [`lines`]: the lines
//! - [`words`]: what both say about a stage

mod bar;
mod lines;
#[cfg(test)]
mod sample;
mod words;

use std::{collections::HashMap, time::Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mcpanel_api::{
    PipelineId,
    pipeline::{PipelineProgress, PipelineStatus},
};

use super::{is_quiet, is_watched, say};
use lines::Pace;

/// Redraws a second: smooth enough, and little work for a terminal far away.
const REDRAWS_PER_SECOND: u8 = 8;

/// Shows how far pipelines are.
pub enum Progress {
    /// Bars, redrawn in place.
    Bars {
        all: MultiProgress,
        bars: HashMap<PipelineId, ProgressBar>,
    },
    /// Lines, one after the other.
    Lines {
        paces: HashMap<PipelineId, Pace>,
        is_named: bool,
    },
    /// Nothing.
    Quiet,
}

impl Progress {
    /// Bars where somebody watches, lines otherwise; of one pipeline, or `is_named` among several.
    pub fn new(is_named: bool) -> Self {
        if is_quiet() {
            Self::Quiet
        } else if is_watched() {
            let target = ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND);
            Self::Bars {
                all: MultiProgress::with_draw_target(target),
                bars: HashMap::new(),
            }
        } else {
            Self::Lines {
                paces: HashMap::new(),
                is_named,
            }
        }
    }

    /// Says something without tearing the bars.
    pub fn say(&self, text: &str) {
        match self {
            Self::Bars { all, .. } => all.suspend(|| say(text)),
            Self::Lines { .. } | Self::Quiet => say(text),
        }
    }

    /// Shows the news of a pipeline.
    pub fn show(&mut self, progress: &PipelineProgress) {
        match self {
            Self::Bars { all, bars } => {
                let bar = bars
                    .entry(progress.pipeline_id.clone())
                    .or_insert_with(|| all.add(new_bar()));
                let (_, width) = console::Term::stderr().size();
                bar.set_message(bar::draw(progress, usize::from(width)));
                bar.tick();
            }
            Self::Lines { paces, is_named } => {
                let pace = paces.entry(progress.pipeline_id.clone()).or_default();
                for line in pace.news(Instant::now(), progress, *is_named) {
                    say(line);
                }
            }
            Self::Quiet => {}
        }
    }

    /// Leaves the bars as they are.
    pub fn end(&self) {
        if let Self::Bars { bars, .. } = self {
            bars.values().for_each(ProgressBar::abandon);
        }
    }
}

fn new_bar() -> ProgressBar {
    // The text is the bar: what indicatif would draw has no segments.
    let style =
        ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new_spinner().with_style(style)
}

/// Whether nothing more will happen to a pipeline by itself.
pub fn has_ended(status: PipelineStatus) -> bool {
    match status {
        PipelineStatus::Completed | PipelineStatus::Failed | PipelineStatus::Cancelled => true,
        PipelineStatus::Created | PipelineStatus::Running => false,
    }
}
