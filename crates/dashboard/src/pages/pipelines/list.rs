//! The list of pipelines.

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
};
use maud::{Markup, html};
use mcpanel_control::PipelineView;
use mcpanel_domain::pipeline::Status;
use mcpanel_guard::Permission;

use super::{filter, segments};
use crate::{
    Dashboard,
    error::Result,
    session::Viewer,
    ui::{
        command,
        filter::{ignored, is_empty, unknown},
        layout::{self, Page, Section},
        list::{Query, pager},
        parts::{self, RowAction},
        status, text,
    },
    views::{List, Views},
};

/// Shows a page of pipelines.
pub async fn list(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Markup> {
    let query = Query::read(query.as_deref());
    let views = Views::of(List::Pipelines, &viewer, &headers);
    let mut asked = filter::read(&query);
    asked.faults.extend(unknown(&query, &filter::NAMES));
    let listing = dashboard
        .control
        .pipelines
        .search(&viewer.scope, &asked.search, &query.page())
        .await?;
    Ok(layout::page(
        &viewer,
        &Page {
            title: "Pipelines",
            section: Section::Pipelines,
            follows: Some("topic=pipelines".to_owned()),
            body: html! {
                div.page-head {
                    h1 { "Pipelines" }
                    @if viewer.may(Permission::PipelineCreate) { div.actions { a.button.primary href="/pipelines/new" { "New pipeline" } } }
                }
                (views.draw(&viewer, &query))
                (filter::bar(&query))
                (ignored(&asked.faults))
                div #rows data-live="pipelines" data-hold hx-get=(query.on("/pipelines")) hx-trigger="live" hx-select="#rows" hx-swap="outerMorph" {
                    @if listing.items.is_empty() { (nothing(&viewer, &query, listing.next.is_some())) }
                    @else { (table(&viewer, &listing.items)) }
                    (pager("/pipelines", &query, listing.next.as_ref()))
                }
                (command::PIPELINES.draw(&query))
            },
        },
    ))
}

/// Why there is no row, and what to do about it.
fn nothing(viewer: &Viewer, query: &Query, goes_on: bool) -> Markup {
    if goes_on {
        let hint = html! { "The search looked for a moment and is not through." };
        return parts::empty("No pipeline fits so far", hint);
    }
    if !is_empty(query, &filter::NAMES) {
        let hint = html! { a href="/pipelines" { "Clear the filter" } " to see them all." };
        return parts::empty("No pipeline fits", hint);
    }
    parts::empty(
        "No pipeline here",
        html! {
            @if viewer.may(Permission::PipelineCreate) { a href="/pipelines/new" { "Start one" } " from a template and a file." }
            @else { "Somebody with the permission " code { "pipeline:create" } " can start one." }
        },
    )
}

fn row_actions(view: &PipelineView) -> Markup {
    let pipeline = &view.pipeline;
    let of = pipeline.name.as_str();
    let action = |what: &str, word, key, ask| {
        let path = format!("/pipelines/{}/{what}", pipeline.id);
        let field = None;
        RowAction {
            path,
            word,
            of,
            key,
            ask,
            field,
        }
        .draw()
    };
    html! {
        @match pipeline.status {
            Status::Created => { (action("execute", "Start", 'R', None)) },
            Status::Failed | Status::Cancelled => { (action("retry", "Retry", 'R', None)) },
            Status::Running | Status::Completed => {},
        }
        @if !pipeline.status.is_terminal() { (action("cancel", "Cancel", 'C', Some(ASK_CANCEL))) }
    }
}

/// What is asked before a pipeline is cancelled.
pub const ASK_CANCEL: &str = "Cancel this pipeline? Its running tasks are asked to stop.";

fn table(viewer: &Viewer, views: &[PipelineView]) -> Markup {
    let may = viewer.may(Permission::PipelineManage);
    let list = html! {
        div.scroll tabindex="0" role="region" aria-label="Pipelines" {
            table.cards data-rows {
                thead { tr {
                    th scope="col" { "Status" } th scope="col" { "Pipeline" } th.stages-column scope="col" { "Stages" }
                    th.number scope="col" { "Done" } th scope="col" { "Template" } th scope="col" { "Took" } th scope="col" { "Created" }
                    @if may { th { span.visually-hidden { "Actions" } } }
                } }
                tbody { @for view in views { (row(viewer, view)) } }
            }
        }
    };
    parts::rows(viewer, may, &list)
}

/// The row of one pipeline.
pub fn row(viewer: &Viewer, view: &PipelineView) -> Markup {
    let pipeline = &view.pipeline;
    html! {
        tr id={ "row-" (pipeline.id) } {
            td { (status::pipeline(pipeline.status)) }
            td {
                a.row-link href={ "/pipelines/" (pipeline.id) } { (text::short(&pipeline.name, 60)) }
                div.under { (text::middle(pipeline.id.as_str())) @for tag in pipeline.tags.iter().take(4) { " " span.chip { (text::short(tag, 24)) } } }
                @if let Some(error) = &pipeline.error { div.error-line { (text::short(error, 110)) } }
            }
            td.stages-column { (segments(view)) }
            td.number data-label="Done" { (format!("{:.0} %", pipeline.progress(&view.facts))) }
            td data-label="Template" { @if let Some((template, version)) = &pipeline.template { a href={ "/settings/templates/" (template) } { (template) } span.muted { " v" (version) } } @else { (parts::none("none")) } }
            td data-label="Took" { (took(viewer, view)) }
            td data-label="Created" { (parts::age(pipeline.created_at, viewer.now)) }
            @if viewer.may(Permission::PipelineManage) { td.actions { (row_actions(view)) } }
        }
    }
}

/// How long it ran, or has been running.
pub fn took(viewer: &Viewer, view: &PipelineView) -> Markup {
    let pipeline = &view.pipeline;
    html! {
        @match (pipeline.started_at, pipeline.completed_at) {
            (Some(from), Some(to)) => { (text::duration(to.ms_since(from))) },
            (Some(from), None) => { (parts::since(from, viewer.now)) },
            _ => { (parts::none("has not begun")) },
        }
    }
}
