//! What happened to a task, drawn over time: a lane for each attempt, and the waiting before it.

use maud::{Markup, html};
use mcpanel_domain::{
    Timestamp,
    task::{Attempt, Outcome, Task},
};

use crate::{
    session::Viewer,
    ui::{parts, status, text},
};

/// Width of the drawing, in its own units.
const WIDTH: f64 = 100.0;

/// Shortest mark, so that an attempt of a millisecond is seen.
const MARK_MIN: f64 = 0.6;

/// The drawing and its words.
pub fn draw(viewer: &Viewer, task: &Task) -> Markup {
    let end = task.completed_at.unwrap_or(viewer.now).max(task.created_at);
    let dropped = u64::from(task.attempt).saturating_sub(task.attempts.len() as u64);
    html! {
        section.card aria-labelledby="timeline" {
            (parts::section("timeline", "Attempts", html! { (text::counted(u64::from(task.attempt), "attempt")) }))
            @if task.attempts.is_empty() {
                (parts::empty("No agent has had it yet", html! { "Each attempt gets a lane here." }))
            } @else {
                @if dropped > 0 { p.muted { "The oldest " (text::counted(dropped, "attempt")) " are counted and no longer kept." } }
                ol.lanes {
                    @for (at, attempt) in task.attempts.iter().enumerate() {
                        @let waited_from = if at == 0 { task.created_at } else { task.attempts[at - 1].ended_at.unwrap_or(attempt.assigned_at) };
                        (lane(viewer, task.created_at, end, waited_from, attempt))
                    }
                }
                ul.legend aria-hidden="true" {
                    li { span.swatch.t-pending {} "waited" } li { span.swatch.t-assigned {} "handed out" } li { span.swatch.t-running {} "running" }
                    li { span.swatch.t-good {} "done" } li { span.swatch.t-bad {} "failed" }
                }
                div.chart-axis aria-hidden="true" { span { (parts::time(task.created_at)) } span { (parts::time(end)) } }
            }
        }
    }
}

fn lane(
    viewer: &Viewer,
    begin: Timestamp,
    end: Timestamp,
    waited_from: Timestamp,
    attempt: &Attempt,
) -> Markup {
    let ended = attempt.ended_at.unwrap_or(end);
    let started = attempt.started_at.unwrap_or(ended);
    let word = attempt.outcome.map_or("running", Outcome::as_str);
    let label = format!(
        "waited {}, {} after {}",
        text::duration(attempt.assigned_at.ms_since(waited_from)),
        word.replace('_', " "),
        text::duration(ended.ms_since(started)),
    );
    let span = |from: Timestamp, to: Timestamp, tone: &str| {
        let (x, width) = place(begin, end, from, to);
        html! { rect class={ "fill " (tone) } x=(format!("{x:.2}")) width=(format!("{width:.2}")) y="1" height="6" rx="0.8" {} }
    };
    html! {
        li.lane {
            div.lane-head {
                span.lane-number { "#" (attempt.number) }
                (status::outcome(attempt.outcome))
                (parts::link("/agents", attempt.agent_id.as_str()))
                span.muted { @if attempt.ended_at.is_some() { "ran " (text::duration(ended.ms_since(started))) } @else { "for " (parts::since(started, viewer.now)) } }
                a.lane-log href={ "?attempt=" (attempt.number) "#log" } { "Log" }
            }
            svg.lane-bar viewBox={ "0 0 " (WIDTH) " 8" } preserveAspectRatio="none" role="img" aria-label=(label) {
                rect.rail width=(WIDTH) y="3.4" height="1.2" {}
                (span(waited_from, attempt.assigned_at, "t-pending"))
                @if attempt.started_at.is_some() {
                    (span(attempt.assigned_at, started, "t-assigned"))
                    (span(started, ended, status::tone(word)))
                } @else { (span(attempt.assigned_at, ended, "t-assigned")) }
            }
            @if let Some(error) = &attempt.error { p.error-line { span.chip { (error.kind.as_str()) } " " (text::short(&error.message, 400)) } }
        }
    }
}

/// Where a span lies in the drawing.
#[expect(clippy::cast_precision_loss, reason = "a drawing has a hundred units")]
fn place(begin: Timestamp, end: Timestamp, from: Timestamp, to: Timestamp) -> (f64, f64) {
    let whole = end.ms_since(begin).max(1) as f64;
    let x = (from.ms_since(begin) as f64 / whole * WIDTH).min(WIDTH - MARK_MIN);
    let width = (to.ms_since(from) as f64 / whole * WIDTH).max(MARK_MIN);
    (x, width.min(WIDTH - x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_lies_within_the_drawing_whatever_the_clocks_say() {
        let at = Timestamp::from_ms;
        assert_eq!(place(at(0), at(100), at(50), at(100)), (50.0, 50.0));
        for (from, to) in [(0, 0), (100, 100), (500, 400), (0, 9_000)] {
            let (x, width) = place(at(0), at(100), at(from), at(to));
            assert!(x >= 0.0 && width >= MARK_MIN - 1e-9 && x + width <= WIDTH + 1e-9);
        }
        let (x, width) = place(at(5), at(5), at(5), at(5));
        assert!(x + width <= WIDTH);
    }
}
