//! One task: what is wrong first, why it is where it is, its attempts over time, its log, and what can be done beside it.

use axum::{
    extract::{Path, State},
    http::Uri,
};
use maud::{Markup, html};
use mcpanel_control::{Explanation, TaskView};
use mcpanel_domain::task::{Status, Task, fingerprint};
use mcpanel_guard::Permission;

use super::{list, log, parse, timeline};
use crate::{
    Dashboard,
    error::Result,
    pages::people::People,
    session::Viewer,
    ui::{
        icon::Icon,
        layout::{self, Page, Section},
        list::Query,
        parts::{self, Action, hidden},
        payload, status, text,
    },
};

/// Dependencies that the page names.
const DEPENDENCIES_SHOWN: usize = 20;

/// Shows a task.
pub async fn show(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Markup> {
    let id = parse(&id)?;
    let view = dashboard.control.tasks.get(&viewer.scope, &id).await?;
    page(&dashboard, &viewer, view, false).await
}

/// The page, with the payloads or with their shape only.
pub async fn page(
    dashboard: &Dashboard,
    viewer: &Viewer,
    view: TaskView,
    revealed: bool,
) -> Result<Markup> {
    let task = &view.task;
    let id = &task.id;
    let people = People::among(dashboard, viewer, [&*task.created_by]).await?;
    let why = dashboard.control.tasks.explain(&viewer.scope, id).await?;
    let query = if revealed {
        Query::default()
    } else {
        let here: Option<Uri> = viewer.here.parse().ok();
        Query::read(here.as_ref().and_then(Uri::query))
    };
    let log = log::section(dashboard, viewer, id, &query).await?;
    let here = query.on(&format!("/tasks/{id}"));
    let log = html! {
        div #log-live data-live={ "task:" (id) " log:" (id) } hx-get=(here) hx-trigger="live" hx-select="#log-live" hx-swap="outerMorph" { (log) }
    };
    let is_log_alone = log::is_alone(&query);
    let title = match is_log_alone {
        true => format!("Log of {}", text::middle(id.as_str())),
        false => format!("Task {}", text::middle(id.as_str())),
    };
    Ok(layout::page(
        viewer,
        &Page {
            title: &title,
            section: Section::Tasks,
            follows: Some(format!("name=task:{id}&log={id}")),
            body: if is_log_alone {
                log::alone(task, &log)
            } else {
                html! {
                    div.page-head {
                        div {
                            h1 { (status_word(task)) span.h1-kind { (task.task_type) } }
                            p.sub { (parts::id(id.as_str())) }
                        }
                        @if viewer.may(Permission::TaskManage) { (actions(viewer, task)) }
                    }
                    div #task data-live={ "task:" (id) } hx-get=(here) hx-trigger="live" hx-select="#task" hx-swap="outerMorph" {
                        (standing(&why))
                        (errors(task))
                        (facts(viewer, task, &people))
                        (timeline::draw(viewer, task))
                    }
                    (payloads(viewer, &view, revealed))
                    (log)
                    (parts::elsewhere("tasks", id.as_str()))
                }
            },
        },
    ))
}

