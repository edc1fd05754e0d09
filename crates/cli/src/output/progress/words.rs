//! What there is to say about a stage.

use std::time::Duration;

use mcpanel_api::pipeline::{StageProgress, StageStatus};

use crate::output::{cell::now, durations, numbers::grouped};

/// Per cent done before there is something to judge the rest by.
const PROGRESS_JUDGED_MIN: f64 = 2.0;

/// `1,482 records, 612/s, 2.4 s` when it has ended; `630 records, 610/s, 412/720 tasks, 1.4 s left` while it runs. The
/// rate is that of tasks where there are no records.
pub fn words(stage: &StageProgress) -> String {
    match elapsed(stage) {
        Some(elapsed) => words_after(stage, elapsed),
        None => String::new(),
    }
}

fn words_after(stage: &StageProgress, elapsed: Duration) -> String {
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
    let counts = stage.counts;
    if counts.total > 1 {
        match has_ended(stage.status) {
            false => words.push(format!("{}/{} tasks", counts.completed, counts.total)),
            true if records == 0 => words.push(format!("{} tasks", grouped(counts.total.into()))),
            true => {}
        }
        if let Some(per_minute) = stage.pace.per_minute.filter(|_| records == 0) {
            words.push(rate(per_minute));
        }
    }
    if has_ended(stage.status) {
        words.push(durations::show(elapsed));
    } else if let Some(left) = left(stage, elapsed) {
        words.push(format!("{} left", durations::show(left)));
    } else if let Some(message) = &stage.message {
        words.push(crate::output::cell::harmless(message));
    }
    words.join(", ")
}

/// `610/s`, or `4.2/min` where it is slow.
fn rate(per_minute: f64) -> String {
    match per_minute / 60.0 {
        per_second if per_second >= 10.0 => format!("{}/s", grouped(per_second as u64)),
        per_second if per_second >= 1.0 => format!("{per_second:.1}/s"),
        _ => format!("{per_minute:.1}/min"),
    }
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

/// How long the rest takes: as the server judges by its tasks of late, else if it goes on as it did; nothing before
/// there is something to judge by.
fn left(stage: &StageProgress, elapsed: Duration) -> Option<Duration> {
    let judged = stage.pace.eta_ms.map(Duration::from_millis);
    judged.or_else(|| {
        let progress = stage.progress;
        (progress >= PROGRESS_JUDGED_MIN)
            .then(|| elapsed.mul_f64((100.0 - progress.min(100.0)) / progress))
    })
}

#[cfg(test)]
mod tests {
    use mcpanel_api::pipeline::{StagePace, TaskCounts};

    use super::*;

    const ELAPSED: Duration = Duration::from_secs(10);

    fn stage(status: StageStatus, records: Option<u64>) -> StageProgress {
        let counters = records.map(|records| [("records".parse().unwrap(), records)].into());
        StageProgress {
            counts: TaskCounts {
                total: 720,
                completed: 360,
                ..TaskCounts::default()
            },
            counters,
            pace: StagePace {
                per_minute: Some(90.0),
                eta_ms: Some(4_000),
                ..StagePace::default()
            },
            ..super::super::sample::stage(3, status, 50.0)
        }
    }

    #[test]
    fn a_running_stage_tells_its_rate_and_what_is_left() {
        use StageStatus::{Completed, Running};
        assert_eq!(
            words_after(&stage(Running, Some(1_482)), ELAPSED),
            "1,482 records, 148/s, 360/720 tasks, 4.0 s left"
        );
        assert_eq!(
            words_after(&stage(Running, None), ELAPSED),
            "360/720 tasks, 1.5/s, 4.0 s left"
        );
        assert_eq!(
            words_after(&stage(Completed, None), ELAPSED),
            "720 tasks, 1.5/s, 10.0 s"
        );
    }

    #[test]
    fn without_a_word_of_the_server_the_rest_is_judged_by_what_was() {
        let mut alone = stage(StageStatus::Running, None);
        alone.pace = StagePace::default();
        assert_eq!(left(&alone, ELAPSED), Some(ELAPSED));
        alone.progress = 1.0;
        assert_eq!(left(&alone, ELAPSED), None);
    }

    #[test]
    fn slow_stages_are_told_by_the_minute() {
        assert_eq!(rate(36_600.0), "610/s");
        assert_eq!(rate(90.0), "1.5/s");
        assert_eq!(rate(4.2), "4.2/min");
    }
}
