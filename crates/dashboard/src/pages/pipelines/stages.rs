//! Stages as bars: counts first, single tasks only where somebody asks.

use maud::{Markup, html};
use mcpanel_control::PipelineView;
use mcpanel_domain::{
    pipeline::{Stage, StageCounts, StageStatus},
    task::Status,
};

use crate::ui::{
    parts::{self, Part},
    status, text,
};

/// The counts of a stage's present run.
pub fn counts(view: &PipelineView, stage: &Stage) -> StageCounts {
    view.facts.of(stage.definition.number, stage.run)
}

/// A stage's name as people read it.
pub fn name(stage: &Stage) -> String {
    text::short(&stage.definition.name.replace('_', " "), 40)
}

/// What a stage's bar says in words.
pub fn words(view: &PipelineView, stage: &Stage) -> String {
    let counts = counts(view, stage);
    let all = stage.total.max(counts.total());
    match stage.status {
        StageStatus::Pending => "waits for the stages before it".to_owned(),
        _ => {
            let mut text = format!("{} of {all} done", counts.count(Status::Completed));
            for (status, word) in [
                (Status::Running, "running"),
                (Status::Assigned, "handed out"),
                (Status::Pending, "waiting"),
                (Status::Retry, "retrying"),
                (Status::Failed, "failed"),
                (Status::Cancelled, "cancelled"),
            ] {
                let number = counts.count(status);
                if number > 0 {
                    text.push_str(&format!(", {number} {word}"));
                }
            }
            text
        }
    }
}

/// The bar of one stage.
pub fn bar(view: &PipelineView, stage: &Stage) -> Markup {
    let counts = counts(view, stage);
    let label = format!("{}: {}", name(stage), words(view, stage));
    let part = |status: Status| Part {
        value: u64::from(counts.count(status)),
        tone: status::tone(status.as_str()),
    };
    let whole = u64::from(stage.total.max(counts.total()));
    // One task tells more by its per cents than by its state.
    if whole <= 1 && stage.status == StageStatus::Running {
        return parts::bar(stage.progress(&view.facts), &label, "t-running");
    }
    if stage.status == StageStatus::Completed {
        return parts::bar(100.0, &label, "t-good");
    }
    parts::stacked(
        &[
            part(Status::Completed),
            part(Status::Running),
            part(Status::Assigned),
            part(Status::Retry),
            part(Status::Failed),
            part(Status::Cancelled),
        ],
        whole,
        &label,
    )
}

/// All stages side by side, as small as a row.
pub fn segments(view: &PipelineView) -> Markup {
    html! {
        ol.segments { @for stage in &view.pipeline.stages {
            li title={ (name(stage)) ": " (words(view, stage)) } { (bar(view, stage)) }
        } }
    }
}
