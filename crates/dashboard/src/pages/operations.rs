//! Operations: one wish about everything that a filter finds. Looked at before it begins, watched while it runs, stopped when
//! it was a mistake.

use axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use mcpanel_control::{OperationRequest, PREVIEW_TASKS_MAX};
use mcpanel_domain::{
    OperationId, PipelineId,
    operation::{Kind, Matched, Operation, Status},
    task::Search,
};
use mcpanel_guard::Permission;
use mcpanel_store::query::OperationFilter;

use super::tasks::filter;
use crate::{
    Dashboard,
    error::{Failure, Result},
    form::{CSRF, Form, back_with, outcome},
    pages::people::People,
    session::{Flash, Viewer},
    ui::{
        layout::{self, Page, Section},
        list::{Query, pager},
        parts::{self, Action, Part},
        status, text,
    },
};

/// Tasks beyond which the number is to be typed, so that nobody cancels a day's work by a slip of the hand.
const TYPED_ABOVE: u64 = 100;

/// Lists the operations.
pub async fn list(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Markup> {
    let query = Query::read(query.as_deref());
    let filter = OperationFilter {
        statuses: query.all("status").filter_map(Status::parse).collect(),
    };
    let listing = dashboard
        .control
        .operations
        .list(&viewer.scope, &filter, &query.page())
        .await?;
    let callers = listing.items.iter().map(|each| &*each.created_by);
    let people = People::among(&dashboard, &viewer, callers).await?;
    Ok(layout::page(
        &viewer,
        &Page {
            title: "Operations",
            section: Section::Operations,
            follows: Some("topic=operations".to_owned()),
            body: html! {
                div.page-head { h1 { "Operations" } }
                div #rows data-live="operations" data-hold hx-get=(query.on("/operations")) hx-trigger="live" hx-select="#rows" hx-swap="outerMorph" {
                    @if listing.items.is_empty() {
                        (parts::empty("No operation yet", html! {
                            "Filter " a href="/tasks?status=failed" { "tasks" } ", then retry or cancel everything that the filter finds. It goes on here, however long it takes."
                        }))
                    } @else { (table(&viewer, &listing.items, &people)) (pager("/operations", &query, listing.next.as_ref())) }
                }
            },
        },
    ))
}

fn table(viewer: &Viewer, operations: &[std::sync::Arc<Operation>], people: &People) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Operations" { table data-rows {
            thead { tr { th scope="col" { "Status" } th scope="col" { "Operation" } th scope="col" { "Of" } th scope="col" { "Progress" } th.number scope="col" { "Done" } th scope="col" { "By" } th scope="col" { "Began" } } }
            tbody { @for operation in operations { tr {
                td { (status::of(operation.status.as_str())) }
                td { a.row-link href={ "/operations/" (operation.id) } { (word(operation.kind)) " tasks" } div.under { (text::middle(operation.id.as_str())) } }
                td { (filter::describe(&operation.search)) }
                td { (bar(operation)) }
                td.number { (text::count(operation.done)) " of " (matched(operation.matched)) }
                td { (people.draw(&operation.created_by)) }
                td { (parts::age(operation.created_at, viewer.now)) }
            } } }
        } }
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Retry => "Retry",
        Kind::Cancel => "Cancel",
    }
}

fn matched(matched: Matched) -> String {
    let more = if matched.more { "+" } else { "" };
    format!("{}{more}", text::count(matched.tasks))
}

fn bar(operation: &Operation) -> Markup {
    let part = |value, tone| Part { value, tone };
    let whole = if operation.status.is_terminal() {
        operation.handled().max(1)
    } else {
        operation.matched.tasks.max(operation.handled())
    };
    let label = format!("{:.0} % dealt with", operation.progress());
    parts::stacked(
        &[
            part(operation.done, "t-good"),
            part(operation.skipped, "t-off"),
            part(operation.failed, "t-bad"),
        ],
        whole,
        &label,
    )
}

