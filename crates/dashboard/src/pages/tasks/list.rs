//! The list of tasks.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
};
use maud::{Markup, html};
use mcpanel_domain::task::{Filter, Search, Status, Task};
use mcpanel_guard::Permission;
use mcpanel_store::query::{Page as Slice, Position};

use super::filter;
use crate::{
    Dashboard,
    error::Result,
    limits::NEW_ROWS_COUNTED_MAX,
    session::Viewer,
    ui::{
        command,
        filter::{ignored, is_empty, unknown},
        layout::{self, Page, Section},
        list::{Query, pager, write_position},
        parts::{self, RowAction, hidden},
        status, text,
    },
    views::{List, Views},
};

/// Shows a page of tasks.
pub async fn list(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Markup> {
    let query = Query::read(query.as_deref());
    let views = Views::of(List::Tasks, &viewer, &headers);
    let mut asked = filter::read(&query);
    asked.faults.extend(unknown(&query, &filter::NAMES));
    let slice = query.page();
    let listing = dashboard
        .control
        .tasks
        .search_heads(&viewer.scope, &asked.search, &slice)
        .await?;
    let tasks: Vec<Arc<Task>> = listing.items;
    let newer = newer(&dashboard, &viewer, &query, &asked.search).await?;
    let counted = counted(&dashboard, &viewer, &asked.search).await?;
    let filter = &asked.search.filter;
    let plain = query.without(&["from_row"]);
    let anchor = tasks.first().map(|task| position(task));
    // Only a first page has a beginning that can stay: later ones begin where their cursor says.
    let refresh = match (&anchor, query.text("after").or(query.text("from_row"))) {
        (Some(first), None) => plain.clone().with("from_row", &write_position(first)),
        _ => query.clone(),
    };
    Ok(layout::page(
        &viewer,
        &Page {
            title: title(filter),
            section: Section::Tasks,
            follows: Some("topic=tasks".to_owned()),
            body: html! {
                div.page-head { h1 { (title(filter)) @if let Some(counted) = &counted { span.h1-kind { (counted) } } } }
                (views.draw(&viewer, &query))
                (filter::bar(&query))
                (ignored(&asked.faults))
                @if viewer.may(Permission::TaskManage) && asked.faults.is_empty() && !asked.search.is_empty() { (bulk(&asked.search)) }
                div #rows data-live="tasks" data-hold hx-get=(refresh.on("/tasks")) hx-trigger="live" hx-select="#rows" hx-swap="outerMorph" {
                    @if newer > 0 {
                        p.newer role="status" data-newer=(newer) { a href=(plain.without(&["after"]).on("/tasks")) {
                            @if newer >= NEW_ROWS_COUNTED_MAX { "More than " (NEW_ROWS_COUNTED_MAX - 1) " new" } @else { (newer) " new" }
                            " – show" } }
                    }
                    @if tasks.is_empty() && listing.next.is_some() {
                        (parts::empty("No task fits so far", html! { "The search looked for a moment and is not through." }))
                        (pager("/tasks", &query, listing.next.as_ref()))
                    } @else if tasks.is_empty() {
                        (parts::empty("No task fits", html! {
                            @if is_empty(&query, &filter::NAMES) { "Tasks show here as soon as somebody creates one: " code { "mcpanel tasks submit" } " or " code { "POST /api/v1/tasks" } "." }
                            @else { a href="/tasks" { "Clear the filter" } " or look at " a href="/tasks?status=failed" { "what failed" } "." }
                        }))
                    } @else {
                        (table(&viewer, &tasks))
                        (pager("/tasks", &query, listing.next.as_ref()))
                    }
                }
                (command::TASKS.draw(&query))
            },
        },
    ))
}

fn title(filter: &Filter) -> &'static str {
    match filter.statuses.as_slice() {
        [Status::Failed] => "Failed tasks",
        [Status::Pending] => "Waiting tasks",
        [Status::Running]
        | [Status::Assigned, Status::Running]
        | [Status::Running, Status::Assigned] => "Running tasks",
        [Status::Retry] => "Retrying tasks",
        [Status::Completed] => "Completed tasks",
        [Status::Cancelled] => "Cancelled tasks",
        _ => "Tasks",
    }
}

/// How many there are, where that is known without looking at each.
async fn counted(
    dashboard: &Dashboard,
    viewer: &Viewer,
    search: &Search,
) -> Result<Option<String>> {
    if search.text.is_some() || !search.filter.names_statuses_only() {
        return Ok(None);
    }
    let totals = dashboard.control.tasks.totals(&viewer.scope).await?;
    Ok(Some(text::count(totals.of(&search.filter.statuses))))
}

/// What can be done to everything that the filter finds.
fn bulk(search: &Search) -> Markup {
    let query = filter::write(search);
    html! {
        div.bulk {
            span { "Everything that this filter finds:" }
            span.actions {
                a.button.small href=(query.clone().with("kind", "retry").on("/operations/new")) { "Retry all…" }
                a.button.small.danger href=(query.with("kind", "cancel").on("/operations/new")) { "Cancel all…" }
            }
        }
    }
}

/// Where a task stands in the list.
fn position(task: &Task) -> Position {
    Position {
        created_at: task.created_at,
        id: task.id.to_string(),
    }
}

