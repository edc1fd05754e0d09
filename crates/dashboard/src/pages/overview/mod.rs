//! The overview: health first, then figures that lead to their lists, what waits longest, and what runs.

mod health;
mod unoffered;

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use maud::{Markup, html};
use mcpanel_control::{AgentView, PipelineView};
use mcpanel_domain::{
    Timestamp,
    agent::Status as AgentStatus,
    pipeline::Status as PipelineStatus,
    sample::Activity,
    task::{Status as TaskStatus, Task},
};
use mcpanel_guard::Permission;
use mcpanel_store::query::{Page as Slice, PipelineFilter, TaskFilter, Totals};

use super::{agents, history, pipelines};
use crate::{
    Dashboard,
    error::Result,
    session::Viewer,
    ui::{
        layout::{self, Page, Section},
        list::Query,
        parts, status, text,
    },
};

/// Pipelines and failed tasks that the overview shows.
const SHOWN: usize = 6;

/// What the page tells.
struct Picture {
    health: health::Parts,
    totals: Totals,
    agents: Option<Vec<AgentView>>,
    running: Vec<PipelineView>,
    failed: Vec<Arc<Task>>,
}

/// Shows the overview.
pub async fn show(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Markup> {
    let query = Query::read(query.as_deref());
    let window = history::Window::of(&query, viewer.now);
    let picture = look(&dashboard, &viewer).await?;
    let follows = "topic=tasks&topic=agents&topic=pipelines";
    let past = history::look(&dashboard, &viewer, &window).await?;
    let unoffered = match (&past, &picture.agents) {
        (Some(past), Some(agents)) if viewer.may(Permission::TaskRead) => {
            unoffered::find(&dashboard, &viewer, &past.queues, agents).await?
        }
        _ => Vec::new(),
    };
    let here = window.on("/");
    Ok(layout::page(
        &viewer,
        &Page {
            title: "Overview",
            section: Section::Overview,
            follows: Some(follows.to_owned()),
            body: html! {
                div.page-head { h1 { "Overview" } }
                div #overview data-live="tasks agents pipelines tick" hx-get=(here) hx-trigger="live" hx-select="#overview" hx-swap="outerMorph" {
                    (health::strip(&dashboard, &viewer, &picture))
                    @if viewer.may(Permission::TaskRead) { (tiles(&picture, past.as_ref().map(|past| &past.hour), viewer.now)) }
                    @if let Some(past) = &past { (history::charts(past, &window, viewer.now)) }
                    div.columns {
                        @if viewer.may(Permission::PipelineRead) { (in_flight(&viewer, &picture.running)) }
                        @if let Some(found) = &picture.agents { (agents_card(found, viewer.now)) }
                    }
                    div.columns {
                        @if let Some(past) = &past { (history::queues(past, &unoffered, viewer.now)) }
                        @if let Some(past) = &past { (history::reasons(past, viewer.now)) }
                    }
                    @if viewer.may(Permission::TaskRead) { (failures(&viewer, &picture.failed)) }
                }
            },
        },
    ))
}

async fn look(dashboard: &Dashboard, viewer: &Viewer) -> Result<Picture> {
    let (control, scope) = (&dashboard.control, &viewer.scope);
    let slice = Slice::first(SHOWN);
    let running = if viewer.may(Permission::PipelineRead) {
        let filter = PipelineFilter {
            statuses: vec![PipelineStatus::Running],
            ..PipelineFilter::default()
        };
        control.pipelines.list(scope, &filter, &slice).await?.items
    } else {
        Vec::new()
    };
    let (totals, failed) = if viewer.may(Permission::TaskRead) {
        let filter = TaskFilter {
            statuses: vec![TaskStatus::Failed],
            ..TaskFilter::default()
        };
        let failed = control.tasks.list(scope, &filter, &slice).await?;
        (
            control.tasks.totals(scope).await?,
            failed.items.into_iter().map(|view| view.task).collect(),
        )
    } else {
        (Totals::default(), Vec::new())
    };
    let agents = if viewer.may(Permission::AgentRead) {
        Some(control.agents.list(scope).await?)
    } else {
        None
    };
    Ok(Picture {
        health: health::look(dashboard).await,
        totals,
        agents,
        running,
        failed,
    })
}

