//! Agents: who is there, how loaded, what each runs now. Silent ones stay listed with when they were last heard.

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use mcpanel_control::AgentView;
use mcpanel_domain::{
    AgentId, TaskId, Timestamp,
    agent::{Admission, Changes, Health},
};
use mcpanel_guard::Permission;
use mcpanel_store::query::{Page as Slice, TaskFilter};

use super::tasks;
use crate::{
    Dashboard,
    error::{Failure, Result},
    form::{Form, back_with, outcome},
    session::{Flash, Viewer},
    ui::{
        layout::{self, Page, Section},
        list::Query,
        parts::{self, Action},
        payload, status, text,
    },
};

/// Tasks that an agent's row names; the rest are counted.
const NAMED: usize = 3;

/// Recent tasks on an agent's page.
const RECENT: usize = 20;

/// How many slots are in use.
pub fn slots(view: &AgentView) -> Markup {
    let (used, all) = (view.leases.len() as u64, u64::from(view.agent.concurrency));
    html! {
        span.slots {
            (parts::bar(text::percent(used, all), &format!("{used} of {all} slots in use"), "t-running"))
            span.number { (used) "/" (all) }
        }
    }
}

/// Lists the agents.
pub async fn list(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    axum::extract::RawQuery(query): axum::extract::RawQuery,
) -> Result<Markup> {
    let query = Query::read(query.as_deref());
    let all = dashboard.control.agents.list(&viewer.scope).await?;
    let total = all.len();
    let shown: Vec<AgentView> = all
        .into_iter()
        .filter(|view| matches(view, &query))
        .collect();
    Ok(layout::page(
        &viewer,
        &Page {
            title: "Agents",
            section: Section::Agents,
            follows: Some("topic=agents".to_owned()),
            body: html! {
                div.page-head { h1 { "Agents" } p.sub { (shown.len()) " of " (text::counted(total as u64, "agent")) } }
                (filter(&query))
                div #rows data-live="agents tick" data-hold hx-get=(query.on("/agents")) hx-trigger="live" hx-select="#rows" hx-swap="outerMorph" {
                    @if shown.is_empty() {
                        (parts::empty(if total == 0 { "No agent is signed on" } else { "No agent fits the filter" },
                            html! { "Agents sign on themselves; see " code { "docs/agents.md" } "." }))
                    } @else { (table(&viewer, &shown)) }
                }
            },
        },
    ))
}

fn matches(view: &AgentView, query: &Query) -> bool {
    let agent = &view.agent;
    let statuses: Vec<&str> = query.all("status").collect();
    let fits_text = query.text("q").is_none_or(|wanted| {
        let wanted = wanted.to_lowercase();
        agent.id.as_str().to_lowercase().contains(&wanted)
            || agent.name.to_lowercase().contains(&wanted)
            || agent
                .capabilities
                .iter()
                .any(|name| name.as_str().to_lowercase().contains(&wanted))
    });
    fits_text && (statuses.is_empty() || statuses.contains(&view.status.as_str()))
}

fn filter(query: &Query) -> Markup {
    html! {
        form.filter method="get" action="/agents" role="search" aria-label="Filter agents" {
            label { span.visually-hidden { "Name, id or capability" }
                input data-search type="search" name="q" placeholder="Name, id or capability" value=[query.text("q")]; }
            label { span.visually-hidden { "Status" }
                select name="status" {
                    option value="" { "Any status" }
                    @for each in mcpanel_domain::agent::Status::ALL {
                        option value=(each.as_str()) selected[query.text("status") == Some(each.as_str())] { (each.as_str()) }
                    }
                } }
            button.button type="submit" { "Filter" }
            @if !query.is_empty() { a.button.plain href="/agents" { "Clear" } }
        }
    }
}

fn table(viewer: &Viewer, shown: &[AgentView]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Agents" {
            table data-rows {
                thead { tr {
                    th scope="col" { "Status" } th scope="col" { "Agent" } th scope="col" { "Slots" } th scope="col" { "Runs now" }
                    th scope="col" { "Capabilities" } th scope="col" { "Version" } th scope="col" { "Session" } th scope="col" { "Last heard" }
                } }
                tbody {
                    @for view in shown {
                        @let agent = &view.agent;
                        tr {
                            td { (status::agent(view.status)) " " (status::admission(agent.admission)) }
                            td { a.row-link href={ "/agents/" (agent.id) } { (text::short(&agent.name, 40)) } div.under { (text::middle(agent.id.as_str())) " · " (agent.agent_type) } }
                            td { (slots(view)) }
                            td { (runs(view)) }
                            td { (capabilities(view)) }
                            td { @if let Some(version) = &agent.version { (text::short(version, 24)) } @else { (parts::none("not told")) } }
                            td { (parts::since(agent.session.opened_at, viewer.now)) div.under { "sign-on " (agent.session.epoch) } }
                            td { (parts::age(agent.session.last_heartbeat, viewer.now)) }
                        }
                    }
                }
            }
        }
    }
}

