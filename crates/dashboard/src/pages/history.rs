//! How things went: throughput and latency over time, what waits by type, why tasks fail. All of it comes from the store, so
//! that every instance shows the same and a restart forgets nothing.

use maud::{Markup, html};
use mcpanel_control::Point;
use mcpanel_domain::{
    Timestamp,
    sample::{Activity, ErrorGroup},
    task::Status,
};
use mcpanel_guard::Permission;
use mcpanel_store::query::{Queue, Totals};

use crate::{
    Dashboard,
    error::Result,
    session::Viewer,
    ui::{
        chart::{self, Column, Series},
        list::Query,
        parts, text,
    },
};

/// An hour, in milliseconds.
pub const HOUR_MS: u64 = 3_600_000;

/// A minute, in milliseconds.
const MINUTE_MS: u64 = 60_000;

/// Reasons of failures that the overview shows.
const REASONS_SHOWN: usize = 6;

/// Types of tasks that the overview shows the queues of.
const QUEUES_SHOWN: usize = 8;

/// How far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    Hour,
    Day,
    Week,
}

impl Range {
    const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// What a query asks for.
    pub fn of(query: &Query) -> Self {
        Self::ALL
            .into_iter()
            .find(|range| query.text("range") == Some(range.word()))
            .unwrap_or(Self::Hour)
    }

