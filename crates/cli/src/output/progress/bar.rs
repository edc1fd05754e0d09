//! One bar for a pipeline, with a segment for each of its stages.

use anstyle::{AnsiColor, Style};
use mcpanel_api::pipeline::{PipelineProgress, StageProgress, StageStatus};

use super::words::words;

/// Widest segment, in columns; six of them leave room for words on a usual terminal.
const SEGMENT_COLUMNS_MAX: usize = 8;

/// Narrowest segment, in columns: begun, half, done.
const SEGMENT_COLUMNS_MIN: usize = 2;

/// Columns that the words have at least, before segments become narrower: a stage, its records, rate and rest.
const WORDS_COLUMNS: usize = 52;

/// The bar as a line of at most `width` columns.
pub fn draw(progress: &PipelineProgress, width: usize) -> String {
    let is_coloured =
        anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let id = progress.pipeline_id.as_str();
    let stages = progress.stages.len().max(1);
    let percent = format!("{:>3.0} %", progress.progress.clamp(0.0, 100.0));
    // Two spaces before the segments and after them, one between them.
    let beside = id.len() + 4 + (stages - 1) + percent.len();
    let room = width.saturating_sub(beside + WORDS_COLUMNS) / stages;
    let columns = room.clamp(SEGMENT_COLUMNS_MIN, SEGMENT_COLUMNS_MAX);
    let segments: Vec<String> = progress
        .stages
        .iter()
        .map(|stage| segment(stage, columns, is_coloured))
        .collect();
    let left = width.saturating_sub(beside + columns * stages + 3);
    let words = fitting(&summary(progress), left);
    format!("{id}  {}  {percent}  {words}", segments.join(" "))
}

/// As much of the words as there is room for; what is cut ends with an ellipsis.
fn fitting(words: &str, columns: usize) -> String {
    if words.chars().count() <= columns {
        return words.to_owned();
    }
    let mut cut: String = words.chars().take(columns.saturating_sub(1)).collect();
    // A word that was cut in two says something else.
    if let Some((whole, _)) = cut.rsplit_once([' ', ',']) {
        cut.truncate(whole.len());
    }
    cut.push('…');
    cut
}

fn segment(stage: &StageProgress, columns: usize, is_coloured: bool) -> String {
    let (done, rest) = fill(stage, columns);
    if !is_coloured {
        return done + &rest;
    }
    let paint = match stage.status {
        StageStatus::Completed => AnsiColor::Green,
        StageStatus::Failed => AnsiColor::Red,
        StageStatus::Cancelled => AnsiColor::Yellow,
        StageStatus::Pending | StageStatus::Running => AnsiColor::Cyan,
    }
    .on_default();
    let dim = match stage.status {
        // Also where nothing was done, it can be seen which one failed.
        StageStatus::Failed | StageStatus::Cancelled => paint,
        StageStatus::Pending | StageStatus::Running | StageStatus::Completed => {
            Style::new().dimmed()
        }
    };
    format!("{paint}{done}{paint:#}{dim}{rest}{dim:#}")
}

/// What is done and what is not, in half columns.
fn fill(stage: &StageProgress, columns: usize) -> (String, String) {
    let per_cent = match stage.status {
        StageStatus::Completed => 100.0,
        _ => stage.progress.clamp(0.0, 100.0),
    };
    let halves = (per_cent / 100.0 * (columns * 2) as f64) as usize;
    let mut done = "━".repeat(halves / 2);
    let has_half = halves % 2 == 1;
    if has_half {
        done.push('╸');
    }
    let rest = columns - halves / 2 - usize::from(has_half);
    (done, "─".repeat(rest))
}

/// What is said about the stages that run, or about the one that failed.
fn summary(progress: &PipelineProgress) -> String {
    let told = |status| {
        let stages = progress
            .stages
            .iter()
            .filter(|stage| stage.status == status);
        let told: Vec<String> = stages
            .map(|stage| match words(stage).as_str() {
                "" => format!("{} {}", stage.stage, stage.name),
                words => format!("{} {} {words}", stage.stage, stage.name),
            })
            .collect();
        told.join("; ")
    };
    match told(StageStatus::Failed) {
        failed if failed.is_empty() => told(StageStatus::Running),
        failed => format!("failed: {failed}"),
    }
}

#[cfg(test)]
mod tests {
    use mcpanel_api::pipeline::PipelineStatus;

    use super::{super::sample::stage, *};

    fn pipeline(stages: Vec<StageProgress>) -> PipelineProgress {
        super::super::sample::pipeline(PipelineStatus::Running, stages)
    }

    /// Without what colours it.
    fn bare(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_stage_is_a_segment() {
        let six = (1..=6).map(|number| match number {
            1 | 2 => stage(number, StageStatus::Completed, 100.0),
            3 => stage(number, StageStatus::Running, 50.0),
            _ => stage(number, StageStatus::Pending, 0.0),
        });
        let drawn = bare(&draw(&pipeline(six.collect()), 120));
        assert_eq!(
            drawn,
            "pipe_1  ━━━━━━━━ ━━━━━━━━ ━━━━──── ──────── ──────── ────────   43 %  3 sift"
        );
    }

    #[test]
    fn words_are_cut_between_words() {
        assert_eq!(
            fitting("3 sift 64 records, 56/s", 40),
            "3 sift 64 records, 56/s"
        );
        assert_eq!(
            fitting("3 sift 64 records, 56/s", 20),
            "3 sift 64 records,…"
        );
        assert_eq!(fitting("3 sift 64 records, 56/s", 12), "3 sift 64…");
        assert!(fitting("validation", 4).chars().count() <= 4);
    }

    #[test]
    fn a_narrow_terminal_has_a_narrow_bar() {
        let stages: Vec<StageProgress> = (1..=6)
            .map(|number| stage(number, StageStatus::Running, 25.0))
            .collect();
        for width in [40, 60, 80] {
            let drawn = bare(&draw(&pipeline(stages.clone()), width));
            assert!(drawn.chars().count() <= width, "{width}: {drawn}");
            assert!(drawn.contains("─ ") && drawn.contains("43 %"), "{drawn}");
        }
    }

    #[test]
    fn the_stage_that_failed_is_named() {
        let stages = vec![
            stage(1, StageStatus::Failed, 20.0),
            stage(2, StageStatus::Cancelled, 0.0),
        ];
        let drawn = bare(&draw(&pipeline(stages), 100));
        assert!(drawn.ends_with("failed: 1 sift"), "{drawn}");
    }
}
