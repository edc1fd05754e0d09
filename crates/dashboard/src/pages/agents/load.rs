//! How loaded an agent was: slots in use and what became of its attempts, over time. It is worked out from the tasks
//! themselves, which tell who held them from when to when, so that there is nothing that could disagree with them.

use std::{collections::HashSet, sync::Arc};

use maud::{Markup, html};
use mcpanel_domain::{
    Timestamp,
    agent::Agent,
    task::{Attempt, Outcome, Search, Status, Task},
};
use mcpanel_store::query::{Page as Slice, TaskFilter};

use crate::{
    Dashboard,
    error::Result,
    limits::{LOAD_AGE_MS_MAX, LOAD_TASKS_MAX},
    pages::history::Window,
    session::Viewer,
    ui::{
        chart::{Chart, Series, Shape, Step},
        parts, text,
    },
};

/// Tasks of one read.
const READ: usize = 500;

/// Slots are told in tenths, because half a minute's work of a minute is half a slot.
const TENTHS: u64 = 10;

const SLOTS: [Series<'static>; 1] = [Series {
    word: "slots in use",
    tone: "t-running",
}];

const ENDS: [Series<'static>; 3] = [
    Series {
        word: "completed",
        tone: "t-good",
    },
    Series {
        word: "failed or lost",
        tone: "t-bad",
    },
    Series {
        word: "given back or cancelled",
        tone: "t-off",
    },
];

/// What an agent did.
pub struct Load {
    tasks: Vec<Arc<Task>>,
    /// When the oldest task was created that was looked at; none when all were. What ran before is told in part.
    whole_from: Option<Timestamp>,
}

/// Reads the tasks that an agent had in hand within a window: those that it holds, those that wait to be tried again, and those that
/// ended; of each the newest [`LOAD_TASKS_MAX`].
pub async fn look(
    dashboard: &Dashboard,
    viewer: &Viewer,
    agent: &Agent,
    window: &Window,
) -> Result<Load> {
    let age = i64::try_from(LOAD_AGE_MS_MAX).unwrap_or(i64::MAX);
    let created_from = Timestamp::from_ms(window.from.as_ms().saturating_sub(age));
    let of_agent = || TaskFilter {
        agent_id: Some(agent.id.clone()),
        created_from: Some(created_from),
        ..TaskFilter::default()
    };
    let held = TaskFilter {
        held_by: Some(agent.id.clone()),
        ..TaskFilter::default()
    };
    let waiting = TaskFilter {
        statuses: vec![Status::Pending, Status::Retry],
        ..of_agent()
    };
    let ended = TaskFilter {
        ended_from: Some(window.from),
        ..of_agent()
    };
    let mut tasks = Vec::new();
    let mut whole_from = None;
    for filter in [held, waiting, ended] {
        let (found, whole) = read(dashboard, viewer, filter).await?;
        if !whole {
            whole_from = whole_from.max(found.last().map(|oldest| oldest.created_at));
        }
        tasks.extend(found);
    }
    // A task that went on between two reads was found by both.
    let mut known = HashSet::new();
    tasks.retain(|task| known.insert(task.id.clone()));
    Ok(Load { tasks, whole_from })
}

/// The newest tasks that a filter finds, and whether these are all.
async fn read(
    dashboard: &Dashboard,
    viewer: &Viewer,
    filter: TaskFilter,
) -> Result<(Vec<Arc<Task>>, bool)> {
    let search = Search { filter, text: None };
    let mut found = Vec::new();
    let mut slice = Slice::first(READ);
    while found.len() < LOAD_TASKS_MAX {
        let tasks = &dashboard.control.tasks;
        let listing = tasks.search_heads(&viewer.scope, &search, &slice).await?;
        found.extend(listing.items);
        match listing.next {
            Some(next) => slice.after = Some(next),
            None => return Ok((found, true)),
        }
    }
    Ok((found, false))
}

