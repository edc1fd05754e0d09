//! The log of a task: what was written before the page was opened, errors alone on demand, one attempt or all.

use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use mcpanel_domain::{
    TaskId,
    limits::{LOG_LINES_KEPT, PAGE_ITEMS_MAX},
    log::{Level, Line},
    task::Task,
};

use super::{detail::status_word, parse};
use crate::{
    Dashboard,
    error::Result,
    limits::LOG_LINES_SHOWN,
    session::Viewer,
    ui::{list::Query, parts, text},
};

/// All lines that are kept, oldest first. They are bounded by the rules.
async fn all(dashboard: &Dashboard, viewer: &Viewer, id: &TaskId) -> Result<Vec<Line>> {
    let page = usize::try_from(PAGE_ITEMS_MAX).unwrap_or(usize::MAX);
    let mut lines: Vec<Line> = Vec::new();
    while (lines.len() as u64) < LOG_LINES_KEPT {
        let after = lines.last().map_or(0, |line| line.seq);
        let next = dashboard
            .control
            .tasks
            .logs(&viewer.scope, id, after, page)
            .await?;
        let is_last = next.len() < page;
        lines.extend(next);
        if is_last {
            break;
        }
    }
    Ok(lines)
}

/// The lines that a query asks for.
fn asked(lines: &[Line], query: &Query) -> Vec<Line> {
    let attempt: Option<u32> = query.text("attempt").and_then(|text| text.parse().ok());
    let errors = query.text("level") == Some("error");
    let wanted = query.text("find").map(str::to_lowercase);
    lines
        .iter()
        .filter(|line| attempt.is_none_or(|attempt| line.attempt == attempt))
        .filter(|line| {
            !errors || matches!(line.level, Level::Error | Level::Critical | Level::Warn)
        })
        .filter(|line| {
            wanted
                .as_ref()
                .is_none_or(|wanted| line.message.to_lowercase().contains(wanted))
        })
        .cloned()
        .collect()
}

/// Whether a query asks for the log without the rest of the page.
pub fn is_alone(query: &Query) -> bool {
    query.text("view") == Some("log")
}

/// The page of a log and nothing else.
pub fn alone(task: &Task, log: &Markup) -> Markup {
    html! {
        div.page-head {
            div {
                h1 { (status_word(task)) span.h1-kind { (task.task_type) } }
                p.sub { (parts::id(task.id.as_str())) }
            }
            div.actions { a.button data-back href={ "/tasks/" (task.id) "#log" } { "Back to the task" } }
        }
        div.log-alone { (log) }
    }
}

/// The log, with what narrows it.
pub async fn section(
    dashboard: &Dashboard,
    viewer: &Viewer,
    id: &TaskId,
    query: &Query,
) -> Result<Markup> {
    let lines = all(dashboard, viewer, id).await?;
    let found = asked(&lines, query);
    let shown = &found[found.len().saturating_sub(LOG_LINES_SHOWN)..];
    let bad = lines
        .iter()
        .filter(|line| matches!(line.level, Level::Error | Level::Critical | Level::Warn))
        .count();
    let here = format!("/tasks/{id}");
    let narrowed = |name: &str, value: Option<&str>| {
        let plain = query.without(&[name, "after", "from_row"]);
        let target = value.map_or_else(|| plain.clone(), |value| plain.clone().with(name, value));
        format!("{}#log", target.on(&here))
    };
    let errors = query.text("level") == Some("error");
    let saved = query.without(&["after", "from_row"]);
    Ok(html! {
        section.card #log aria-labelledby="log-title" {
            (parts::section("log-title", "Log", html! {
                a.button.small href=(narrowed("level", None)) aria-current=[(!errors).then_some("true")] { "All " (lines.len()) }
                a.button.small href=(narrowed("level", Some("error"))) aria-current=[errors.then_some("true")] { "Warnings and errors " (bad) }
                @if let Some(attempt) = query.text("attempt") { a.button.small href=(narrowed("attempt", None)) { "Attempt " (text::short(attempt, 8)) " ×" } }
                @if viewer.may(mcpanel_guard::Permission::TaskRead) { a.button.small href=(saved.on(&format!("{here}/log"))) download title="Saves the lines that fit" { "Save" } }
                @if !is_alone(query) { a.button.small href=(saved.clone().with("view", "log").on(&here)) title="Nothing but the log" { "Log alone" } }
            }))
            form.filter method="get" action={ (here) "#log" } role="search" aria-label="Search the log" {
                @for (name, value) in query.without(&["find"]).pairs() { input type="hidden" name=(name) value=(value); }
                label.grow { span.visually-hidden { "Text in the log" } input type="search" name="find" placeholder="Text in the log" value=[query.text("find")]; }
                button.button type="submit" { "Find" }
            }
            @if found.len() > shown.len() { p.muted { "The newest " (text::count(shown.len() as u64)) " of " (text::counted(found.len() as u64, "line")) ". Save the log for the rest." } }
            @if shown.is_empty() {
                (parts::empty(if lines.is_empty() { "Nothing was written" } else { "No line fits" }, html! { "Agents write here while they work on the task." }))
            } @else {
                label.check.wraps { input #log-wraps type="checkbox" data-wraps checked[viewer.wraps] autocomplete="off"; span { "Wrap long lines" kbd.script-only title="Key" { "w" } } }
                div.log tabindex="0" role="log" aria-label="Log lines" data-tail {
                    @for line in shown { (one(line)) }
                }
            }
        }
    })
}

fn one(line: &Line) -> Markup {
    let tone = match line.level {
        Level::Debug => "l-debug",
        Level::Info => "l-info",
        Level::Warn => "l-warn",
        Level::Error | Level::Critical => "l-error",
    };
    html! {
        div class={ "line " (tone) } id={ "L" (line.seq) } {
            a.line-number href={ "#L" (line.seq) } aria-label={ "Line " (line.seq) } { (line.seq) }
            (parts::time(line.at))
            span.line-level { (line.level.as_str()) }
            span.line-text { (line.message) }
        }
    }
}

/// The whole log as a text file.
pub async fn log(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let id = parse(&id)?;
    let lines = all(&dashboard, &viewer, &id).await?;
    let found = asked(&lines, &Query::read(query.as_deref()));
    let mut text = String::new();
    for line in found {
        text.push_str(&format!(
            "{} {} #{} {}\n",
            line.at,
            line.level.as_str(),
            line.attempt,
            line.message
        ));
    }
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    // An id has no character that could end the name.
    let name = HeaderValue::try_from(format!("attachment; filename=\"{id}.log\""))
        .map_err(crate::error::Failure::internal)?;
    Ok((
        [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_DISPOSITION, name),
        ],
        text,
    )
        .into_response())
}
