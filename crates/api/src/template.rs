//! Templates: versioned descriptions of pipelines. A run keeps the snapshot it was started with.

use mcpanel_domain::{Name, Namespace, Payload, TemplateId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{page::page, retry::RetryConfig, schema};

/// How the tasks of a stage are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageMode {
    /// One task.
    #[default]
    Single,
    /// One task for each chunk that the stages it depends on made.
    Map,
    /// One task that gets everything that the stages it depends on made.
    Reduce,
}

/// A stage as a template or a new pipeline describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"stage": 2, "name": "preprocessing", "task_type": "preprocessing", "dependencies": [1], "mode": "map", "timeout_ms": 600000}))]
pub struct StageDefinition {
    /// Its number, unique within the pipeline.
    #[schema(value_type = schema::StageNumber)]
    pub stage: u16,
    #[schema(value_type = schema::Title)]
    pub name: String,
    /// The type of its tasks.
    #[schema(value_type = schema::Name)]
    pub task_type: Name,
    /// Numbers of the stages that must complete first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = schema::StageDependencies)]
    pub dependencies: Vec<u16>,
    #[serde(default)]
    pub mode: StageMode,
    /// What an agent must offer to run its tasks; the task type when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Capabilities>)]
    pub capabilities: Option<Vec<Name>>,
    /// Given to each of its tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub parameters: Option<Payload>,
    /// How long one attempt at one of its tasks may take, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::TimeoutMs>)]
    pub timeout_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_config: Option<RetryConfig>,
}

/// A version of a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Template {
    #[schema(value_type = schema::Id)]
    pub template_id: TemplateId,
    #[schema(value_type = schema::Name)]
    pub namespace: Namespace,
    /// From 1; each change makes a new one.
    pub version: u32,
    pub description: String,
    pub stages: Vec<StageDefinition>,
    pub created_by: String,
    #[schema(value_type = schema::Time)]
    pub created_at: Timestamp,
}

/// Stores a template, or a new version of the template with this id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTemplate {
    #[schema(value_type = schema::Id)]
    pub template_id: TemplateId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Text>)]
    pub description: Option<String>,
    #[schema(min_items = 1, max_items = 64)]
    pub stages: Vec<StageDefinition>,
}

/// Which version of a template.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, utoipa::IntoParams,
)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TemplateVersionQuery {
    /// The newest when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    #[param(minimum = 1)]
    pub version: Option<u32>,
}

page! {
    /// A page of templates, the newest version of each.
    TemplatePage, templates: Template
}
