//! Pipelines and templates: the specification's `pipelines` collection, and the stages of both.

use mcpanel_domain::{
    TaskId,
    pipeline::{Mode, Pipeline, Stage, StageDefinition, StageStatus, Status, Template},
};
use mongodb::bson::RawDocument;

use super::{
    fields::{Fields, Reader, Unreadable, long},
    payload::{self, INLINE_BYTES_MAX, Large, PART_BYTES_MAX, Shelf},
    task::{read_retry, retry},
};

/// Task ids written out for one stage. The others follow from (pipeline, run, stage, index), and
/// 100,000 of them would be 5 MB, sent anew with each change of the pipeline.
pub const TASKS_LISTED_MAX: u32 = 1_000;

/// Whether reconcilers look at a pipeline whatever its tasks do; the field is there only then.
pub const UNFINISHED: &str = "unfinished";

/// The document.
pub fn encode(pipeline: &Pipeline, large: &mut Vec<Large>) -> Fields {
    let mut fields = Fields::new();
    fields.put("pipeline_id", pipeline.id.as_str());
    fields.put("namespace", pipeline.namespace.as_str());
    fields.put_u64("revision", pipeline.revision);
    fields.put("name", pipeline.name.as_str());
    fields.put("description", pipeline.description.as_str());
    if let Some((template, version)) = &pipeline.template {
        fields.put("template_id", template.as_str());
        fields.put("template_version", i64::from(*version));
    }
    fields.put("status", pipeline.status.as_str());
    let stages: Vec<Fields> = pipeline
        .stages
        .iter()
        .map(|each| stage(pipeline, each, large))
        .collect();
    fields.put_all("stages", stages);
    payload::put(
        &mut fields,
        "input_data",
        &pipeline.input_data,
        INLINE_BYTES_MAX,
        large,
    );
    if let Some(output) = &pipeline.output_data {
        payload::put(&mut fields, "output_data", output, INLINE_BYTES_MAX, large);
    }
    payload::put(
        &mut fields,
        "metadata",
        &pipeline.metadata,
        PART_BYTES_MAX,
        large,
    );
    fields.put_texts("tags", pipeline.tags.iter().map(String::as_str));
    fields.put("priority", pipeline.priority);
    fields.put_opt("error", pipeline.error.as_deref());
    fields.put("progress_floor", pipeline.progress_floor);
    fields.put_date("created_at", pipeline.created_at);
    fields.put_date("updated_at", pipeline.updated_at);
    fields.put_date_opt("started_at", pipeline.started_at);
    fields.put_date_opt("completed_at", pipeline.completed_at);
    fields.put("created_by", pipeline.created_by.as_str());
    if is_unfinished(pipeline) {
        fields.put(UNFINISHED, true);
    }
    fields
}

fn is_unfinished(pipeline: &Pipeline) -> bool {
    match pipeline.status {
        Status::Running => true,
        Status::Completed => pipeline.output_data.is_none(),
        Status::Created | Status::Failed | Status::Cancelled => false,
    }
}

/// Reads a pipeline.
pub fn decode(document: &RawDocument, shelf: &Shelf) -> Result<Pipeline, Unreadable> {
    let reader = Reader::new(document)?;
    let template = match reader.parsed_opt("template_id")? {
        Some(id) => Some((id, reader.int("template_version")?)),
        None => None,
    };
    Ok(Pipeline {
        id: reader.parsed("pipeline_id")?,
        namespace: reader.parsed("namespace")?,
        revision: reader.int("revision")?,
        name: reader.text("name")?.to_owned(),
        description: reader.text("description")?.to_owned(),
        template,
        status: reader.word("status", Status::parse)?,
        stages: reader
            .inner_all("stages")?
            .iter()
            .map(|each| read_stage(each, shelf))
            .collect::<Result<_, _>>()?,
        input_data: payload::need(&reader, "input_data", shelf)?,
        output_data: payload::get(&reader, "output_data", shelf)?,
        metadata: payload::need(&reader, "metadata", shelf)?,
        tags: reader.list_of("tags")?,
        priority: reader.int("priority")?,
        error: reader.text_opt("error")?.map(str::to_owned),
        progress_floor: reader.float("progress_floor")?,
        created_at: reader.date("created_at")?,
        updated_at: reader.date("updated_at")?,
        started_at: reader.date_opt("started_at")?,
        completed_at: reader.date_opt("completed_at")?,
        created_by: reader.text("created_by")?.to_owned(),
    })
}

