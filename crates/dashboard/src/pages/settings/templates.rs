//! Templates: what pipelines are made of. Versions are never changed; a change stores the next one.

use axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use mcpanel_domain::{
    Name, Payload, TemplateId,
    pipeline::{Mode, NewTemplate, StageDefinition, Template},
    retry::RetryConfig,
};
use mcpanel_guard::Permission;
use serde::{Deserialize, Serialize};

use super::tabs;
use crate::{
    Dashboard,
    error::{Failure, Result},
    form::{CSRF, Form, back_with},
    pages::people::People,
    session::{Flash, Viewer},
    ui::{
        layout::{self, Page, Section},
        list::Query,
        parts, text,
    },
};

/// A stage as people write it: the same fields as in the API.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StageText {
    stage: u16,
    name: String,
    task_type: Name,
    #[serde(default)]
    dependencies: Vec<u16>,
    #[serde(default)]
    mode: ModeText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capabilities: Option<Vec<Name>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parameters: Option<Payload>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_config: Option<RetryConfig>,
}

#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ModeText {
    #[default]
    Single,
    Map,
    Reduce,
}

impl From<&StageDefinition> for StageText {
    fn from(stage: &StageDefinition) -> Self {
        Self {
            stage: stage.number,
            name: stage.name.clone(),
            task_type: stage.task_type.clone(),
            dependencies: stage.dependencies.clone(),
            mode: match stage.mode {
                Mode::Single => ModeText::Single,
                Mode::Map => ModeText::Map,
                Mode::Reduce => ModeText::Reduce,
            },
            capabilities: (!stage.capabilities.is_empty()).then(|| stage.capabilities.clone()),
            parameters: (stage.parameters != Payload::empty()).then(|| stage.parameters.clone()),
            timeout_ms: stage.timeout_ms,
            retry_config: (stage.retry != RetryConfig::default()).then(|| stage.retry.clone()),
        }
    }
}

impl From<StageText> for StageDefinition {
    fn from(stage: StageText) -> Self {
        Self {
            number: stage.stage,
            name: stage.name,
            task_type: stage.task_type,
            capabilities: stage.capabilities.unwrap_or_default(),
            dependencies: stage.dependencies,
            mode: match stage.mode {
                ModeText::Single => Mode::Single,
                ModeText::Map => Mode::Map,
                ModeText::Reduce => Mode::Reduce,
            },
            timeout_ms: stage.timeout_ms,
            retry: stage.retry_config.unwrap_or_default(),
            parameters: stage.parameters.unwrap_or_default(),
        }
    }
}

/// Lists the templates.
pub async fn templates(State(dashboard): State<Dashboard>, viewer: Viewer) -> Result<Markup> {
    page(&dashboard, &viewer, &Draft::default(), None).await
}

/// What was typed into the form.
#[derive(Default)]
struct Draft {
    id: String,
    description: String,
    stages: String,
}

async fn page(
    dashboard: &Dashboard,
    viewer: &Viewer,
    draft: &Draft,
    fault: Option<&str>,
) -> Result<Markup> {
    let found = dashboard.control.pipelines.templates(&viewer.scope).await?;
    let example = found
        .first()
        .map(|first| text_of(first))
        .unwrap_or_default();
    let stages = if draft.stages.is_empty() {
        &example
    } else {
        &draft.stages
    };
    let callers = found.iter().map(|each| &*each.created_by);
    let people = People::among(dashboard, viewer, callers).await?;
    Ok(layout::page(
        viewer,
        &Page {
            title: "Templates",
            section: Section::Settings,
            follows: None,
            body: html! {
                div.page-head { h1 { "Templates" } }
                (tabs(viewer, "/settings/templates"))
                div.scroll tabindex="0" role="region" aria-label="Templates" { table data-rows {
                    thead { tr { th scope="col" { "Template" } th.number scope="col" { "Version" } th scope="col" { "Stages" } th scope="col" { "Stored" } th { span.visually-hidden { "Actions" } } } }
                    tbody { @for template in &found { tr {
                        td { a.row-link href={ "/settings/templates/" (template.id) } { (template.id) } div.under { (text::short(&template.description, 120)) } }
                        td.number { (template.version) }
                        td { span.choice-stages { @for (at, stage) in template.stages.iter().enumerate() { @if at > 0 { " → " } (text::short(&stage.name.replace('_', " "), 30)) } } }
                        td { @if template.created_at == mcpanel_domain::Timestamp::ZERO { "built in" } @else { (parts::age(template.created_at, viewer.now)) div.under { "by " (people.draw(&template.created_by)) } } }
                        td.actions { @if viewer.may(Permission::PipelineCreate) { a.button.small href={ "/pipelines/new?template=" (template.id) } { "Use" span.visually-hidden { " " (template.id) } } } }
                    } } }
                } }
                @if viewer.may(Permission::TemplateManage) {
                    section.card aria-labelledby="store" {
                        h2 #store { "Store a template, or the next version of one" }
                        @if let Some(fault) = fault { p.flash.t-bad role="alert" { (fault) } }
                        form.stacked method="post" action="/settings/templates" {
                            input type="hidden" name=(CSRF) value=(viewer.csrf);
                            label.field { span { "Id" } input type="text" name="id" required maxlength="128" value=(draft.id) autocomplete="off" spellcheck="false"; }
                            label.field { span { "What it is for" } input type="text" name="description" maxlength="2000" value=(draft.description) autocomplete="off"; }
                            label.field { span { "Stages (JSON)" } textarea.code name="stages" rows="16" spellcheck="false" required { (stages) } }
                            div.actions { button.button.primary type="submit" { "Store" } }
                        }
                    }
                }
            },
        },
    ))
}

