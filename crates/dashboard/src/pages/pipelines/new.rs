//! A new pipeline from a template and a file.

use axum::{
    extract::{RawQuery, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use maud::{Markup, html};
use mcpanel_control::{PipelineRequest, StagesFrom};
use mcpanel_domain::{ArtifactId, Payload, TemplateId, pipeline::Template};
use mcpanel_guard::Permission;
use multer::Multipart;

use crate::{
    Dashboard, Upload,
    error::{Failure, Result},
    form::{CSRF, back_with, check_token},
    limits::FORM_BYTES_MAX,
    session::{Flash, Viewer},
    ui::{
        layout::{self, Page, Section},
        list::Query,
        text,
    },
};

/// What the form holds; kept so that a refused one need not be typed again.
#[derive(Debug, Clone, Default)]
struct Asked {
    template: String,
    name: String,
    tags: String,
    priority: String,
    input: String,
    execute: bool,
    /// A file that is stored already, and its name.
    artifact: Option<(ArtifactId, String)>,
}

/// Shows the form.
pub async fn new(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Markup> {
    let query = Query::read(query.as_deref());
    let asked = Asked {
        template: query.text("template").unwrap_or_default().to_owned(),
        execute: true,
        ..Asked::default()
    };
    form(&dashboard, &viewer, &asked, None).await
}

async fn form(
    dashboard: &Dashboard,
    viewer: &Viewer,
    asked: &Asked,
    fault: Option<&str>,
) -> Result<Markup> {
    let templates = dashboard.control.pipelines.templates(&viewer.scope).await?;
    Ok(layout::page(
        viewer,
        &Page {
            title: "New pipeline",
            section: Section::Pipelines,
            follows: None,
            body: html! {
                div.page-head { h1 { "New pipeline" } }
                @if let Some(fault) = fault { p.flash.t-bad #fault role="alert" { (fault) } }
                form.card.stacked method="post" action="/pipelines/new" enctype="multipart/form-data" {
                    // The token comes first, so that no byte of a file is taken before it was checked.
                    input type="hidden" name=(CSRF) value=(viewer.csrf);
                    fieldset.choices { legend { "Template" }
                        @for (at, template) in templates.iter().enumerate() {
                            (choice(template, asked.template == template.id.as_str() || (asked.template.is_empty() && at == 0)))
                        }
                    }
                    label.field { span { "Name" } input type="text" name="name" maxlength="200" value=(asked.name) placeholder="the template's, when empty" autocomplete="off"; }
                    @if viewer.may(Permission::ArtifactWrite) {
                        @if let Some((id, name)) = &asked.artifact {
                            input type="hidden" name="artifact" value=(id);
                            p.muted { "“" (text::short(name, 60)) "” is stored already; choose another file only to replace it." }
                        }
                        label.field { span { "File" } input type="file" name="file" aria-describedby="file-hint";
                            span.hint #file-hint { "CSV, TSV, JSON, JSON Lines or the like. It is stored as an artifact and becomes the input." } }
                    }
                    details { summary { "More" }
                        div.fields {
                            label.field { span { "Tags, with commas between" } input type="text" name="tags" value=(asked.tags) autocomplete="off"; }
                            label.field { span { "Priority" } input type="number" name="priority" min="-1000" max="1000" value=(if asked.priority.is_empty() { "0" } else { &asked.priority }); }
                        }
                        label.field { span { "Input data (JSON object), instead of or beside the file" } textarea name="input" rows="4" spellcheck="false" placeholder=r#"{"mapping":{"question":"questionText"}}"# { (asked.input) } }
                    }
                    label.check { input type="checkbox" name="execute" value="yes" checked[asked.execute]; "Start it at once" }
                    div.actions { button.button.primary type="submit" { "Create" } a.button.plain href="/pipelines" { "Back" } }
                }
            },
        },
    ))
}

fn choice(template: &Template, chosen: bool) -> Markup {
    html! {
        label.choice {
            input type="radio" name="template" value=(template.id) checked[chosen];
            span {
                strong { (template.id) } span.muted { " v" (template.version) }
                span.choice-text { (text::short(&template.description, 200)) }
                span.choice-stages { @for (at, stage) in template.stages.iter().enumerate() {
                    @if at > 0 { " → " } (stage.name.replace('_', " ")) } }
            }
        }
    }
}

/// Takes the form: the file on its way to the disk, then the pipeline.
pub async fn create(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    request: Request,
) -> Result<Response> {
    let mut asked = Asked::default();
    let outcome = async {
        receive(&dashboard, &viewer, request, &mut asked).await?;
        make(&dashboard, &viewer, &asked).await
    }
    .await;
    match outcome {
        Ok(response) => Ok(response),
        Err(failure) if failure.status == StatusCode::UNPROCESSABLE_ENTITY => {
            let page = form(&dashboard, &viewer, &asked, Some(&failure.detail)).await?;
            Ok((failure.status, page).into_response())
        }
        Err(failure) => Err(failure),
    }
}

async fn receive(
    dashboard: &Dashboard,
    viewer: &Viewer,
    request: Request,
    asked: &mut Asked,
) -> Result<()> {
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let boundary = kind
        .and_then(|kind| multer::parse_boundary(kind.to_str().ok()?).ok())
        .ok_or_else(|| Failure::bad_request("this form is sent as multipart/form-data"))?;
    let mut fields = Multipart::new(body.into_data_stream(), boundary);
    let mut checked = false;
    while let Some(mut field) = fields.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            // An empty choice is sent as a file without a name.
            let file_name = field.file_name().unwrap_or_default().to_owned();
            if file_name.is_empty() {
                continue;
            }
            check(checked, viewer)?;
            if !viewer.may(Permission::ArtifactWrite) {
                let why =
                    "this needs the permission `artifact:write`, which your key does not have";
                return Err(Failure::new(StatusCode::FORBIDDEN, why));
            }
            let media_type = field.content_type().map_or_else(
                || "application/octet-stream".to_owned(),
                ToString::to_string,
            );
            let upload = Upload {
                name: plain_name(&file_name),
                media_type,
                bytes: field
                    .map(|piece| piece.map_err(std::io::Error::other))
                    .boxed(),
            };
            let stored = dashboard.host.store(&viewer.scope, upload).await?;
            asked.artifact = Some((stored.id.clone(), stored.name.clone()));
            continue;
        }
        let mut bytes = Vec::new();
        while let Some(piece) = field.chunk().await.map_err(broken)? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > FORM_BYTES_MAX {
                let why = format!(
                    "`{}` has more than {FORM_BYTES_MAX} bytes",
                    text::short(&name, 40)
                );
                return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, why));
            }
        }
        let value = String::from_utf8_lossy(&bytes).trim().to_owned();
        match name.as_str() {
            CSRF => {
                check_token(viewer, Some(&value))?;
                checked = true;
            }
            "template" => asked.template = value,
            "name" => asked.name = value,
            "tags" => asked.tags = value,
            "priority" => asked.priority = value,
            "input" => asked.input = value,
            "execute" => asked.execute = value == "yes",
            "artifact" if asked.artifact.is_none() && !value.is_empty() => {
                let id = ArtifactId::parse(&value)
                    .map_err(|_| Failure::not_found("artifact", &value))?;
                let stored = dashboard
                    .control
                    .catalog
                    .artifact(&viewer.scope, &id)
                    .await?;
                asked.artifact = Some((id, stored.name.clone()));
            }
            _ => {}
        }
    }
    check(checked, viewer)
}

fn check(checked: bool, viewer: &Viewer) -> Result<()> {
    if checked {
        Ok(())
    } else {
        check_token(viewer, None)
    }
}

fn broken(error: multer::Error) -> Failure {
    Failure::bad_request(format!(
        "the form did not come whole: {error}; nothing was made"
    ))
}

/// The last part of a file's name, whatever a browser puts before it.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = text::short(last.trim_start_matches('.'), 100);
    if plain.is_empty() {
        "upload".to_owned()
    } else {
        plain
    }
}

