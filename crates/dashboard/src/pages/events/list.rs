//! The page of events.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
};
use maud::{Markup, html};
use mcpanel_domain::event::{Event, Kind, Numbered};
use mcpanel_store::query::EventFilter;

use super::{
    backwards::Backwards,
    export::Format,
    filter::{self, NAMES},
};
use crate::{
    Dashboard,
    error::Result,
    limits::{EVENTS_EXPORTED_MAX, EVENTS_SCANNED_MAX, EVENTS_SHOWN},
    pages::people::People,
    session::Viewer,
    ui::{
        command,
        filter::{ignored, unknown},
        layout::{self, Page, Section},
        list::Query,
        parts, status, text,
    },
    views::{List, Views},
};

/// A page of events, newest first.
struct Found {
    events: Vec<Arc<Numbered>>,
    /// The number below which the next page looks; none at the beginning of the log.
    before: Option<u64>,
    newest: u64,
}

/// Shows the events.
pub async fn list(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Markup> {
    let query = Query::read(query.as_deref());
    let views = Views::of(List::Events, &viewer, &headers);
    let mut asked = filter::read(&query);
    asked.faults.extend(unknown(&query, &filter::KNOWN));
    let found = find(&dashboard, &viewer, &asked.filter, &query).await?;
    let callers = found
        .events
        .iter()
        .filter_map(|each| each.event.by.as_deref());
    let people = People::among(&dashboard, &viewer, callers).await?;
    let plain = query.without(&["before", "to"]);
    // A first page that refreshes itself keeps its rows and says how many are new.
    let refresh = match query.text("before").or(query.text("to")) {
        None => plain.clone().with("to", &found.newest.to_string()),
        Some(_) => query.clone(),
    };
    let new = query
        .text("to")
        .and_then(|text| text.parse::<u64>().ok())
        .map_or(0, |to| found.newest.saturating_sub(to));
    Ok(layout::page(
        &viewer,
        &Page {
            title: "Events",
            section: Section::Events,
            follows: Some("topic=events".to_owned()),
            body: html! {
                div.page-head { h1 { "Events" } (tools(&plain, asked.faults.is_empty())) }
                (views.draw(&viewer, &query))
                (filter::bar(&query))
                (ignored(&asked.faults))
                div #rows data-live="events" data-hold hx-get=(refresh.on("/events")) hx-trigger="live" hx-select="#rows" hx-swap="outerMorph" {
                    @if new > 0 { p.newer role="status" data-newer=(new) { a href=(plain.on("/events")) { (text::count(new)) " new in the log – show" } } }
                    @if found.events.is_empty() {
                        (parts::empty("No event fits", html! { "Looked back through " (text::count(EVENTS_SCANNED_MAX)) " events." }))
                    } @else { (table(&found.events, &people)) }
                    @if query.text("before").is_some() || found.before.is_some() {
                        nav.pager aria-label="Pages" {
                            @if query.text("before").is_some() { a.button href=(plain.on("/events")) { "Newest" } }
                            @if let Some(before) = found.before { a.button rel="next" href=(plain.clone().with("before", &before.to_string()).on("/events")) { "Older" } }
                        }
                    }
                }
                (command::EVENTS.draw(&plain))
            },
        },
    ))
}

/// Pausing, and what the filter shows as a file. A filter that was not understood is no file's.
fn tools(query: &Query, understood: bool) -> Markup {
    let filter = query
        .pairs()
        .iter()
        .filter(|(name, _)| NAMES.contains(&name.as_str()));
    let filter = filter.fold(Query::default(), |query, (name, value)| {
        query.with(name, value)
    });
    let most = text::count(EVENTS_EXPORTED_MAX);
    html! {
        div.actions {
            button.button type="button" data-turn-live hidden { "Pause" }
            @if understood {
                @for format in Format::ALL {
                    a.button href=(filter.clone().with("format", format.word()).on("/events/export")) download
                        title={ "The newest " (most) " that fit, as a file" } { "Save " (format.title()) }
                }
            }
        }
    }
}