fn tiles(picture: &Picture, hour: Option<&Activity>, now: Timestamp) -> Markup {
    let count = |status: TaskStatus| {
        TaskStatus::ALL
            .iter()
            .position(|each| *each == status)
            .map_or(0, |at| picture.totals.tasks[at])
    };
    let figure = |number: u64| html! { (text::count(number)) };
    let running = count(TaskStatus::Running) + count(TaskStatus::Assigned);
    let agents = picture.agents.as_deref().unwrap_or_default();
    let online = agents
        .iter()
        .filter(|view| view.status != AgentStatus::Inactive)
        .count();
    html! {
        div.tiles {
            (parts::tile("Queued", figure(count(TaskStatus::Pending)), due(picture.totals.ready, count(TaskStatus::Pending)), "/tasks?status=pending", "t-pending"))
            (parts::tile("Running", figure(running), html! { (text::count(count(TaskStatus::Assigned))) " just handed out" }, "/tasks?status=running&status=assigned", "t-running"))
            (parts::tile("Retrying", figure(count(TaskStatus::Retry)), html! { "waiting for another try" }, "/tasks?status=retry", "t-warn"))
            @if let Some(hour) = hour {
                (parts::tile("Failures, last hour", figure(hour.failed), html! { (text::count(count(TaskStatus::Failed))) " failed now" }, &lately("failed", now), "t-bad"))
                (parts::tile("Done, last hour", figure(hour.completed), html! { (text::count(count(TaskStatus::Completed))) " completed now" }, &lately("completed", now), "t-good"))
            } @else {
                (parts::tile("Failed", figure(count(TaskStatus::Failed)), html! { (text::count(count(TaskStatus::Cancelled))) " cancelled" }, "/tasks?status=failed", "t-bad"))
                (parts::tile("Done", figure(count(TaskStatus::Completed)), html! { "completed" }, "/tasks?status=completed", "t-good"))
            }
            @if picture.agents.is_some() {
                (parts::tile("Agents", html! { (online) span.of { " of " (agents.len()) } }, html! { "heard lately" }, "/agents", "t-assigned"))
            }
        }
    }
}

/// The tasks that ended so within the last hour.
fn lately(status: &str, now: Timestamp) -> String {
    let from = now.minus_ms(history::HOUR_MS).to_string();
    Query::default()
        .with("status", status)
        .with("ended", &from)
        .on("/tasks")
}

fn in_flight(viewer: &Viewer, running: &[PipelineView]) -> Markup {
    html! {
        section.card aria-labelledby="in-flight" {
            (parts::section("in-flight", "Pipelines in flight", html! { a href="/pipelines" { "All pipelines" } }))
            @if running.is_empty() {
                (parts::empty("Nothing runs", html! {
                    @if viewer.may(Permission::PipelineCreate) { a href="/pipelines/new" { "Start a pipeline" } " from a template and a file." }
                    @else { "Pipelines show here while they run." }
                }))
            } @else {
                ul.flights {
                    @for view in running {
                        li {
                            div.flight-head {
                                a href={ "/pipelines/" (view.pipeline.id) } { (text::short(&view.pipeline.name, 60)) }
                                span.number { (format!("{:.0}", view.pipeline.progress(&view.facts))) " %" }
                            }
                            (pipelines::segments(view))
                            @if let Some(at) = view.pipeline.started_at { p.muted { "for " (parts::since(at, viewer.now)) } }
                        }
                    }
                }
            }
        }
    }
}

/// Agents that are there before those that are silent.
fn there_first(found: &[AgentView]) -> impl Iterator<Item = &AgentView> {
    let is_silent = |view: &&AgentView| view.status == AgentStatus::Inactive;
    let there = found.iter().filter(move |view| !is_silent(view));
    there.chain(found.iter().filter(is_silent))
}

/// How much can be handed out: of what waits, and of what waits to be tried again.
fn due(ready: u64, pending: u64) -> Markup {
    html! {
        @if ready > pending { (text::count(ready)) " ready, retries too" }
        @else { (text::count(ready)) " ready to be handed out" }
    }
}

fn agents_card(found: &[AgentView], now: Timestamp) -> Markup {
    let slots: u64 = found
        .iter()
        .filter(|view| view.status != AgentStatus::Inactive)
        .map(|view| u64::from(view.agent.concurrency))
        .sum();
    let used: u64 = found.iter().map(|view| view.leases.len() as u64).sum();
    html! {
        section.card aria-labelledby="agents" {
            (parts::section("agents", "Agents", html! { a href="/agents" { "All agents" } }))
            @if found.is_empty() {
                (parts::empty("No agent is signed on", html! { "An agent signs on with its first call to " code { "POST /api/v1/agents/register" } "." }))
            } @else {
                ul.by-status {
                    @for each in AgentStatus::ALL {
                        @let count = found.iter().filter(|view| view.status == each).count();
                        @if count > 0 { li { (status::agent(each)) span.number { (count) } } }
                    }
                }
                p.muted { (used) " of " (text::counted(slots, "slot")) " in use" }
                (parts::bar(text::percent(used, slots), &format!("{used} of {slots} slots in use"), "t-running"))
                ul.agents-short {
                    @for view in there_first(found).take(SHOWN) {
                        li {
                            a href={ "/agents/" (view.agent.id) } { (text::short(&view.agent.name, 40)) }
                            (agents::slots(view))
                            (parts::age(view.agent.session.last_heartbeat, now))
                        }
                    }
                }
            }
        }
    }
}

fn failures(viewer: &Viewer, failed: &[Arc<Task>]) -> Markup {
    html! {
        @if !failed.is_empty() {
            section.card aria-labelledby="failures" {
                (parts::section("failures", "Newest failures", html! { a href="/tasks?status=failed" { "All failures" } }))
                ul.failures {
                    @for task in failed {
                        li {
                            a href={ "/tasks/" (task.id) } { (text::middle(task.id.as_str())) }
                            span.chip { (task.task_type) }
                            span.error-line { (task.error.as_ref().map_or("no reason was given".to_owned(), |error| text::short(&error.message, 140))) }
                            (parts::age(task.completed_at.unwrap_or(task.updated_at), viewer.now))
                        }
                    }
                }
            }
        }
    }
}
