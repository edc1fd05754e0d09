//! Templates, and the stages that they and new pipelines describe.

use mcpanel_api::template::{NewTemplate, StageDefinition, StageMode, Template};
use mcpanel_domain::pipeline as rules;
use mcpanel_store::query::Position;

/// A version of a template.
pub fn template(template: &rules::Template) -> Template {
    Template {
        template_id: template.id.clone(),
        namespace: template.namespace.clone(),
        version: template.version,
        description: template.description.clone(),
        stages: template.stages.iter().map(definition).collect(),
        created_by: template.created_by.clone(),
        created_at: template.created_at,
    }
}

fn definition(stage: &rules::StageDefinition) -> StageDefinition {
    let stated = (!stage.capabilities.is_empty()).then(|| stage.capabilities.clone());
    StageDefinition {
        stage: stage.number,
        name: stage.name.clone(),
        task_type: stage.task_type.clone(),
        dependencies: stage.dependencies.clone(),
        mode: mode(stage.mode),
        capabilities: stated,
        parameters: Some(stage.parameters.clone()),
        timeout_ms: stage.timeout_ms,
        retry_config: Some(stage.retry.clone().into()),
    }
}

/// How the tasks of a stage are made.
pub fn mode(mode: rules::Mode) -> StageMode {
    match mode {
        rules::Mode::Single => StageMode::Single,
        rules::Mode::Map => StageMode::Map,
        rules::Mode::Reduce => StageMode::Reduce,
    }
}

/// Where a template stands in lists.
pub fn position(template: &rules::Template) -> Position {
    Position {
        created_at: template.created_at,
        id: template.id.to_string(),
    }
}

/// A new version of a template, as the rules take it.
pub fn new(request: NewTemplate) -> rules::NewTemplate {
    rules::NewTemplate {
        id: request.template_id,
        description: request.description.unwrap_or_default(),
        stages: request.stages.into_iter().map(new_definition).collect(),
    }
}

/// A described stage, as the rules take it.
pub fn new_definition(stage: StageDefinition) -> rules::StageDefinition {
    rules::StageDefinition {
        number: stage.stage,
        name: stage.name,
        task_type: stage.task_type,
        capabilities: stage.capabilities.unwrap_or_default(),
        dependencies: stage.dependencies,
        mode: match stage.mode {
            StageMode::Single => rules::Mode::Single,
            StageMode::Map => rules::Mode::Map,
            StageMode::Reduce => rules::Mode::Reduce,
        },
        timeout_ms: stage.timeout_ms,
        retry: stage.retry_config.unwrap_or_default().into(),
        parameters: stage.parameters.unwrap_or_default(),
    }
}
