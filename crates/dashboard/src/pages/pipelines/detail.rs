//! One pipeline: its stages as bars with figures, the tasks of one stage on demand, what came out.

use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};
use mcpanel_control::{PipelineView, StagePace, StageReport};
use mcpanel_domain::pipeline::{Stage, StageStatus, Status};
use mcpanel_guard::Permission;
use mcpanel_store::query::{Page as Slice, TaskFilter};

use super::{
    again,
    files::{self, Files},
    list::{ASK_CANCEL, took},
    parse, stages,
};
use crate::{
    Dashboard,
    error::{Failure, Result},
    limits::{NODES_DRAWN_MAX, STAGE_TASKS_SHOWN},
    pages::{people::People, tasks},
    session::Viewer,
    ui::{
        layout::{self, Page, Section},
        list::Query,
        parts::{self, Action},
        payload, status, text,
    },
};

/// Shows a pipeline.
pub async fn show(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Markup> {
    let id = parse(&id)?;
    let query = Query::read(query.as_deref());
    let pipelines = &dashboard.control.pipelines;
    let view = pipelines.get(&viewer.scope, &id).await?;
    let reports = pipelines.reports(&view).await?;
    let paces = pipelines.paces(&view).await?;
    let open: Option<u16> = query.text("stage").and_then(|text| text.parse().ok());
    let opened = match open.and_then(|number| view.pipeline.stage(number)) {
        Some(stage) if viewer.may(Permission::TaskRead) => {
            Some(stage_tasks(&dashboard, &viewer, &view, stage).await?)
        }
        _ => None,
    };
    let people = People::among(&dashboard, &viewer, [&*view.pipeline.created_by]).await?;
    let files = Files::find(&dashboard, &viewer, &view, &query).await?;
    let pipeline = &view.pipeline;
    let title = format!("Pipeline {}", text::short(&pipeline.name, 60));
    let here = format!("/pipelines/{id}");
    // What is searched for stays when the part is drawn again.
    let sought = query
        .text(files::SEARCH)
        .map(|text| Query::default().with(files::SEARCH, text));
    let of_files = sought.unwrap_or_default().on(&here);
    Ok(layout::page(
        &viewer,
        &Page {
            title: &title,
            section: Section::Pipelines,
            follows: Some(format!("name=pipeline:{id}")),
            body: html! {
                div #head data-live={ "pipeline:" (id) } hx-get=(here) hx-trigger="live" hx-select="#head" hx-swap="outerMorph" {
                    div.page-head {
                        div {
                            h1 { (status::pipeline(pipeline.status)) " " (pipeline.name) }
                            p.sub { (parts::id(id.as_str())) }
                        }
                        @if viewer.may(Permission::PipelineManage) { (actions(&viewer, &view)) }
                    }
                    @if let Some(error) = &pipeline.error { section.card.error aria-label="Error" { pre.wrap { (error) } } }
                    (summary(&viewer, &view, &people))
                    (stage_list(&viewer, &view, &reports, &paces, open))
                }
                div #stage-tasks aria-live="polite" { @if let Some(opened) = &opened { (opened) } }
                div #files data-live={ "pipeline:" (id) } hx-get=(of_files) hx-trigger="live" hx-select="#files" hx-swap="outerMorph" data-hold {
                    (files.draw(&viewer, &view))
                }
                section.card aria-labelledby="input" {
                    h2 #input { "Input and metadata" }
                    div.columns {
                        div { h3 { "Input" } (payload::shape(&pipeline.input_data)) }
                        div { h3 { "Metadata" } (payload::shape(&pipeline.metadata)) }
                    }
                    p.muted { a href={ "/events?pipeline=" (id) } { "Its events" } " · " a href={ "/tasks?pipeline=" (id) } { "All its tasks" } }
                }
                (parts::elsewhere("pipelines", id.as_str()))
            },
        },
    ))
}

