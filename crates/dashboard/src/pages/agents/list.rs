//! The list of agents.

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
};
use maud::{Markup, html};
use mcpanel_control::AgentView;
use mcpanel_domain::agent::Admission;
use mcpanel_guard::Permission;

use super::{capabilities, filter, slots};
use crate::{
    Dashboard,
    error::Result,
    session::Viewer,
    ui::{
        command,
        filter::{ignored, unknown},
        layout::{self, Page, Section},
        list::Query,
        parts::{self, RowAction},
        status, text,
    },
    views::{List, Views},
};

/// Tasks that an agent's row names; the rest are counted.
const NAMED: usize = 3;

/// Lists the agents.
pub async fn list(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Markup> {
    let query = Query::read(query.as_deref());
    let views = Views::of(List::Agents, &viewer, &headers);
    let mut asked = filter::read(&query);
    asked.faults.extend(unknown(&query, &filter::NAMES));
    let all = dashboard.control.agents.list(&viewer.scope).await?;
    let total = all.len();
    let shown: Vec<AgentView> = all.into_iter().filter(|view| asked.matches(view)).collect();
    Ok(layout::page(
        &viewer,
        &Page {
            title: "Agents",
            section: Section::Agents,
            follows: Some("topic=agents".to_owned()),
            body: html! {
                div.page-head { h1 { "Agents" } p.sub { (shown.len()) " of " (text::counted(total as u64, "agent")) } }
                (views.draw(&viewer, &query))
                (filter::bar(&query))
                (ignored(&asked.faults))
                div #rows data-live="agents tick" data-hold hx-get=(query.on("/agents")) hx-trigger="live" hx-select="#rows" hx-swap="outerMorph" {
                    @if shown.is_empty() {
                        (parts::empty(if total == 0 { "No agent is signed on" } else { "No agent fits the filter" },
                            html! { "Agents sign on themselves: " code { "POST /api/v1/agents/register" } " in the " a href="/docs" { "API" } "." }))
                    } @else { (table(&viewer, &shown)) }
                }
                (command::AGENTS.draw(&query))
            },
        },
    ))
}

fn table(viewer: &Viewer, shown: &[AgentView]) -> Markup {
    let may = viewer.may(Permission::AgentManage);
    let list = html! {
        div.scroll tabindex="0" role="region" aria-label="Agents" {
            table.cards data-rows {
                thead { tr {
                    th scope="col" { "Status" } th scope="col" { "Agent" } th scope="col" { "Slots" } th scope="col" { "Runs now" }
                    th scope="col" { "Capabilities" } th scope="col" { "Session" } th scope="col" { "Last heard" }
                    @if may { th { span.visually-hidden { "Actions" } } }
                } }
                tbody { @for view in shown { (row(viewer, view)) } }
            }
        }
    };
    parts::rows(viewer, may, &list)
}

/// The row of one agent.
pub fn row(viewer: &Viewer, view: &AgentView) -> Markup {
    let agent = &view.agent;
    html! {
        tr id={ "row-" (agent.id) } {
            td { (status::agent(view.status)) " " (status::admission(agent.admission)) }
            td { a.row-link href={ "/agents/" (agent.id) } { (text::short(&agent.name, 40)) } div.under { (text::middle(agent.id.as_str())) " · " (agent.agent_type) @if let Some(version) = &agent.version { " · " span title="Its version" { (text::short(version, 24)) } } } }
            td data-label="Slots" { (slots(view)) }
            td data-label="Runs now" { (runs(view)) }
            td data-label="Capabilities" { (capabilities(view)) }
            td data-label="Session" { (parts::since(agent.session.opened_at, viewer.now)) div.under { "sign-on " (agent.session.epoch) } }
            td data-label="Last heard" { (parts::age(agent.session.last_heartbeat, viewer.now)) }
            @if viewer.may(Permission::AgentManage) { td.actions { (row_actions(view)) } }
        }
    }
}

fn row_actions(view: &AgentView) -> Markup {
    let agent = &view.agent;
    let admit = |word, to, key, ask| {
        RowAction {
            path: format!("/agents/{}/admission", agent.id),
            word,
            of: &agent.name,
            key,
            ask,
            field: Some(("to", to)),
        }
        .draw()
    };
    html! {
        @match agent.admission {
            Admission::Open => { (admit("Drain", "draining", 'D', None)) },
            Admission::Draining => { (admit("Resume", "open", 'D', None)) },
            Admission::Disabled => { (admit("Enable", "open", 'D', None)) },
        }
        @if agent.admission != Admission::Disabled { (admit("Disable", "disabled", 'X', Some(ASK_DISABLE))) }
    }
}

/// What is asked before an agent is disabled.
pub const ASK_DISABLE: &str = "Disable this agent? It is given no more work.";

fn runs(view: &AgentView) -> Markup {
    html! {
        @if view.leases.is_empty() { (parts::none("nothing")) }
        @for held in view.leases.iter().take(NAMED) { div { (parts::link("/tasks", held.task_id.as_str())) } }
        @if view.leases.len() > NAMED {
            div.under { a href={ "/tasks?held=" (view.agent.id) } { "and " (view.leases.len() - NAMED) " more" } }
        }
    }
}