fn text_of(template: &Template) -> String {
    let stages: Vec<StageText> = template.stages.iter().map(Into::into).collect();
    serde_json::to_string_pretty(&stages).unwrap_or_default()
}

/// Stores a version.
pub async fn store_template(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    form: Form,
) -> Result<Response> {
    let draft = Draft {
        id: form.text("id").unwrap_or_default().to_owned(),
        description: form.text("description").unwrap_or_default().to_owned(),
        stages: form.text("stages").unwrap_or_default().to_owned(),
    };
    let new = match read(&draft) {
        Ok(new) => new,
        Err(why) => return refused(&dashboard, &viewer, &draft, &why).await,
    };
    let pipelines = &dashboard.control.pipelines;
    match pipelines.create_template(&viewer.scope, new, None).await {
        Ok(made) => {
            let (id, version) = (&made.value.id, made.value.version);
            let flash = Flash::done(format!("Version {version} of {id} is stored."));
            Ok(back_with(&format!("/settings/templates/{id}"), &flash))
        }
        Err(error) => {
            let failure = Failure::from(error);
            if failure.status.is_server_error() {
                return Err(failure);
            }
            refused(&dashboard, &viewer, &draft, &failure.detail).await
        }
    }
}

fn read(draft: &Draft) -> std::result::Result<NewTemplate, String> {
    let id = TemplateId::parse(&draft.id).map_err(|error| format!("The id {error}."))?;
    let stages: Vec<StageText> = serde_json::from_str(&draft.stages)
        .map_err(|error| format!("The stages are not what a template has: {error}."))?;
    Ok(NewTemplate {
        id,
        description: draft.description.clone(),
        stages: stages.into_iter().map(Into::into).collect(),
    })
}

async fn refused(
    dashboard: &Dashboard,
    viewer: &Viewer,
    draft: &Draft,
    why: &str,
) -> Result<Response> {
    let page = page(dashboard, viewer, draft, Some(why)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// Shows one version of a template.
pub async fn template(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Markup> {
    let id = TemplateId::parse(&id).map_err(|_| Failure::not_found("template", &id))?;
    let query = Query::read(query.as_deref());
    let version = query.text("version").and_then(|text| text.parse().ok());
    let template = dashboard
        .control
        .pipelines
        .template(&viewer.scope, &id, version)
        .await?;
    let title = format!("Template {id}");
    Ok(layout::page(
        &viewer,
        &Page {
            title: &title,
            section: Section::Settings,
            follows: None,
            body: html! {
                div.page-head {
                    div { h1 { (id) span.h1-kind { "version " (template.version) } } p.sub { (text::short(&template.description, 400)) } }
                    @if viewer.may(Permission::PipelineCreate) { div.actions { a.button.primary href={ "/pipelines/new?template=" (id) } { "Use" } } }
                }
                (tabs(&viewer, "/settings/templates"))
                @if template.version > 1 { p.muted { "Versions: " @for each in (1..=template.version).rev().take(20) { a href={ "?version=" (each) } { (each) } " " } } }
                section.card aria-labelledby="stages" {
                    h2 #stages { "Stages" }
                    ol.stages { @for stage in &template.stages { li.stage {
                        div.stage-head { span.stage-number { (stage.number) } span.stage-name { (text::short(&stage.name.replace('_', " "), 60)) } span.chip { (stage.mode.as_str()) } }
                        div.stage-foot {
                            span { "type " code { (stage.task_type) } }
                            @if !stage.dependencies.is_empty() { span { "after " (stage.dependencies.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")) } }
                            @if let Some(ms) = stage.timeout_ms { span { "timeout " (text::duration(ms)) } }
                            span { "up to " (text::counted(u64::from(stage.retry.max_retries), "retry").replace("retrys", "retries")) }
                        }
                    } } }
                }
                section.card aria-labelledby="json" { h2 #json { "As JSON" } pre.json tabindex="0" aria-label="Stages as JSON" { (text_of(&template)) } }
            },
        },
    ))
}