fn summary(viewer: &Viewer, view: &PipelineView, people: &People) -> Markup {
    let pipeline = &view.pipeline;
    let done = pipeline.progress(&view.facts);
    html! {
        section.card.summary aria-label="Progress" {
            div.whole {
                span.whole-figure { (format!("{done:.0}")) span.of { " %" } }
                (parts::bar(done, &format!("{done:.0} % of the whole done"), status::tone(pipeline.status.as_str())))
            }
            dl.properties {
                (parts::property("Took", took(viewer, view)))
                @if let Some(left) = left_ms(view, viewer) { (parts::property("Left, about", html! { (text::duration(left)) })) }
                @if let Some((template, version)) = &pipeline.template { (parts::property("Template", html! { a href={ "/settings/templates/" (template) } { (template) } span.muted { " v" (version) } })) }
                (parts::property("Priority", html! { (pipeline.priority) }))
                (parts::property("Created", html! { (parts::time(pipeline.created_at)) span.muted { " by " (people.draw(&pipeline.created_by)) } }))
                @if !pipeline.tags.is_empty() { (parts::property("Tags", html! { span.chips { @for tag in &pipeline.tags { a.chip href=(Query::default().with("tag", tag).on("/pipelines")) { (text::short(tag, 40)) } } } })) }
                @if !pipeline.description.is_empty() { (parts::property("For", html! { (text::short(&pipeline.description, 400)) })) }
            }
        }
    }
}

/// How much longer it may take if it goes on as it went so far; nothing before it can be told.
fn left_ms(view: &PipelineView, viewer: &Viewer) -> Option<u64> {
    let pipeline = &view.pipeline;
    let done = pipeline.progress(&view.facts);
    if pipeline.status != Status::Running || done < 3.0 {
        return None;
    }
    let so_far = viewer.now.ms_since(pipeline.started_at?);
    #[expect(clippy::cast_precision_loss, reason = "an estimate of a few digits")]
    let left = so_far as f64 * (100.0 - done) / done;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "never negative, and casts of floats end at the bounds"
    )]
    Some(left as u64)
}

fn stage_list(
    viewer: &Viewer,
    view: &PipelineView,
    reports: &[StageReport],
    paces: &[StagePace],
    open: Option<u16>,
) -> Markup {
    html! {
        section.card aria-labelledby="stages" {
            h2 #stages { "Stages" }
            ol.stages {
                @for (at, stage) in view.pipeline.stages.iter().enumerate() {
                    (stage_row(viewer, view, stage, (reports.get(at), paces.get(at)), open == Some(stage.definition.number)))
                }
            }
        }
    }
}

fn stage_row(
    viewer: &Viewer,
    view: &PipelineView,
    stage: &Stage,
    (report, pace): (Option<&StageReport>, Option<&StagePace>),
    open: bool,
) -> Markup {
    let number = stage.definition.number;
    let here = format!("/pipelines/{}", view.pipeline.id);
    let percent = stage.progress(&view.facts);
    html! {
        li.stage {
            div.stage-head {
                span.stage-number { (number) }
                span.stage-name { (stages::name(stage)) }
                (status::stage(stage.status))
                span.stage-took { @match (stage.started_at, stage.completed_at) {
                    (Some(from), Some(to)) => { (text::duration(to.ms_since(from))) },
                    (Some(from), None) => { (parts::since(from, viewer.now)) },
                    _ => {},
                } }
                span.number.stage-percent { (format!("{percent:.0} %")) }
            }
            (stages::bar(view, stage))
            div.stage-foot {
                span { (stages::words(view, stage)) }
                @if let Some(pace) = pace { (figures(pace)) }
                @if stage.run > 1 { span { "run " (stage.run) } }
                @if let Some(report) = report {
                    @if let Some(counters) = &report.counters {
                        @for (name, value) in counters.iter().take(5) { span.chip { (name) " " (text::count(*value)) } }
                    }
                    @if let Some(message) = &report.message { span.says { "“" (text::short(message, 100)) "”" } }
                }
                span.stage-links {
                    @if stage.total > 0 && viewer.may(Permission::TaskRead) {
                        a.button.small href={ (here) "?stage=" (number) "#stage-tasks" } aria-expanded=(if open { "true" } else { "false" })
                            hx-get={ (here) "/stages/" (number) } hx-target="#stage-tasks" hx-swap="innerHTML" { "Tasks" span.visually-hidden { " of stage " (number) } }
                    }
                    (again::button(viewer, view, stage))
                    @if viewer.may(Permission::PipelineManage) && view.pipeline.status.is_terminal() && stage.status != StageStatus::Pending {
                        (Action { path: format!("{here}/retry"), word: "Run again from here", class: "small", ask: Some("Run this stage and those after it again? What they brought is made anew.".to_owned()), fields: &[("from", &number.to_string())] }.draw(viewer))
                    }
                }
            }
        }
    }
}

/// How fast a stage goes, as far as that is known.
fn figures(pace: &StagePace) -> Markup {
    html! {
        @if let (Some(p50), Some(p95)) = (pace.run_p50_ms, pace.run_p95_ms) {
            span title="Half of its tasks, and 95 of 100, took no longer" { "p50 " b { (text::duration(p50)) } " · p95 " b { (text::duration(p95)) } }
        }
        @if let Some(rate) = pace.per_minute { span { b { (rate_words(rate)) } } }
        @if let Some(eta) = pace.eta_ms { span { "about " b { (text::duration(eta)) } " left" } }
    }
}

