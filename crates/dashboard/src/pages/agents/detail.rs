//! One agent: how it is, what it runs, how loaded it was, what it did lately.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};
use mcpanel_control::AgentView;
use mcpanel_domain::{
    TaskId, Timestamp,
    agent::{Admission, Health},
    task::Task,
};
use mcpanel_guard::Permission;
use mcpanel_store::query::{Page as Slice, TaskFilter};

use super::{capabilities, list::ASK_DISABLE, load, parse};
use crate::{
    Dashboard,
    error::Result,
    pages::{history::Window, tasks},
    session::Viewer,
    ui::{
        layout::{self, Page, Section},
        list::Query,
        parts::{self, Action},
        payload, status, text,
    },
};

/// Recent tasks on an agent's page.
const RECENT: usize = 20;

/// Shows one agent.
pub async fn show(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Markup> {
    let id = parse(&id)?;
    let view = dashboard.control.agents.get(&viewer.scope, &id).await?;
    let may_see_tasks = viewer.may(Permission::TaskRead);
    let query = Query::read(query.as_deref());
    let window = Window::of(&query, viewer.now);
    // A script asks for one part of the page: the others are not worked out for it.
    let wants = |part: &str| query.text("part").is_none_or(|asked| asked == part);
    let recent: Vec<Arc<Task>> = if may_see_tasks && wants("tasks") {
        let filter = TaskFilter {
            agent_id: Some(id.clone()),
            ..TaskFilter::default()
        };
        let slice = Slice::first(RECENT);
        let listing = dashboard
            .control
            .tasks
            .list(&viewer.scope, &filter, &slice)
            .await?;
        listing.items.into_iter().map(|view| view.task).collect()
    } else {
        Vec::new()
    };
    let agent = &view.agent;
    let load = if may_see_tasks && wants("load") {
        Some(load::look(&dashboard, &viewer, agent, &window).await?)
    } else {
        None
    };
    let here = window.on(&format!("/agents/{id}"));
    let part = |name: &str| {
        let (path, query) = here.split_once('?').unwrap_or((&here, ""));
        Query::read(Some(query)).with("part", name).on(path)
    };
    let title = format!("Agent {}", text::short(&agent.name, 60));
    Ok(layout::page(
        &viewer,
        &Page {
            title: &title,
            section: Section::Agents,
            follows: Some(format!("name=agent:{id}")),
            body: html! {
                div.page-head {
                    div { h1 { (agent.name) } p.sub { (parts::id(agent.id.as_str())) } }
                    @if viewer.may(Permission::AgentManage) { (actions(&viewer, &view)) }
                }
                div #agent data-live={ "agent:" (id) " tick" } hx-get=(part("now")) hx-trigger="live" hx-select="#agent" hx-swap="outerMorph" {
                    (facts(&view, viewer.now))
                    section.card aria-labelledby="now" {
                        (parts::section("now", "Runs now", html! { (view.leases.len()) " of " (agent.concurrency) " slots" }))
                        (parts::bar(text::percent(view.leases.len() as u64, u64::from(agent.concurrency)), "Slots in use", "t-running"))
                        @if view.leases.is_empty() { (parts::empty("Nothing in hand", html! { (why_idle(&view)) })) }
                        @else { (held(&view)) }
                    }
                }
                @if let Some(load) = &load {
                    div #agent-load data-live="tick" hx-get=(part("load")) hx-trigger="live" hx-select="#agent-load" hx-swap="outerMorph" {
                        (load.draw(agent, &window, viewer.now))
                    }
                }
                @if may_see_tasks {
                    div #agent-tasks data-live={ "agent:" (id) } data-hold hx-get=(part("tasks")) hx-trigger="live" hx-select="#agent-tasks" hx-swap="outerMorph" {
                        section.card aria-labelledby="recent" {
                            (parts::section("recent", "Recent tasks", html! { a href={ "/tasks?agent=" (id) } { "All its tasks" } " · " a href={ "/tasks?status=failed&agent=" (id) } { "Failures" } }))
                            @if recent.is_empty() { (parts::empty("No task yet", html! { "Its tasks show here." })) }
                            @else { (tasks::table(&viewer, &recent)) }
                        }
                    }
                }
                section.card aria-labelledby="metadata" { h2 #metadata { "Metadata" } (payload::shape(&agent.metadata)) }
                (parts::elsewhere("agents", id.as_str()))
            },
        },
    ))
}

fn why_idle(view: &AgentView) -> String {
    view.agent.unavailable().map_or_else(
        || "It could take work and none fits, or it does not ask.".to_owned(),
        |why| format!("It is given nothing: {why}."),
    )
}

fn held(view: &AgentView) -> Markup {
    let shown: Vec<&TaskId> = view
        .leases
        .iter()
        .map(|held| &held.task_id)
        .take(100)
        .collect();
    html! { ul.chips { @for id in &shown { li { (parts::link("/tasks", id.as_str())) } }
    @if view.leases.len() > shown.len() { li.muted { "and " (view.leases.len() - shown.len()) " more" } } } }
}

fn facts(view: &AgentView, now: Timestamp) -> Markup {
    let agent = &view.agent;
    html! {
        section.card aria-labelledby="about" {
            h2.visually-hidden #about { "About" }
            @if let Health::Error(why) = &agent.health { p.flash.t-bad { "It reports an error: " (why) } }
            dl.properties {
                (parts::property("Status", html! { (status::agent(view.status)) " " (status::admission(agent.admission)) }))
                (parts::property("Last heard", parts::age(agent.session.last_heartbeat, now)))
                (parts::property("Session", html! { (parts::since(agent.session.opened_at, now)) span.muted { " · sign-on " (agent.session.epoch) } }))
                (parts::property("Session id", html! { code { (text::middle(agent.session.id.as_str())) } }))
                (parts::property("Type", html! { (agent.agent_type) }))
                (parts::property("Version", html! { @if let Some(version) = &agent.version { (version) } @else { (parts::none("not told")) } }))
                (parts::property("First signed on", parts::time(agent.registered_at)))
                @if let Some(url) = &agent.endpoint_url { (parts::property("Endpoint", html! { code.wrap { (url) } })) }
                (parts::property("Capabilities", capabilities(view)))
            }
        }
    }
}

fn actions(viewer: &Viewer, view: &AgentView) -> Markup {
    let id = &view.agent.id;
    let admit = |word, to: &'static str, class, ask: Option<&str>| {
        Action {
            path: format!("/agents/{id}/admission"),
            word,
            class,
            ask: ask.map(str::to_owned),
            fields: &[("to", to)],
        }
        .draw(viewer)
    };
    html! {
        div.actions {
            @match view.agent.admission {
                Admission::Open => {
                    (admit("Drain", "draining", "", None))
                    (admit("Disable", "disabled", "danger", Some(ASK_DISABLE)))
                },
                Admission::Draining => { (admit("Resume", "open", "primary", None)) (admit("Disable", "disabled", "danger", None)) },
                Admission::Disabled => { (admit("Enable", "open", "primary", None)) },
            }
            (Action {
                path: format!("/agents/{id}/forget"),
                word: "Forget",
                class: "danger",
                ask: Some("Forget this agent? What it holds goes back to the queue.".to_owned()),
                fields: &[],
            }.draw(viewer))
        }
    }
}