    /// A path that asks for it.
    pub fn on(self, path: &str) -> String {
        match self {
            Self::Hour => path.to_owned(),
            Self::Day | Self::Week => Query::default().with("range", self.word()).on(path),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    /// How far back, and how long one step is: 60 to 100 steps, as many as a chart shows.
    fn ms(self) -> (u64, u64) {
        match self {
            Self::Hour => (HOUR_MS, MINUTE_MS),
            Self::Day => (24 * HOUR_MS, 15 * MINUTE_MS),
            Self::Week => (7 * 24 * HOUR_MS, 2 * HOUR_MS),
        }
    }

    /// A moment as short as its place in this range allows, in UTC.
    fn label(self, at: Timestamp) -> String {
        let iso = at.to_string();
        let part = match self {
            Self::Hour | Self::Day => iso.get(11..16),
            Self::Week => iso.get(5..16),
        };
        part.unwrap_or(&iso).replace('T', " ")
    }
}

/// What the store tells.
pub struct Past {
    points: Vec<(Timestamp, Option<Point>)>,
    /// What happened within the last hour.
    pub hour: Activity,
    queues: Vec<Queue>,
    reasons: Vec<ErrorGroup>,
}

/// Looks back; nothing for who may not see how the server does.
pub async fn look(dashboard: &Dashboard, viewer: &Viewer, range: Range) -> Result<Option<Past>> {
    if !viewer.may(Permission::SystemHealth) || !viewer.may(Permission::TaskRead) {
        return Ok(None);
    }
    let (history, scope) = (&dashboard.control.history, &viewer.scope);
    let (back, step) = range.ms();
    let mut found = history.points(scope, back, step).await?;
    let present = history.present(scope).await?;
    let mut hour = present.clone();
    let last = if range == Range::Hour {
        found.clone()
    } else {
        history.points(scope, HOUR_MS, MINUTE_MS).await?
    };
    for point in &last {
        hour.absorb(&point.activity);
    }
    let totals = dashboard.control.tasks.totals(scope).await?;
    add_present(&mut found, present, &totals, viewer.now, step);
    let mut queues = history.queues(scope).await?;
    // What has waited longest is what somebody should look at.
    queues.sort_by_key(|queue| (queue.oldest.is_none(), queue.oldest));
    Ok(Some(Past {
        points: steps(found, viewer.now, back, step),
        hour,
        queues,
        reasons: history.errors(scope, HOUR_MS).await?,
    }))
}

/// Puts what happens this minute at the end, so that nobody waits for a sample to see it.
fn add_present(
    found: &mut Vec<Point>,
    present: Activity,
    totals: &Totals,
    now: Timestamp,
    step: u64,
) {
    let ms = u64::try_from(now.as_ms()).unwrap_or(0);
    let at = Timestamp::from_ms(i64::try_from(ms - ms % step).unwrap_or(0));
    match found.last_mut() {
        Some(last) if last.at == at => {
            last.tasks = totals.tasks;
            last.activity.absorb(&present);
        }
        _ => found.push(Point {
            at,
            minutes: 1,
            tasks: totals.tasks,
            ready: totals.ready,
            agents: [0; 5],
            oldest_waiting_ms: None,
            activity: present,
        }),
    }
}

/// Every step of the range, those without a sample too, so that a gap is seen as one.
fn steps(
    found: Vec<Point>,
    now: Timestamp,
    back: u64,
    step: u64,
) -> Vec<(Timestamp, Option<Point>)> {
    let mut found = found.into_iter().peekable();
    let end = u64::try_from(now.as_ms()).unwrap_or(0) / step;
    let begin = end.saturating_sub(back / step).saturating_add(1);
    (begin..=end)
        .map(|number| {
            let at = Timestamp::from_ms(i64::try_from(number * step).unwrap_or(i64::MAX));
            while found.next_if(|point| point.at < at).is_some() {}
            (at, found.next_if(|point| point.at == at))
        })
        .collect()
}

/// The charts, and the same as a table.
pub fn charts(past: &Past, range: Range) -> Markup {
    let at_status = |point: &Point, wanted: &[Status]| -> u64 {
        Status::ALL
            .iter()
            .zip(point.tasks)
            .filter(|(status, _)| wanted.contains(status))
            .map(|(_, count)| count)
            .sum()
    };
    let throughput: Vec<Column> = past
        .points
        .iter()
        .map(|(at, point)| Column {
            label: range.label(*at),
            values: point.as_ref().map_or(vec![0; 3], |point| {
                let happened = &point.activity;
                vec![happened.completed, happened.retried, happened.failed]
            }),
        })
        .collect();
    let latency: Vec<(String, Vec<Option<u64>>)> = past
        .points
        .iter()
        .map(|(at, point)| {
            let happened = point.as_ref().map(|point| &point.activity);
            let of = |per_cent| happened.and_then(|happened| happened.run.percentile(per_cent));
            let wait = happened.and_then(|happened| happened.wait.percentile(95));
            (range.label(*at), vec![of(50), of(95), wait])
        })
        .collect();
    let depth: Vec<(String, Vec<Option<u64>>)> = past
        .points
        .iter()
        .map(|(at, point)| {
            let of = |wanted: &[Status]| point.as_ref().map(|point| at_status(point, wanted));
            let waiting = of(&[Status::Pending, Status::Retry]);
            let running = of(&[Status::Assigned, Status::Running]);
            (range.label(*at), vec![waiting, running])
        })
        .collect();
    let ends = [
        Series {
            word: "completed",
            tone: "t-good",
        },
        Series {
            word: "retried",
            tone: "t-warn",
        },
        Series {
            word: "failed",
            tone: "t-bad",
        },
    ];
    let times = [
        Series {
            word: "run p50",
            tone: "t-assigned",
        },
        Series {
            word: "run p95",
            tone: "t-running",
        },
        Series {
            word: "wait p95",
            tone: "t-warn",
        },
    ];
    let stands = [
        Series {
            word: "waiting",
            tone: "t-pending",
        },
        Series {
            word: "running",
            tone: "t-running",
        },
    ];
    html! {
        section.card aria-labelledby="history" {
            (parts::section("history", "Throughput and latency", html! {
                span.ranges role="group" aria-label="How far back" {
                    @for each in Range::ALL { a.button.small href=(each.on("/")) aria-current=[(each == range).then_some("true")] { (each.word()) } }
                }
            }))
            div.charts {
                div { h3 { "Tasks ended, " (step_words(range)) } (chart::columns("Tasks completed, retried and failed over time", &ends, &throughput)) }
                div { h3 { "How long they took" } (chart::lines("How long tasks ran and waited over time", &times, &latency, text::duration)) }
                div { h3 { "Queue depth" } (chart::lines("Tasks waiting and running over time", &stands, &depth, text::count)) }
            }
            details.twin { summary { "As a table" } (table(past, range)) }
        }
    }
}

fn step_words(range: Range) -> &'static str {
    match range {
        Range::Hour => "each minute",
        Range::Day => "each quarter of an hour",
        Range::Week => "every two hours",
    }
}

fn table(past: &Past, range: Range) -> Markup {
    let time = |ms: Option<u64>| html! { td.number { @if let Some(ms) = ms { (text::duration(ms)) } @else { (parts::none("nothing ended")) } } };
    html! {
        div.scroll tabindex="0" role="region" aria-label="History as a table" { table {
            thead { tr { th scope="col" { "From (UTC)" } th.number scope="col" { "Created" } th.number scope="col" { "Completed" } th.number scope="col" { "Retried" } th.number scope="col" { "Failed" } th.number scope="col" { "Run p50" } th.number scope="col" { "Run p95" } th.number scope="col" { "Wait p95" } th.number scope="col" { "Oldest waiting" } } }
            tbody { @for (at, point) in past.points.iter().rev() { @if let Some(point) = point {
                @let happened = &point.activity;
                tr {
                    td { (range.label(*at)) }
                    td.number { (text::count(happened.created)) } td.number { (text::count(happened.completed)) }
                    td.number { (text::count(happened.retried)) } td.number { (text::count(happened.failed)) }
                    (time(happened.run.percentile(50))) (time(happened.run.percentile(95))) (time(happened.wait.percentile(95))) (time(point.oldest_waiting_ms))
                }
            } } }
        } }
    }
}

/// What waits, by type; what has waited longest first.
pub fn queues(past: &Past, now: Timestamp) -> Markup {
    html! {
        section.card aria-labelledby="queues" {
            (parts::section("queues", "Queues by type", html! { a href="/tasks?status=pending" { "All that waits" } }))
            @if past.queues.is_empty() { (parts::empty("Nothing waits and nothing runs", html! { "Types show here while they have tasks." })) }
            @else {
                div.scroll tabindex="0" role="region" aria-label="Table of queues" { table.queues {
                    thead { tr { th scope="col" { "Type" } th.number scope="col" { "Waiting" } th.number scope="col" { "Running" } th.number scope="col" { "Oldest waits" } } }
                    tbody { @for queue in past.queues.iter().take(QUEUES_SHOWN) { tr {
                        td { a href=(of_type(queue).with("status", "pending").on("/tasks")) { (queue.task_type) } }
                        td.number { (text::count(queue.waiting)) }
                        td.number { a href=(of_type(queue).with("status", "assigned").with("status", "running").on("/tasks")) { (text::count(queue.running)) } }
                        td.number { @if let Some(oldest) = queue.oldest { (parts::since(oldest, now)) } @else { (parts::none("nothing waits")) } }
                    } } }
                } }
                @if past.queues.len() > QUEUES_SHOWN { p.muted { "and " (past.queues.len() - QUEUES_SHOWN) " more types" } }
            }
        }
    }
}

fn of_type(queue: &Queue) -> Query {
    Query::default().with("type", queue.task_type.as_str())
}

/// Why tasks failed, the same reasons together.
pub fn reasons(past: &Past, now: Timestamp) -> Markup {
    html! {
        section.card aria-labelledby="reasons" {
            (parts::section("reasons", "Why tasks failed, last hour", html! { a href="/tasks?status=failed" { "All failures" } }))
            @if past.reasons.is_empty() { (parts::empty("No failure", html! { "The same reasons are counted together here." })) }
            @else {
                div.scroll tabindex="0" role="region" aria-label="Table of reasons" { table {
                    thead { tr { th.number scope="col" { "Times" } th scope="col" { "Reason" } th scope="col" { "Newest" } } }
                    tbody { @for group in past.reasons.iter().take(REASONS_SHOWN) { tr {
                        td.number { (text::count(group.count)) }
                        td { span.error-line { (text::short(&group.message, 120)) } div.under { (group.task_type) " · " (group.kind.as_str()) } }
                        td { (parts::link("/tasks", group.last_task.as_str())) div.under { (parts::age(group.last_at, now)) } }
                    } } }
                } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: i64) -> Point {
        Point {
            at: Timestamp::from_ms(at),
            minutes: 1,
            tasks: [0; 7],
            ready: 0,
            agents: [0; 5],
            oldest_waiting_ms: None,
            activity: Activity::default(),
        }
    }

    #[test]
    fn minutes_without_a_sample_are_gaps_and_not_left_out() {
        let now = Timestamp::from_ms(10 * 60_000 + 5);
        let steps = steps(
            vec![point(7 * 60_000), point(9 * 60_000)],
            now,
            4 * MINUTE_MS,
            MINUTE_MS,
        );
        let there: Vec<(i64, bool)> = steps
            .iter()
            .map(|(at, point)| (at.as_ms() / 60_000, point.is_some()))
            .collect();
        assert_eq!(there, [(7, true), (8, false), (9, true), (10, false)]);
    }

    #[test]
    fn a_range_is_read_and_written() {
        for range in Range::ALL {
            let path = range.on("/");
            let query = Query::read(path.split_once('?').map(|(_, query)| query));
            assert_eq!(Range::of(&query), range);
            let (back, step) = range.ms();
            assert!((60..=100).contains(&(back / step)));
        }
    }
}