fn rate_words(per_minute: f64) -> String {
    if per_minute >= 10.0 {
        format!("{per_minute:.0} tasks/min")
    } else if per_minute >= 0.1 {
        format!("{per_minute:.1} tasks/min")
    } else {
        format!("{:.1} tasks/h", per_minute * 60.0)
    }
}

/// Shows the tasks of one stage: a part of the pipeline's page, or the page opened at it.
pub async fn stage(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path((id, number)): Path<(String, String)>,
) -> Result<Markup> {
    let id = parse(&id)?;
    let view = dashboard.control.pipelines.get(&viewer.scope, &id).await?;
    let parsed = number.parse().ok();
    let stage = parsed
        .and_then(|number: u16| view.pipeline.stage(number))
        .ok_or_else(|| Failure::not_found("stage", &number))?;
    if !viewer.may(Permission::TaskRead) {
        let why = "this needs the permission `task:read`, which your key does not have";
        return Err(Failure::new(axum::http::StatusCode::FORBIDDEN, why));
    }
    let viewer = Viewer {
        // What is done to its tasks leads back to the whole page.
        here: format!("/pipelines/{id}?stage={number}"),
        ..viewer
    };
    stage_tasks(&dashboard, &viewer, &view, stage).await
}

async fn stage_tasks(
    dashboard: &Dashboard,
    viewer: &Viewer,
    view: &PipelineView,
    stage: &Stage,
) -> Result<Markup> {
    let number = stage.definition.number;
    let id = &view.pipeline.id;
    let filter = TaskFilter {
        pipeline_id: Some(id.clone()),
        stage: Some(number),
        ..TaskFilter::default()
    };
    let wanted = if stage.total <= NODES_DRAWN_MAX {
        NODES_DRAWN_MAX as usize
    } else {
        STAGE_TASKS_SHOWN
    };
    let slice = Slice::first(wanted);
    let listing = dashboard
        .control
        .tasks
        .list(&viewer.scope, &filter, &slice)
        .await?;
    let mut found: Vec<_> = listing.items.into_iter().map(|view| view.task).collect();
    found.sort_by_key(|task| {
        task.place
            .as_ref()
            .map(|place| (std::cmp::Reverse(place.run), place.index))
    });
    let shown = &found[..found.len().min(STAGE_TASKS_SHOWN)];
    let all = format!("/tasks?pipeline={id}&stage={number}");
    Ok(html! {
        section.card aria-labelledby="stage-title" {
            (parts::section("stage-title", &format!("Tasks of stage {number}, {}", stages::name(stage)), html! {
                a href=(all) { "All " (text::count(u64::from(stage.total))) } " · " a href={ (all) "&status=failed" } { "Failed" }
            }))
            (again::words(viewer, view, stage))
            @if stage.total <= NODES_DRAWN_MAX && found.len() > 1 {
                ul.nodes aria-label="One dot for each task" {
                    @for task in &found { li { a class={ "node " (status::tone(task.status().as_str())) } href={ "/tasks/" (task.id) }
                        title={ (text::middle(task.id.as_str())) ": " (task.status().as_str()) } aria-label={ (task.id) ", " (task.status().as_str()) } {} } }
                }
            }
            @if shown.is_empty() { (parts::empty("No task yet", html! { "The stage makes its tasks when it starts." })) }
            @else { (tasks::table(viewer, shown)) }
        }
    })
}

fn actions(viewer: &Viewer, view: &PipelineView) -> Markup {
    let pipeline = &view.pipeline;
    let here = format!("/pipelines/{}", pipeline.id);
    html! {
        div.actions {
            @match pipeline.status {
                Status::Created => { (Action { path: format!("{here}/execute"), word: "Start", class: "primary", ask: None, fields: &[] }.draw(viewer)) },
                Status::Failed | Status::Cancelled => { (Action { path: format!("{here}/retry"), word: "Retry what failed", class: "primary", ask: None, fields: &[] }.draw(viewer)) },
                Status::Running | Status::Completed => {},
            }
            @if !pipeline.status.is_terminal() {
                (Action { path: format!("{here}/cancel"), word: "Cancel", class: "danger", ask: Some(ASK_CANCEL.to_owned()), fields: &[] }.draw(viewer))
            }
        }
    }
}