/// How much of a step an attempt took, in milliseconds.
fn overlap(attempt: &Attempt, from: Timestamp, to: Timestamp) -> u64 {
    let begin = attempt.assigned_at.max(from);
    let end = attempt.ended_at.unwrap_or(to).min(to);
    end.ms_since(begin)
}

impl Load {
    /// The attempts of an agent.
    fn attempts<'l>(&'l self, agent: &'l Agent) -> impl Iterator<Item = &'l Attempt> {
        let all = self.tasks.iter().flat_map(|task| &task.attempts);
        all.filter(|attempt| attempt.agent_id == agent.id)
    }

    /// Slots in use on average, in tenths.
    fn slots(&self, agent: &Agent, from: Timestamp, to: Timestamp) -> u64 {
        let taken: u64 = self
            .attempts(agent)
            .map(|attempt| overlap(attempt, from, to))
            .sum();
        (taken * TENTHS).div_ceil(to.ms_since(from).max(1))
    }

    /// Attempts that ended: done, failed or lost, given back or stopped.
    fn ends(&self, agent: &Agent, from: Timestamp, to: Timestamp) -> [u64; 3] {
        let mut counts = [0; 3];
        for attempt in self.attempts(agent) {
            if !attempt.ended_at.is_some_and(|at| (from..to).contains(&at)) {
                continue;
            }
            let place = match attempt.outcome {
                Some(Outcome::Completed) => 0,
                Some(Outcome::Failed | Outcome::TimedOut | Outcome::LeaseLost) => 1,
                Some(Outcome::Released | Outcome::Cancelled) | None => 2,
            };
            counts[place] += 1;
        }
        counts
    }

    /// The charts.
    pub fn draw(&self, agent: &Agent, window: &Window, now: Timestamp) -> Markup {
        let known_from = self
            .whole_from
            .map_or(agent.registered_at, |from| from.max(agent.registered_at));
        let here = format!("/agents/{}", agent.id);
        let steps = |of: &dyn Fn(Timestamp, Timestamp) -> Vec<Option<u64>>, series: usize| {
            let step = |from: Timestamp| {
                let to = from.plus_ms(window.step_ms);
                let values = if to > known_from && from <= now {
                    of(from, to)
                } else {
                    vec![None; series]
                };
                Step {
                    at: from,
                    label: window.label(from),
                    values,
                }
            };
            window.steps().map(step).collect::<Vec<Step>>()
        };
        // Of a step that is not over, only what has passed of it can be full.
        let slots = steps(
            &|from, to| vec![Some(self.slots(agent, from, to.min(now)))],
            1,
        );
        let ends = steps(&|from, to| self.ends(agent, from, to).map(Some).to_vec(), 3);
        let chart = |title, shape, series, steps, write, at_least| {
            Chart {
                title,
                shape,
                series,
                steps,
                step_ms: window.step_ms,
                write,
                at_least,
            }
            .draw()
        };
        let limit = u64::from(agent.concurrency) * TENTHS;
        html! {
            section.card aria-labelledby="load" {
                (parts::section("load", "Load", window.picker(&here, now)))
                div.charts data-charts=(here) {
                    div { h3 { "Slots in use, of " (agent.concurrency) } (chart("Slots in use over time", Shape::Lines, &SLOTS, &slots, tenths, limit)) }
                    div { h3 { "Attempts ended, " (window.step_words()) } (chart("Attempts that ended over time", Shape::Columns, &ENDS, &ends, text::count, 0)) }
                }
                @if let Some(from) = self.whole_from.filter(|from| *from > window.from) {
                    p.hint { "From " (parts::time(from)) " on, by its newest " (text::count(LOAD_TASKS_MAX as u64)) " tasks: what older ones did then is not told." }
                }
            }
        }
    }
}

fn tenths(value: u64) -> String {
    format!("{}.{}", value / TENTHS, value % TENTHS)
}