/// The document of a template's version.
pub fn encode_template(template: &Template, large: &mut Vec<Large>) -> Fields {
    let mut fields = Fields::new();
    fields.put("template_id", template.id.as_str());
    fields.put("namespace", template.namespace.as_str());
    fields.put("version", i64::from(template.version));
    fields.put("description", template.description.as_str());
    let stages: Vec<Fields> = template
        .stages
        .iter()
        .map(|each| {
            let mut fields = Fields::new();
            definition(&mut fields, each, large);
            fields
        })
        .collect();
    fields.put_all("stages", stages);
    fields.put_date("created_at", template.created_at);
    fields.put("created_by", template.created_by.as_str());
    fields
}

/// Reads a template's version.
pub fn decode_template(document: &RawDocument, shelf: &Shelf) -> Result<Template, Unreadable> {
    let reader = Reader::new(document)?;
    Ok(Template {
        id: reader.parsed("template_id")?,
        namespace: reader.parsed("namespace")?,
        version: reader.int("version")?,
        description: reader.text("description")?.to_owned(),
        stages: reader
            .inner_all("stages")?
            .iter()
            .map(|each| read_definition(each, shelf))
            .collect::<Result<_, _>>()?,
        created_at: reader.date("created_at")?,
        created_by: reader.text("created_by")?.to_owned(),
    })
}

fn stage(pipeline: &Pipeline, stage: &Stage, large: &mut Vec<Large>) -> Fields {
    let number = stage.definition.number;
    let mut fields = Fields::new();
    fields.put("status", stage.status.as_str());
    let ids: Vec<TaskId> = (0..stage.total.min(TASKS_LISTED_MAX))
        .map(|index| TaskId::of_stage(&pipeline.id, stage.run, number, index))
        .collect();
    fields.put_texts("tasks", ids.iter().map(TaskId::as_str));
    fields.put("total", i64::from(stage.total));
    fields.put("run", i64::from(stage.run));
    if stage.replaying {
        fields.put("replaying", true);
    }
    fields.put_date_opt("started_at", stage.started_at);
    fields.put_date_opt("completed_at", stage.completed_at);
    definition(&mut fields, &stage.definition, large);
    fields
}

fn read_stage(reader: &Reader<'_>, shelf: &Shelf) -> Result<Stage, Unreadable> {
    Ok(Stage {
        status: reader.word("status", stage_status)?,
        total: reader.int("total")?,
        run: reader.int("run")?,
        replaying: reader.flag("replaying"),
        started_at: reader.date_opt("started_at")?,
        completed_at: reader.date_opt("completed_at")?,
        definition: read_definition(reader, shelf)?,
    })
}

fn definition(fields: &mut Fields, definition: &StageDefinition, large: &mut Vec<Large>) {
    fields.put("stage", i32::from(definition.number));
    fields.put("name", definition.name.as_str());
    fields.put("task_type", definition.task_type.as_str());
    fields.put_texts(
        "capabilities",
        definition.capabilities.iter().map(|each| each.as_str()),
    );
    let dependencies: mongodb::bson::RawArrayBuf = definition
        .dependencies
        .iter()
        .map(|number| i32::from(*number))
        .collect();
    fields.put("dependencies", dependencies);
    fields.put("mode", definition.mode.as_str());
    fields.put_opt("timeout_ms", definition.timeout_ms.map(long));
    fields.put_fields("retry_config", retry(&definition.retry));
    payload::put(
        fields,
        "parameters",
        &definition.parameters,
        PART_BYTES_MAX,
        large,
    );
}

fn read_definition(reader: &Reader<'_>, shelf: &Shelf) -> Result<StageDefinition, Unreadable> {
    Ok(StageDefinition {
        number: reader.int("stage")?,
        name: reader.text("name")?.to_owned(),
        task_type: reader.parsed("task_type")?,
        capabilities: reader.list_of("capabilities")?,
        dependencies: reader.list_of_ints("dependencies")?,
        mode: reader.word("mode", mode)?,
        timeout_ms: reader.int_opt("timeout_ms")?,
        retry: read_retry(&reader.inner("retry_config")?)?,
        parameters: payload::need(reader, "parameters", shelf)?,
    })
}

fn mode(word: &str) -> Option<Mode> {
    [Mode::Single, Mode::Map, Mode::Reduce]
        .into_iter()
        .find(|each| each.as_str() == word)
}

fn stage_status(word: &str) -> Option<StageStatus> {
    [
        StageStatus::Pending,
        StageStatus::Running,
        StageStatus::Completed,
        StageStatus::Failed,
        StageStatus::Cancelled,
    ]
    .into_iter()
    .find(|each| each.as_str() == word)
}
