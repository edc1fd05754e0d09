//! What there is to say about a stage.

use std::time::Duration;

use mcpanel_api::pipeline::{StageProgress, StageStatus};

use crate::output::{cell::now, durations, numbers::grouped};

/// Per cent done before there is something to judge the rest by.
const PROGRESS_JUDGED_MIN: f64 = 2.0;

/// `1,482 records, 612/s, 2.4 s` when it has ended; `630 records, 610/s, 1.4 s left` while it runs.
pub fn words(stage: &StageProgress) -> String {
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
        words.push(crate::output::cell::harmless(message));
    }
    words.join(", ")
}

/// Whether nothing more will happen to a stage by itself.
pub fn has_ended(status: StageStatus) -> bool {
    match status {
        StageStatus::Completed | StageStatus::Failed | StageStatus::Cancelled => true,
        StageStatus::Pending | StageStatus::Running => false,
    }
}

/// How long the stage has been running, or ran.
fn elapsed(stage: &StageProgress) -> Option<Duration> {
    let until = stage.completed_at.unwrap_or_else(now);
    Some(Duration::from_millis(until.ms_since(stage.started_at?)))
}

/// How long the rest takes if it goes on like that; nothing before there is something to judge by.
fn left(progress: f64, elapsed: Duration) -> Option<Duration> {
    (progress >= PROGRESS_JUDGED_MIN)
        .then(|| elapsed.mul_f64((100.0 - progress.min(100.0)) / progress))
}