/// Shows one operation.
pub async fn show(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Markup> {
    let id = parse(&id)?;
    let operation = dashboard.control.operations.get(&viewer.scope, &id).await?;
    let people = People::among(&dashboard, &viewer, [&*operation.created_by]).await?;
    let title = format!("Operation: {} tasks", operation.kind.as_str());
    Ok(layout::page(
        &viewer,
        &Page {
            title: &title,
            section: Section::Operations,
            follows: Some("topic=operations".to_owned()),
            body: html! {
                div #operation data-live="operations" hx-get={ "/operations/" (id) } hx-trigger="live" hx-select="#operation" hx-swap="outerMorph" {
                    div.page-head {
                        div { h1 { (status::of(operation.status.as_str())) " " (word(operation.kind)) " tasks" } p.sub { (parts::id(id.as_str())) } }
                        @if viewer.may(Permission::TaskManage) && !operation.status.is_terminal() {
                            div.actions { (Action { path: format!("/operations/{id}/abort"), word: "Stop", class: "danger", ask: Some("Stop this operation? What it did stays done.".to_owned()), fields: &[] }.draw(&viewer)) }
                        }
                    }
                    @if let Some(error) = &operation.error { section.card.error aria-label="Error" { pre.wrap { (error) } } }
                    section.card.summary aria-label="Progress" {
                        div.whole { span.whole-figure { (format!("{:.0}", operation.progress())) span.of { " %" } } (bar(&operation)) }
                        dl.properties {
                            (parts::property("Done", html! { span.number { (text::count(operation.done)) } }))
                            (parts::property("Not possible", html! { (text::count(operation.skipped)) }))
                            (parts::property("Failed", html! { (text::count(operation.failed)) }))
                            (parts::property("Found when it began", html! { (matched(operation.matched)) }))
                            (parts::property("Of", filter::describe(&operation.search)))
                            (parts::property("Began", html! { (parts::time(operation.created_at)) span.muted { " by " (people.draw(&operation.created_by)) } }))
                            @match operation.completed_at {
                                Some(at) => { (parts::property("Took", html! { (text::duration(at.ms_since(operation.created_at))) })) },
                                None => { (parts::property("For", parts::since(operation.created_at, viewer.now))) },
                            }
                            @if let Some(reason) = &operation.reason { (parts::property("Why", html! { (text::short(reason, 300)) })) }
                        }
                    }
                }
                p { a href=(filter::write(&operation.search).on("/tasks")) { "What the filter finds now" } }
            },
        },
    ))
}

/// Reads what a query wishes.
fn wished(query: &Query) -> Result<(Kind, Search)> {
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| query.text("kind") == Some(kind.as_str()));
    let kind = kind.ok_or_else(|| Failure::bad_request("`kind` must be `retry` or `cancel`"))?;
    let asked = filter::read(query);
    if let Some(fault) = asked.faults.into_iter().next() {
        // Left out, it would widen the filter without anybody seeing.
        return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, fault));
    }
    Ok((kind, asked.search))
}

/// Shows what an operation would do before it does it.
pub async fn new(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let query = Query::read(query.as_deref());
    if query.text("kind").is_none() {
        // What is to be done is chosen beside what it is done to.
        return Ok(Redirect::to(&query.on("/tasks")).into_response());
    }
    let page = preview(&dashboard, &viewer, &query, None).await?;
    Ok(page.into_response())
}