/// How many tasks came since the list was opened.
async fn newer(
    dashboard: &Dashboard,
    viewer: &Viewer,
    query: &Query,
    search: &Search,
) -> Result<usize> {
    if query.text("from_row").is_none() {
        return Ok(0);
    }
    let Some(anchor) = query.page().after else {
        return Ok(0);
    };
    let mut search = search.clone();
    let from = &mut search.filter.created_from;
    *from = Some(anchor.created_at.max(from.unwrap_or_default()));
    let slice = Slice::first(NEW_ROWS_COUNTED_MAX);
    let tasks = &dashboard.control.tasks;
    let found = tasks.search_heads(&viewer.scope, &search, &slice).await?;
    Ok(found
        .items
        .iter()
        .filter(|task| position(task) > anchor)
        .count())
}

/// A table of tasks. Who may change them can choose rows, and has a button in each for what is possible with it.
pub fn table(viewer: &Viewer, tasks: &[Arc<Task>]) -> Markup {
    let may = viewer.may(Permission::TaskManage);
    html! {
        @if may {
            form method="post" action="/tasks" data-choose {
                (hidden(viewer))
                div.chosen {
                    span data-chosen aria-live="polite" {}
                    button.button.small type="submit" name="do" value="retry" { "Retry chosen" }
                    button.button.small.danger type="submit" name="do" value="cancel" data-ask-click="Cancel the chosen tasks?" { "Cancel chosen" }
                }
                (plain(viewer, tasks, may))
            }
        } @else { (plain(viewer, tasks, may)) }
    }
}

fn plain(viewer: &Viewer, tasks: &[Arc<Task>], may: bool) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Tasks" {
            table.cards data-rows {
                thead { tr {
                    @if may { th.choose scope="col" { input type="checkbox" data-choose-all aria-label="Choose all rows"; } }
                    th scope="col" { "Status" } th scope="col" { "Task" } th scope="col" { "Pipeline" } th scope="col" { "Agent" }
                    th scope="col" { "Progress" } th.number scope="col" { "Attempt" } th scope="col" { "Took" } th scope="col" { "Created" }
                    @if may { th { span.visually-hidden { "Actions" } } }
                } }
                tbody { @for task in tasks { (row(viewer, task)) } }
            }
        }
    }
}

/// One row of such a table.
pub fn row(viewer: &Viewer, task: &Task) -> Markup {
    let may = viewer.may(Permission::TaskManage);
    html! {
        tr id={ "row-" (task.id) } {
            @if may { td.choose { input type="checkbox" name="id" value=(task.id) aria-label={ "Choose " (task.id) }; } }
            td { (status::task(task.status())) @if task.cancel_requested.is_some() { div.under { "asked to stop" } } }
            td {
                a.row-link.short href={ "/tasks/" (task.id) } title=(task.id) { (text::middle(task.id.as_str())) }
                div.under { (task.task_type) }
                @if let Some(error) = &task.error { div.error-line title=(text::short(&error.message, 400)) { (text::short(&error.message, 90)) }
                    div.under { a href={ "/tasks/" (task.id) "?level=error#log" } { "Warnings and errors" span.visually-hidden { " of " (task.id) } } }
                }
            }
            td data-label="Pipeline" { @if let Some(place) = &task.place { (parts::link("/pipelines", place.pipeline_id.as_str())) div.under { "stage " (place.stage) } } @else { (parts::none("none")) } }
            td data-label="Agent" { @if let Some(agent) = task.last_agent().or(task.target.as_ref()) { (parts::link("/agents", agent.as_str())) } @else { (parts::none("no agent yet")) } }
            td data-label="Progress" { (progress(task)) }
            td.number data-label="Attempt" { (task.attempt) @if task.retry_count > 0 { div.under { (task.retry_count) "/" (task.retry.max_retries) " retries" } } }
            td data-label="Took" { (took(viewer, task)) }
            td data-label="Created" { (parts::age(task.created_at, viewer.now)) }
            @if may { td.actions { (row_actions(task)) } }
        }
    }
}

fn row_actions(task: &Task) -> Markup {
    let of = task.id.as_str();
    html! {
        @if can_retry(task) {
            (RowAction { path: format!("/tasks/{of}/retry"), word: "Retry", of, key: 'R', ask: None, field: None }.draw())
        }
        @if can_cancel(task) {
            (RowAction { path: format!("/tasks/{of}/cancel"), word: "Cancel", of, key: 'C', ask: Some(ASK_CANCEL), field: None }.draw())
        }
    }
}

/// What is asked before a task is cancelled.
pub const ASK_CANCEL: &str = "Cancel this task? What its agent did so far is lost.";

/// Whether somebody can put it back in the queue.
pub fn can_retry(task: &Task) -> bool {
    matches!(
        task.status(),
        Status::Failed | Status::Cancelled | Status::Retry
    ) || task.cancel_requested.is_some()
}

/// What the button for that says.
pub fn retry_word(task: &Task) -> &'static str {
    match task.status() {
        Status::Retry => "Retry now",
        _ => "Retry",
    }
}

/// Whether somebody can stop it.
pub fn can_cancel(task: &Task) -> bool {
    !task.status().is_terminal() && task.cancel_requested.is_none()
}

/// How far a task is.
pub fn progress(task: &Task) -> Markup {
    let percent = if task.status() == Status::Completed {
        100.0
    } else {
        task.progress.percent
    };
    let label = format!("{percent:.0} %");
    html! { span.progress { (parts::bar(percent, &label, status::tone(task.status().as_str()))) span.number { (label) } } }
}

/// How long it ran, or has been running.
pub fn took(viewer: &Viewer, task: &Task) -> Markup {
    html! {
        @match (task.started_at, task.completed_at) {
            (Some(from), Some(to)) => { (text::duration(to.ms_since(from))) },
            (Some(from), None) if task.lease().is_some() => { (parts::since(from, viewer.now)) },
            _ => { (parts::none("has not run")) },
        }
    }
}