async fn make(dashboard: &Dashboard, viewer: &Viewer, asked: &Asked) -> Result<Response> {
    let refused = |why: String| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, why);
    let template =
        TemplateId::parse(&asked.template).map_err(|_| refused("choose a template".to_owned()))?;
    let priority = match asked.priority.as_str() {
        "" => 0,
        text => text
            .parse()
            .map_err(|_| refused("the priority is a whole number".to_owned()))?,
    };
    let name = if asked.name.is_empty() {
        match &asked.artifact {
            Some((_, file)) => format!("{template} over {file}"),
            None => template.to_string(),
        }
    } else {
        asked.name.clone()
    };
    let request = PipelineRequest {
        id: None,
        name,
        description: String::new(),
        stages: StagesFrom::Template(template, None),
        input_data: input(asked).map_err(refused)?,
        metadata: Payload::empty(),
        tags: asked
            .tags
            .split(',')
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect(),
        priority,
    };
    let pipelines = &dashboard.control.pipelines;
    let made = pipelines.create(&viewer.scope, request, None).await?.value;
    let id = &made.pipeline.id;
    let here = format!("/pipelines/{id}");
    if !asked.execute {
        return Ok(back_with(
            &here,
            &Flash::done("The pipeline is made; start it when you like."),
        ));
    }
    crate::form::outcome(&here, pipelines.execute(&viewer.scope, id).await, |_| {
        "The pipeline runs.".to_owned()
    })
}

/// What the pipeline works on: the object that was typed, with the file's artifact in it.
fn input(asked: &Asked) -> std::result::Result<Payload, String> {
    let mut fields = match asked.input.as_str() {
        "" => serde_json::Map::new(),
        text => serde_json::from_str(text)
            .map_err(|error| format!("the input data is no JSON object: {error}"))?,
    };
    if let Some((id, _)) = &asked.artifact {
        fields.insert("artifact_id".to_owned(), id.as_str().into());
    }
    Payload::of(&fields).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_its_last_part() {
        assert_eq!(plain_name("C:\\data\\a b.csv"), "a b.csv");
        assert_eq!(plain_name("../../.hidden"), "hidden");
        assert_eq!(plain_name(".."), "upload");
    }

    #[test]
    fn the_file_joins_what_was_typed() {
        let asked = Asked {
            input: r#"{"mapping":{"a":"b"}}"#.to_owned(),
            artifact: Some((ArtifactId::parse("art_1").unwrap(), "x.csv".to_owned())),
            ..Asked::default()
        };
        assert_eq!(
            input(&asked).unwrap().as_str(),
            r#"{"artifact_id":"art_1","mapping":{"a":"b"}}"#
        );
        let wrong = Asked {
            input: "[1]".to_owned(),
            ..Asked::default()
        };
        assert!(input(&wrong).unwrap_err().contains("no JSON object"));
    }
}