async fn preview(
    dashboard: &Dashboard,
    viewer: &Viewer,
    query: &Query,
    fault: Option<&str>,
) -> Result<Markup> {
    let (kind, search) = wished(query)?;
    let request = OperationRequest {
        kind,
        search: search.clone(),
        all: search.is_empty(),
        reason: None,
    };
    let found = dashboard
        .control
        .operations
        .preview(&viewer.scope, request)
        .await?;
    let ended = ended_pipeline(dashboard, viewer, kind, &search).await?;
    let typed = found.more || found.tasks > TYPED_ABOVE || search.is_empty();
    let title = format!("{} tasks", word(kind));
    let verb = kind.as_str();
    let back = filter::write(&search).on("/tasks");
    Ok(layout::page(
        viewer,
        &Page {
            title: &title,
            section: Section::Operations,
            follows: None,
            body: html! {
                div.page-head { h1 { (word(kind)) " everything that a filter finds" } }
                @if let Some(fault) = fault { p.flash.t-bad role="alert" { (fault) } }
                form.card.stacked method="post" action="/operations" {
                    input type="hidden" name=(CSRF) value=(viewer.csrf);
                    input type="hidden" name="wish" value=(filter::write(&search).with("kind", verb).on(""));
                    input type="hidden" name="found" value=(found.tasks);
                    p { (filter::describe(&search)) }
                    p.whole-figure { (matched(found)) span.of { " " (if found.tasks == 1 && !found.more { "task" } else { "tasks" }) } }
                    p.muted {
                        @if found.more { "Counted up to " (text::count(PREVIEW_TASKS_MAX.min(found.tasks))) "; there are more. " }
                        @match kind {
                            Kind::Retry => { "Those that failed or were cancelled go back to the queue with fresh retries." },
                            Kind::Cancel => { "Those that wait are cancelled at once; agents are asked to stop those that run." },
                        }
                        " Tasks created from now on are left alone. It runs in the background and can be stopped."
                    }
                    @if let Some(id) = &ended {
                        p.standing.t-warn { "This pipeline has ended, and its tasks come back only with it: the operation would leave them alone. "
                            a href={ "/pipelines/" (id) } { "Retry the pipeline" } " instead." }
                    }
                    label.field { span { "Why (for the record)" } input type="text" name="reason" maxlength="500" autocomplete="off"; }
                    @if typed {
                        label.field { span { "Type " b { (found.tasks) } " to go on" } input type="text" name="typed" inputmode="numeric" required autocomplete="off" pattern="[0-9]+"; }
                    }
                    div.actions {
                        @if found.tasks > 0 { button class={ "button " (if kind == Kind::Cancel { "danger" } else { "primary" }) } type="submit" { (word(kind)) " " (matched(found)) " " (if found.tasks == 1 { "task" } else { "tasks" }) } }
                        @else { p { "There is nothing to " (verb) "." } }
                        a.button.plain href=(back) { "Back" }
                    }
                }
            },
        },
    ))
}

/// The pipeline whose tasks an operation would retry in vain, because it has ended.
async fn ended_pipeline(
    dashboard: &Dashboard,
    viewer: &Viewer,
    kind: Kind,
    search: &Search,
) -> Result<Option<PipelineId>> {
    let (Kind::Retry, Some(id)) = (kind, &search.filter.pipeline_id) else {
        return Ok(None);
    };
    if !viewer.may(Permission::PipelineRead) {
        return Ok(None);
    }
    let found = dashboard.control.pipelines.get(&viewer.scope, id).await;
    match found.map_err(Failure::from) {
        Ok(view) => Ok(view.pipeline.status.is_terminal().then(|| id.clone())),
        Err(failure) if failure.status == StatusCode::NOT_FOUND => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Begins an operation.
pub async fn create(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    form: Form,
) -> Result<Response> {
    let wish = form.text("wish").unwrap_or_default();
    let query = Query::read(Some(wish.trim_start_matches('?')));
    let (kind, search) = wished(&query)?;
    let found: u64 = form
        .text("found")
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Failure::bad_request("`found` must be the number that was shown"))?;
    let typed = form.text("typed").map(str::parse) == Some(Ok(found));
    if (found > TYPED_ABOVE || search.is_empty()) && !typed {
        let why = format!("Type {found} to go on; nothing was begun.");
        let page = preview(&dashboard, &viewer, &query, Some(&why)).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let request = OperationRequest {
        kind,
        all: search.is_empty(),
        search,
        reason: form.text("reason").map(str::to_owned),
    };
    let operations = &dashboard.control.operations;
    // The number that was typed is the one that was shown; when there are far more by now, somebody should look again.
    let now = operations.preview(&viewer.scope, request.clone()).await?;
    if now.tasks > TYPED_ABOVE && now.tasks > found.saturating_mul(2) {
        let why = format!("There are {} by now; look again.", matched(now));
        let page = preview(&dashboard, &viewer, &query, Some(&why)).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let made = operations.create(&viewer.scope, request, None).await?.value;
    let flash = Flash::done("It goes on in the background; this page follows it.");
    Ok(back_with(&format!("/operations/{}", made.id), &flash))
}

/// Stops an operation.
pub async fn abort(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    _: Form,
) -> Result<Response> {
    let id = parse(&id)?;
    let aborted = dashboard.control.operations.abort(&viewer.scope, &id).await;
    outcome(&format!("/operations/{id}"), aborted, |_| {
        "The operation is stopped; what it did stays done.".to_owned()
    })
}

fn parse(id: &str) -> Result<OperationId> {
    OperationId::parse(id).map_err(|_| Failure::not_found("operation", id))
}
