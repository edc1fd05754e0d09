//! Templates, and the making of pipelines from them.

use serde::{Deserialize, Serialize};

use super::{Decision, Pipeline, Stage, StageDefinition, Status, decide::event, graph};
use crate::{
    Fault, Namespace, Payload, PipelineId, Rejection, TemplateId, Timestamp,
    event::{Event, Kind},
    limits::{PAYLOAD_BYTES_MAX, PRIORITY_RANGE, TAGS_MAX, TEXT_CHARS_MAX, TITLE_CHARS_MAX},
    text::{bad_text, bad_title},
};

/// One version of a template. Versions are never changed; a change makes a new one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Its id, the same for all versions.
    pub id: TemplateId,
    /// Whose it is.
    pub namespace: Namespace,
    /// From 1.
    pub version: u32,
    /// What it is for.
    pub description: String,
    /// Its stages, by number.
    pub stages: Vec<StageDefinition>,
    /// When this version was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

/// What a caller says about a new version of a template.
#[derive(Debug, Clone)]
pub struct NewTemplate {
    /// Its id.
    pub id: TemplateId,
    /// What it is for.
    pub description: String,
    /// Its stages.
    pub stages: Vec<StageDefinition>,
}

/// The next version after `latest`, and what to record.
pub fn create_template(
    new: NewTemplate,
    latest: u32,
    namespace: &Namespace,
    by: &str,
    now: Timestamp,
) -> Result<(Template, Event), Rejection> {
    let mut faults = graph::check(&new.stages);
    check_text("/description", &new.description, &mut faults);
    if !faults.is_empty() {
        return Err(Rejection::Invalid { faults });
    }
    let mut event = Event::new(Kind::TemplateStored, now, namespace.clone());
    event.subject = Some(new.id.as_str().to_owned());
    Ok((
        Template {
            id: new.id,
            namespace: namespace.clone(),
            version: latest + 1,
            description: new.description,
            stages: by_number(new.stages),
            created_at: now,
            created_by: by.to_owned(),
        },
        event,
    ))
}

/// What a caller says about a new pipeline.
#[derive(Debug, Clone)]
pub struct NewPipeline {
    /// Its id; generated where the caller brought none.
    pub id: PipelineId,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The template and version that the stages come from.
    pub template: Option<(TemplateId, u32)>,
    /// Its stages.
    pub stages: Vec<StageDefinition>,
    /// What it works on.
    pub input_data: Payload,
    /// Free-form.
    pub metadata: Payload,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Priority of its tasks.
    pub priority: i32,
}

/// The first revision of a pipeline.
pub fn create(
    new: NewPipeline,
    namespace: &Namespace,
    by: &str,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    let mut faults = graph::check(&new.stages);
    check_title(&new.name, &mut faults);
    check_text("/description", &new.description, &mut faults);
    check_tags(&new.tags, &mut faults);
    check_payload("/input_data", &new.input_data, &mut faults);
    check_payload("/metadata", &new.metadata, &mut faults);
    if !PRIORITY_RANGE.contains(&new.priority) {
        faults.push(Fault::new(
            "/priority",
            "out_of_range",
            format!(
                "is {}; must be from {} to {}",
                new.priority,
                PRIORITY_RANGE.start(),
                PRIORITY_RANGE.end()
            ),
        ));
    }
    if !faults.is_empty() {
        return Err(Rejection::Invalid { faults });
    }
    let pipeline = Pipeline {
        id: new.id,
        namespace: namespace.clone(),
        revision: 1,
        name: new.name,
        description: new.description,
        template: new.template,
        status: Status::Created,
        stages: by_number(new.stages)
            .into_iter()
            .map(Stage::pending)
            .collect(),
        input_data: new.input_data,
        output_data: None,
        metadata: new.metadata,
        tags: new.tags,
        priority: new.priority,
        error: None,
        progress_floor: 0.0,
        created_at: now,
        updated_at: now,
        started_at: None,
        completed_at: None,
        created_by: by.to_owned(),
    };
    let events = vec![event(&pipeline, Kind::PipelineCreated, None, now, None)];
    Ok(Decision {
        pipeline: Some(pipeline),
        events,
        effects: Vec::new(),
    })
}

fn by_number(mut stages: Vec<StageDefinition>) -> Vec<StageDefinition> {
    stages.sort_by_key(|stage| stage.number);
    stages
}

pub(super) fn check_title(name: &str, faults: &mut Vec<Fault>) {
    if let Some(why) = bad_title(name, TITLE_CHARS_MAX) {
        faults.push(Fault::new("/name", "length", why));
    }
}

pub(super) fn check_text(pointer: &str, text: &str, faults: &mut Vec<Fault>) {
    if let Some(why) = bad_text(text, TEXT_CHARS_MAX) {
        faults.push(Fault::new(pointer, "too_long", why));
    }
}

pub(super) fn check_tags(tags: &[String], faults: &mut Vec<Fault>) {
    if tags.len() > TAGS_MAX {
        faults.push(Fault::new(
            "/tags",
            "too_many",
            format!("has {} items; at most {TAGS_MAX}", tags.len()),
        ));
        return;
    }
    for (at, tag) in tags.iter().enumerate() {
        if let Some(why) = bad_title(tag, TITLE_CHARS_MAX) {
            faults.push(Fault::new(format!("/tags/{at}"), "length", why));
        }
    }
}

pub(super) fn check_payload(pointer: &str, payload: &Payload, faults: &mut Vec<Fault>) {
    if payload.size_bytes() > PAYLOAD_BYTES_MAX {
        faults.push(Fault::new(
            pointer,
            "too_large",
            format!(
                "has {} bytes; at most {PAYLOAD_BYTES_MAX}",
                payload.size_bytes()
            ),
        ));
    }
}
