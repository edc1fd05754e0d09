//! Artifacts: what is known about a file, the file to save, and reports to look at.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use mcpanel_domain::{ArtifactId, artifact::Artifact};

use crate::{
    Dashboard,
    error::{Failure, Result},
    pages::people::People,
    session::Viewer,
    ui::{
        layout::{self, Page, Section},
        parts, payload, text,
    },
};

/// A report runs nothing, loads nothing from elsewhere, and is shown only inside our own page.
const REPORT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'",
);

/// Media types that a browser shows and that cannot run anything under [`REPORT_POLICY`].
const SHOWN: [&str; 5] = [
    "text/html",
    "text/plain",
    "text/markdown",
    "application/json",
    "text/csv",
];

/// Largest file that is shown beside the page, in bytes. Larger ones are for saving.
const SHOWN_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// What a browser shows a file as, when it shows it: only reports keep their markup.
fn shown_as(artifact: &Artifact) -> Option<&'static str> {
    let kind = artifact.media_type.split(';').next()?.trim();
    if artifact.size_bytes > SHOWN_BYTES_MAX || !SHOWN.contains(&kind) {
        return None;
    }
    Some(if kind == "text/html" {
        "text/html; charset=utf-8"
    } else {
        "text/plain; charset=utf-8"
    })
}

/// A table of artifacts, which are those of `whose`.
pub fn table(artifacts: &[std::sync::Arc<Artifact>], viewer: &Viewer, whose: &str) -> Markup {
    let may_read = viewer.may(mcpanel_guard::Permission::ArtifactRead);
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Artifacts: " (whose) } {
            table {
                thead { tr {
                    th scope="col" { "Name" } th scope="col" { "Role" }
                    th.number scope="col" { "Size" } th.number scope="col" { "Records" } th scope="col" { "Stored" } th { span.visually-hidden { "Actions" } }
                } }
                tbody {
                    @for artifact in artifacts {
                        tr {
                            td { a href={ "/artifacts/" (artifact.id) } { (text::short(&artifact.name, 60)) } }
                            td { span.chip { (artifact.role) } }
                            td.number { (text::bytes(artifact.size_bytes)) }
                            td.number { @if let Some(records) = artifact.records { (text::count(records)) } @else { (parts::none("not counted")) } }
                            td { (parts::age(artifact.created_at, viewer.now)) }
                            td.actions { @if may_read {
                                a.button.small href={ "/artifacts/" (artifact.id) "/download" } download { "Save" span.visually-hidden { " " (artifact.name) } }
                            } }
                        }
                    }
                }
            }
        }
    }
}

/// What is known about a file, and the file itself where a browser can show it.
pub async fn show(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Markup> {
    let artifact = find(&dashboard, &viewer, &id).await?;
    let people = People::among(&dashboard, &viewer, [&*artifact.created_by]).await?;
    let title = format!("Artifact {}", text::short(&artifact.name, 60));
    Ok(layout::page(
        &viewer,
        &Page {
            title: &title,
            section: Section::Pipelines,
            follows: None,
            body: html! {
                div.page-head {
                    div { h1 { (artifact.name) } p.sub { (parts::id(artifact.id.as_str())) } }
                    div.actions { a.button.primary href={ "/artifacts/" (artifact.id) "/download" } download { "Save" } }
                }
                section.card aria-labelledby="about" {
                    h2 #about { "About" }
                    dl.properties {
                        (parts::property("Role", html! { span.chip { (artifact.role) } }))
                        (parts::property("Media type", html! { (artifact.media_type) }))
                        (parts::property("Size", html! { (text::bytes(artifact.size_bytes)) }))
                        @if let Some(records) = artifact.records { (parts::property("Records", html! { (text::count(records)) })) }
                        @if let Some(pipeline) = &artifact.pipeline_id { (parts::property("Pipeline", parts::link("/pipelines", pipeline.as_str()))) }
                        @if let Some(stage) = artifact.stage { (parts::property("Stage", html! { (stage) })) }
                        @if let Some(task) = &artifact.task_id { (parts::property("Task", parts::link("/tasks", task.as_str()))) }
                        (parts::property("Stored", parts::time(artifact.created_at)))
                        (parts::property("By", people.draw(&artifact.created_by)))
                        (parts::property("SHA-256", html! { code.wrap { (artifact.sha256) } }))
                    }
                    details { summary { "Metadata" } (payload::shape(&artifact.metadata)) }
                }
                section.card aria-labelledby="look" {
                    h2 #look { "Content" }
                    @if shown_as(&artifact).is_some() {
                        @if holds_records(&artifact) {
                            p.muted { "These are records of people; it is not shown until you ask for it." }
                            details.report-holder { summary { "Show the content" }
                                iframe.report loading="lazy" src={ "/artifacts/" (artifact.id) "/view" } title={ "Content of " (artifact.name) } sandbox {} }
                        } @else {
                            iframe.report src={ "/artifacts/" (artifact.id) "/view" } title={ "Content of " (artifact.name) } sandbox {}
                        }
                    } @else {
                        p.muted { "This file is for saving: it is large, or of a kind that a browser does not show." }
                    }
                }
            },
        },
    ))
}

/// Whether a file holds what people said, rather than figures about it.
fn holds_records(artifact: &Artifact) -> bool {
    !matches!(
        artifact.role.as_str(),
        "report" | "metrics" | "card" | "checksums"
    )
}

/// The file, shown in a frame that can do nothing.
pub async fn view(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let artifact = find(&dashboard, &viewer, &id).await?;
    let kind = shown_as(&artifact).ok_or_else(|| {
        Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "this file is for saving, not for showing",
        )
    })?;
    let mut response = dashboard.host.download(&artifact, &headers).await;
    if response.status().is_success() {
        let fields = response.headers_mut();
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        fields.remove(header::CONTENT_DISPOSITION);
        fields.insert(header::CONTENT_SECURITY_POLICY, REPORT_POLICY);
    }
    Ok(response)
}

/// The file, to save.
pub async fn download(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let artifact = find(&dashboard, &viewer, &id).await?;
    Ok(dashboard
        .host
        .download(&artifact, &headers)
        .await
        .into_response())
}

async fn find(
    dashboard: &Dashboard,
    viewer: &Viewer,
    id: &str,
) -> Result<std::sync::Arc<Artifact>> {
    let parsed = ArtifactId::parse(id).map_err(|_| Failure::not_found("artifact", id))?;
    Ok(dashboard
        .control
        .catalog
        .artifact(&viewer.scope, &parsed)
        .await?)
}
