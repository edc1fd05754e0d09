//! The overview's charts, and the same as a table.

use maud::{Markup, html};
use mcpanel_control::Point;
use mcpanel_domain::{Timestamp, task::Status};

use super::{look::Past, window::Window};
use crate::ui::{
    chart::{Chart, Series, Shape, Step},
    parts, text,
};

const fn series(word: &'static str, tone: &'static str) -> Series<'static> {
    Series { word, tone }
}

const ENDS: [Series<'static>; 3] = [
    series("completed", "t-good"),
    series("retried", "t-warn"),
    series("failed", "t-bad"),
];

const TIMES: [Series<'static>; 3] = [
    series("run p50", "t-assigned"),
    series("run p95", "t-running"),
    series("wait p95", "t-warn"),
];

const STANDS: [Series<'static>; 2] = [
    series("waiting", "t-pending"),
    series("running", "t-running"),
];

/// Values of each step, in the order of their series.
fn ends(point: &Point) -> Vec<Option<u64>> {
    let happened = &point.activity;
    vec![
        Some(happened.completed),
        Some(happened.retried),
        Some(happened.failed),
    ]
}

fn times(point: &Point) -> Vec<Option<u64>> {
    let happened = &point.activity;
    vec![
        happened.run.percentile(50),
        happened.run.percentile(95),
        happened.wait.percentile(95),
    ]
}

fn stands(point: &Point) -> Vec<Option<u64>> {
    let at = |wanted: &[Status]| -> u64 {
        Status::ALL
            .iter()
            .zip(point.tasks)
            .filter(|(status, _)| wanted.contains(status))
            .map(|(_, count)| count)
            .sum()
    };
    vec![
        Some(at(&[Status::Pending, Status::Retry])),
        Some(at(&[Status::Assigned, Status::Running])),
    ]
}

/// The charts, and the same as a table.
pub fn charts(past: &Past, window: &Window, now: Timestamp) -> Markup {
    let chart =
        |title: &str, shape, lines: &[Series<'_>], of: fn(&Point) -> Vec<Option<u64>>, write| {
            let steps: Vec<Step> = past
                .points
                .iter()
                .map(|(at, point)| Step {
                    at: *at,
                    label: window.label(*at),
                    values: point.as_ref().map_or_else(|| vec![None; lines.len()], of),
                })
                .collect();
            Chart {
                title,
                shape,
                series: lines,
                steps: &steps,
                step_ms: window.step_ms,
                write,
                at_least: 0,
            }
            .draw()
        };
    html! {
        section.card aria-labelledby="history" {
            (parts::section("history", "Throughput and latency", window.picker("/", now)))
            div.charts data-charts="/" {
                div { h3 { "Tasks ended, " (window.step_words()) } (chart("Tasks completed, retried and failed over time", Shape::Columns, &ENDS, ends, text::count)) }
                div { h3 { "How long they took" } (chart("How long tasks ran and waited over time", Shape::Lines, &TIMES, times, text::duration)) }
                div { h3 { "Queue depth" } (chart("Tasks waiting and running over time", Shape::Lines, &STANDS, stands, text::count)) }
            }
            p.hint.script hidden { "Point at a chart, or go through it with ← and →. Mark a stretch by dragging, or with Shift and the arrows, then Enter, to see it closer." }
            details.twin { summary { "As a table" } (table(past, window)) }
        }
    }
}

fn table(past: &Past, window: &Window) -> Markup {
    let time = |ms: Option<u64>| html! { td.number { @if let Some(ms) = ms { (text::duration(ms)) } @else { (parts::none("nothing ended")) } } };
    html! {
        div.scroll tabindex="0" role="region" aria-label="History as a table" { table {
            thead { tr { th scope="col" { "From (UTC)" } th.number scope="col" { "Created" } th.number scope="col" { "Completed" } th.number scope="col" { "Retried" } th.number scope="col" { "Failed" } th.number scope="col" { "Run p50" } th.number scope="col" { "Run p95" } th.number scope="col" { "Wait p95" } th.number scope="col" { "Oldest waiting" } } }
            tbody { @for (at, point) in past.points.iter().rev() { @if let Some(point) = point {
                @let happened = &point.activity;
                tr {
                    td { (window.label(*at)) }
                    td.number { (text::count(happened.created)) } td.number { (text::count(happened.completed)) }
                    td.number { (text::count(happened.retried)) } td.number { (text::count(happened.failed)) }
                    (time(happened.run.percentile(50))) (time(happened.run.percentile(95))) (time(happened.wait.percentile(95))) (time(point.oldest_waiting_ms))
                }
            } } }
        } }
    }
}
