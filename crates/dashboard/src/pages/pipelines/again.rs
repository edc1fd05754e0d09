//! Trying again what failed in a stage.
//!
//! A task that fails for good ends its stage and the pipeline with it, so in a pipeline that runs there is none: what can be
//! tried again there are the tasks that wait for another try, and an operation does that. In one that has ended, tasks come
//! back only with the pipeline, which lets each stage do again what it lacks, and nothing else.

use maud::{Markup, html};
use mcpanel_control::PipelineView;
use mcpanel_domain::{
    pipeline::{Stage, StageStatus},
    task::{Filter, Search, Status},
};
use mcpanel_guard::Permission;

use super::stages;
use crate::{
    pages::tasks::filter,
    session::Viewer,
    ui::{parts::Action, text},
};

/// What can be tried again in a stage.
enum Again {
    /// So many tasks wait for another try, in a pipeline that runs.
    Waiting(u32),
    /// So many failed or were cancelled, in a pipeline that has ended.
    Lost(u32),
    /// Nothing.
    Nothing,
}

fn what(view: &PipelineView, stage: &Stage) -> Again {
    let counts = stages::counts(view, stage);
    match stage.status {
        StageStatus::Running => match counts.count(Status::Retry) {
            0 => Again::Nothing,
            waiting => Again::Waiting(waiting),
        },
        // A stage that failed before it had tasks is begun anew, whatever it counted.
        StageStatus::Failed => Again::Lost(counts.lost()),
        StageStatus::Cancelled if counts.lost() > 0 => Again::Lost(counts.lost()),
        StageStatus::Cancelled | StageStatus::Pending | StageStatus::Completed => Again::Nothing,
    }
}

/// The address of the operation that lets waiting tasks of a stage try now.
fn operation(view: &PipelineView, stage: &Stage) -> String {
    let search = Search::from(Filter {
        statuses: vec![Status::Retry],
        pipeline_id: Some(view.pipeline.id.clone()),
        stage: Some(stage.definition.number),
        ..Filter::default()
    });
    let query = filter::write(&search).with("kind", "retry");
    query.on("/operations/new")
}

/// The button in a stage's row.
pub fn button(viewer: &Viewer, view: &PipelineView, stage: &Stage) -> Markup {
    let word = format!("Retry stage {}", stage.definition.number);
    draw(viewer, view, stage, &word)
}

fn draw(viewer: &Viewer, view: &PipelineView, stage: &Stage, word: &str) -> Markup {
    let number = stage.definition.number;
    match what(view, stage) {
        Again::Waiting(_) if viewer.may(Permission::TaskManage) => html! {
            a.button.small href=(operation(view, stage)) { "Retry now…" span.visually-hidden { " what waits in stage " (number) } }
        },
        Again::Lost(_) if viewer.may(Permission::PipelineManage) => Action {
            path: format!("/pipelines/{}/stages/{number}/execute", view.pipeline.id),
            word,
            class: "small primary",
            ask: None,
            fields: &[],
        }
        .draw(viewer),
        Again::Waiting(_) | Again::Lost(_) | Again::Nothing => html! {},
    }
}

/// The same in the stage's panel, with what it does and does not do.
pub fn words(viewer: &Viewer, view: &PipelineView, stage: &Stage) -> Markup {
    let (sentence, explanation) = match what(view, stage) {
        Again::Nothing => return html! {},
        Again::Waiting(1) => ("1 task waits for another try.".to_owned(), WAITING),
        Again::Waiting(waiting) => (
            format!(
                "{} tasks wait for another try.",
                text::count(u64::from(waiting))
            ),
            WAITING,
        ),
        Again::Lost(lost) => (
            format!(
                "{} failed or cancelled.",
                text::counted(u64::from(lost), "task")
            ),
            LOST,
        ),
    };
    let word = format!("Retry what failed in stage {}", stage.definition.number);
    html! {
        div.bulk {
            span { b { (sentence) } " " (explanation) }
            span.actions { (draw(viewer, view, stage, &word)) }
        }
    }
}

/// What is said where tasks wait.
const WAITING: &str = "An operation in the background lets them try now. Nothing here has failed for good: that would have \
                       ended the stage and the pipeline.";

/// What is said where tasks are lost.
const LOST: &str = "Tasks of a pipeline that has ended come back only with it: it runs again, and each stage does what it \
                    lacks. What is completed stays.";