/// Reads the log backwards until the page is full.
async fn find(
    dashboard: &Dashboard,
    viewer: &Viewer,
    filter: &EventFilter,
    query: &Query,
) -> Result<Found> {
    let newest = *dashboard.control.events.watch().borrow();
    let number = |name: &str| query.text(name).and_then(|text| text.parse::<u64>().ok());
    let top = number("before")
        .map(|before| before.saturating_sub(1))
        .or(number("to"))
        .unwrap_or(newest)
        .min(newest);
    let span = dashboard.control.events.span(filter).await?;
    let mut log = Backwards::from(top, EVENTS_SCANNED_MAX, span);
    let mut found: Vec<Arc<Numbered>> = Vec::new();
    while found.len() < EVENTS_SHOWN {
        match log.next(dashboard, &viewer.scope, filter).await? {
            Some(piece) => found.extend(piece),
            None => break,
        }
    }
    let is_cut = found.len() > EVENTS_SHOWN;
    found.truncate(EVENTS_SHOWN);
    let before = if is_cut {
        found.last().map(|event| event.seq)
    } else {
        log.rest()
    };
    Ok(Found {
        events: found,
        before,
        newest,
    })
}

fn table(events: &[Arc<Numbered>], people: &People) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Events" {
            table.cards data-rows {
                thead { tr { th.number scope="col" { "No." } th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "About" } th scope="col" { "By" } th scope="col" { "Tells" } } }
                tbody { @for numbered in events {
                    @let event = &numbered.event;
                    tr id={ "e" (numbered.seq) } {
                        td.number { a href={ "#e" (numbered.seq) } { (numbered.seq) } }
                        td { (parts::time(event.at)) }
                        td { span class={ "kind " (tone(event)) } { (event.kind.as_str()) } }
                        td.whole { div.about { (about(event)) } }
                        td data-label="By" { (by(event, people)) }
                        td.whole { (tells(event)) }
                    }
                } }
            }
        }
    }
}

fn tone(event: &Event) -> &'static str {
    let word = event.kind.as_str();
    match word.rsplit(':').next().unwrap_or(word) {
        "completed" | "stage_completed" | "active" | "stored" => "t-good",
        "failed" | "stage_failed" | "inactive" => "t-bad",
        "retry" | "suspect" | "cancel_requested" | "released" | "revealed" => "t-warn",
        "started" | "stage_started" | "delegate" => "t-running",
        _ => "t-pending",
    }
}

fn about(event: &Event) -> Markup {
    html! {
        @if let Some(id) = &event.task_id { (parts::link("/tasks", id.as_str())) }
        @if let Some(id) = &event.agent_id { (parts::link("/agents", id.as_str())) }
        @if let Some(id) = &event.pipeline_id { (parts::link("/pipelines", id.as_str())) }
        @if let Some(stage) = event.stage { span.muted { "stage " (stage) } }
        @if let Some(subject) = &event.subject { span.chip { (text::short(subject, 40)) } }
    }
}

/// Who caused it, with what else they did behind it.
fn by(event: &Event, people: &People) -> Markup {
    html! {
        @match event.by.as_deref() {
            Some(by) => a href=(Query::default().with("by", by).on("/events")) { (people.draw(by)) },
            None => span.muted title="The server did it by itself" { "server" },
        }
    }
}

fn tells(event: &Event) -> Markup {
    html! {
        @if let Some(status) = &event.status { (status::of(status)) " " }
        @if let Some(progress) = event.progress.filter(|progress| *progress > 0.0) { span.number { (format!("{progress:.0} %")) } " " }
        @if let Some(message) = &event.message {
            @if event.kind == Kind::ArtifactStored { (parts::link("/artifacts", message)) }
            @else { span.wrap { (text::short(message, 200)) } }
        }
    }
}