fn runs(view: &AgentView) -> Markup {
    html! {
        @if view.leases.is_empty() { (parts::none("nothing")) }
        @for held in view.leases.iter().take(NAMED) { div { (parts::link("/tasks", held.task_id.as_str())) } }
        @if view.leases.len() > NAMED {
            div.under { a href={ "/tasks?held=" (view.agent.id) } { "and " (view.leases.len() - NAMED) " more" } }
        }
    }
}

fn capabilities(view: &AgentView) -> Markup {
    html! { span.chips { @for name in view.agent.capabilities.iter().take(8) { span.chip { (name) } }
    @if view.agent.capabilities.len() > 8 { span.muted { "+" (view.agent.capabilities.len() - 8) } } } }
}

/// Shows one agent.
pub async fn show(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Markup> {
    let id = parse(&id)?;
    let view = dashboard.control.agents.get(&viewer.scope, &id).await?;
    let may_see_tasks = viewer.may(Permission::TaskRead);
    let recent = if may_see_tasks {
        let filter = TaskFilter {
            agent_id: Some(id.clone()),
            ..TaskFilter::default()
        };
        let slice = Slice {
            after: None,
            limit: RECENT,
        };
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
                div #agent data-live={ "agent:" (id) " tick" } hx-get={ "/agents/" (id) } hx-trigger="live" hx-select="#agent" hx-swap="outerMorph" {
                    (facts(&view, viewer.now))
                    section.card aria-labelledby="now" {
                        (parts::section("now", "Runs now", html! { (view.leases.len()) " of " (agent.concurrency) " slots" }))
                        (parts::bar(text::percent(view.leases.len() as u64, u64::from(agent.concurrency)), "Slots in use", "t-running"))
                        @if view.leases.is_empty() { (parts::empty("Nothing in hand", html! { (why_idle(&view)) })) }
                        @else { (held(&view)) }
                    }
                    @if may_see_tasks {
                        section.card aria-labelledby="recent" {
                            (parts::section("recent", "Recent tasks", html! { a href={ "/tasks?agent=" (id) } { "All its tasks" } " · " a href={ "/tasks?status=failed&agent=" (id) } { "Failures" } }))
                            @if recent.is_empty() { (parts::empty("No task yet", html! { "Its tasks show here." })) }
                            @else { (tasks::table(&viewer, &recent, false)) }
                        }
                    }
                }
                section.card aria-labelledby="metadata" { h2 #metadata { "Metadata" } (payload::shape(&agent.metadata)) }
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
                    (admit("Disable", "disabled", "danger", Some("Disable this agent? It is given no more work.")))
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

/// Drains, disables or opens an agent.
pub async fn admit(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response> {
    let id = parse(&id)?;
    let (admission, word) = match form.text("to") {
        Some("open") => (Admission::Open, "takes work"),
        Some("draining") => (
            Admission::Draining,
            "finishes what it has and gets nothing new",
        ),
        Some("disabled") => (Admission::Disabled, "gets no work"),
        _ => {
            return Err(Failure::bad_request(
                "`to` must be `open`, `draining` or `disabled`",
            ));
        }
    };
    let changes = Changes {
        admission: Some(admission),
        ..Changes::default()
    };
    let changed = dashboard
        .control
        .agents
        .update(&viewer.scope, &id, changes, None)
        .await;
    outcome(&format!("/agents/{id}"), changed, |_| {
        format!("Agent {id} {word}.")
    })
}

/// Signs an agent off in its place.
pub async fn forget(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    _: Form,
) -> Result<Response> {
    let id = parse(&id)?;
    dashboard
        .control
        .agents
        .unregister(&viewer.scope, &id)
        .await?;
    Ok(back_with(
        "/agents",
        &Flash::done(format!("Agent {id} is forgotten.")),
    ))
}

fn parse(id: &str) -> Result<AgentId> {
    AgentId::parse(id).map_err(|_| Failure::not_found("agent", id))
}