pub(super) fn status_word(task: &Task) -> Markup {
    html! { span #task-status data-live={ "task:" (task.id) } hx-get={ "/tasks/" (task.id) } hx-trigger="live" hx-select="#task-status" hx-swap="outerMorph" { (status::task(task.status())) } " " }
}

/// Why it is where it is, in one sentence and then in full.
fn standing(why: &Explanation) -> Markup {
    let task = &why.task;
    let word = task.status().as_str();
    // The error itself stands in the card below.
    let sentence = match task.status() {
        Status::Failed => format!(
            "Failed after {}; retry it to run it again",
            text::counted(u64::from(task.attempt), "attempt")
        ),
        Status::Cancelled => "Cancelled; retry it to run it again".to_owned(),
        Status::Pending
        | Status::Assigned
        | Status::Running
        | Status::Completed
        | Status::Retry => text::capital(&why.summary),
    };
    html! {
        section class={ "standing " (status::tone(word)) } aria-label="Why it is where it is" {
            p { (status::icon(word).draw()) (sentence) "." }
            @if why.blockers.len() > 1 {
                ul { @for blocker in &why.blockers { li { (mcpanel_control::describe_blocker(blocker)) } } }
            }
        }
    }
}

fn errors(task: &Task) -> Markup {
    html! {
        @if let (Some(error), false) = (&task.error, task.status() == Status::Completed) {
            section.card.error aria-labelledby="error" {
                (parts::section("error", "Error", html! { span.chip { (error.kind.as_str()) } a href=(similar(task, &error.message)) { "Similar failures" } }))
                pre.wrap tabindex="0" { (error.message) }
                @if let Some(details) = &error.details { details { summary { "Details" } (payload::whole(details, "Details of the error")) } }
            }
        }
    }
}

/// Tasks of the same type whose error says the same but for names and figures: its longest part without any.
fn similar(task: &Task, message: &str) -> String {
    let common = fingerprint(message);
    let part = common
        .split('#')
        .map(str::trim)
        .max_by_key(|part| part.chars().count())
        .unwrap_or_default();
    Query::default()
        .with("status", "failed")
        .with("type", task.task_type.as_str())
        .with("q", part)
        .without(&[])
        .on("/tasks")
}

fn facts(viewer: &Viewer, task: &Task, people: &People) -> Markup {
    html! {
        section.card aria-labelledby="about" {
            h2.visually-hidden #about { "About" }
            dl.properties {
                (parts::property("Progress", list::progress(task)))
                @if let Some(message) = &task.progress.message { (parts::property("It says", html! { (text::short(message, 300)) })) }
                @for (name, value) in &task.progress.counters { (parts::property(name.as_str(), html! { span.number { (text::count(*value)) } })) }
                @if let Some(place) = &task.place {
                    (parts::property("Pipeline", parts::link("/pipelines", place.pipeline_id.as_str())))
                    (parts::property("Stage", html! { (place.stage) ", task " (place.index) @if place.run > 1 { ", run " (place.run) } }))
                }
                @if let Some(agent) = task.last_agent() { (parts::property("Agent", parts::link("/agents", agent.as_str()))) }
                @if let Some(agent) = &task.target { (parts::property("Meant for", parts::link("/agents", agent.as_str()))) }
                (parts::property("Needs", html! { span.chips { @for name in task.capabilities.iter() { span.chip { (name) } } } }))
                (parts::property("Priority", html! { (task.priority) }))
                (parts::property("Retries", html! { (task.retry_count) " of " (task.retry.max_retries) }))
                (parts::property("Created", html! { (parts::exact_time(task.created_at)) span.muted { " by " (people.draw(&task.created_by)) } }))
                @if let Some(at) = task.run_at { (parts::property("Not before", parts::time(at))) }
                @if let Some(at) = task.deadline { (parts::property("Deadline", parts::time(at))) }
                @if let Some(ms) = task.timeout_ms { (parts::property("Timeout", html! { (text::duration(ms)) })) }
                @if let Some(at) = task.started_at { (parts::property("Started", parts::exact_time(at))) }
                @if let Some(at) = task.completed_at { (parts::property("Ended", parts::exact_time(at))) }
                (parts::property("Took", list::took(viewer, task)))
                (parts::property("Revision", html! { span.number { (task.revision) } }))
                @if !task.dependencies.is_empty() {
                    (parts::property("Waits for", html! { span.chips {
                        @for id in task.dependencies.iter().take(DEPENDENCIES_SHOWN) { (parts::link("/tasks", id.as_str())) }
                        @if task.dependencies.len() > DEPENDENCIES_SHOWN { span.muted { "and " (task.dependencies.len() - DEPENDENCIES_SHOWN) " more" } }
                    } }))
                }
            }
        }
    }
}

/// Input and output: their shape, until somebody asks for more and is written down for it.
fn payloads(viewer: &Viewer, view: &TaskView, revealed: bool) -> Markup {
    let held = &view.payloads;
    html! {
        section.card #payloads aria-labelledby="payloads-title" {
            (parts::section("payloads-title", "Parameters and result", html! {
                @if revealed { a.button.small href={ "/tasks/" (view.task.id) } { "Hide again" } }
                @else {
                    form method="post" action={ "/tasks/" (view.task.id) "/reveal#payloads" } {
                        (hidden(viewer))
                        button.button.small type="submit" { (Icon::Eye.draw()) "Reveal" }
                    }
                }
            }))
            p.muted { @if revealed { "That you looked is written down in the events." } @else { "They may hold what people said in confidence. Revealing them is written down with your name." } }
            div.columns {
                div { h3 { "Parameters" } @if revealed { (payload::whole(&held.parameters, "Parameters")) } @else { (payload::shape(&held.parameters)) } }
                div { h3 { "Result" }
                    @match &held.result {
                        Some(result) if revealed => { (payload::whole(result, "Result")) },
                        Some(result) => { (payload::shape(result)) },
                        None => { p.muted { "There is none yet." } },
                    }
                }
            }
        }
    }
}

fn actions(viewer: &Viewer, task: &Task) -> Markup {
    let id = &task.id;
    html! {
        div.actions {
            @if list::can_retry(task) {
                (Action { path: format!("/tasks/{id}/retry"), word: list::retry_word(task), class: "primary", ask: None, fields: &[] }.draw(viewer))
            }
            @if list::can_cancel(task) {
                (Action { path: format!("/tasks/{id}/cancel"), word: "Cancel", class: "danger", ask: Some(list::ASK_CANCEL.to_owned()), fields: &[] }.draw(viewer))
            }
            @if let Some(place) = &task.place { a.button href={ "/events?pipeline=" (place.pipeline_id) "&task=" (id) } { "Events" } }
            @else { a.button href={ "/events?task=" (id) } { "Events" } }
        }
    }
}
