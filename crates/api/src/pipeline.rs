//! Pipelines: runs of stages over data.

use std::collections::BTreeMap;

use mcpanel_domain::{Name, Namespace, Payload, PipelineId, TaskId, TemplateId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    page::page,
    retry::RetryConfig,
    schema,
    template::{StageDefinition, StageMode},
};

/// Where a pipeline is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PipelineStatus {
    /// No stage has begun.
    Created,
    Running,
    Completed,
    Failed,
    Cancelled,
}

/// Where a stage is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageStatus {
    /// Waits for the stages it depends on.
    Pending,
    Running,
    Completed,
    Failed,
    Cancelled,
}

/// How many tasks of a stage are where in their lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskCounts {
    pub total: u32,
    pub pending: u32,
    pub assigned: u32,
    pub running: u32,
    pub completed: u32,
    pub failed: u32,
    pub retry: u32,
    pub cancelled: u32,
}

/// A stage of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stage {
    /// Its number.
    #[schema(value_type = schema::StageNumber)]
    pub stage: u16,
    pub name: String,
    #[schema(value_type = schema::Name)]
    pub task_type: Name,
    pub mode: StageMode,
    pub status: StageStatus,
    /// The first of its tasks, up to 1,000 (ten in lists); `counts.total` tells how many there are, and
    /// `GET /api/v1/tasks?pipeline_id=…&stage=…` lists them all.
    #[schema(value_type = Vec<schema::Id>)]
    pub tasks: Vec<TaskId>,
    /// Numbers of the stages that must complete first.
    pub dependencies: Vec<u16>,
    pub counts: TaskCounts,
    /// How far it is, 0 to 100; never goes back.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: f64,
    #[schema(value_type = Option<schema::TimeoutMs>)]
    pub timeout_ms: Option<u64>,
    pub retry_config: RetryConfig,
    /// Which run of the stage this is, from 1: a retry runs it again with new tasks.
    pub run: u32,
    #[schema(value_type = Option<schema::Time>)]
    pub started_at: Option<Timestamp>,
    #[schema(value_type = Option<schema::Time>)]
    pub completed_at: Option<Timestamp>,
}

/// A pipeline: one run of its stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Pipeline {
    #[schema(value_type = schema::Id)]
    pub pipeline_id: PipelineId,
    #[schema(value_type = schema::Name)]
    pub namespace: Namespace,
    pub name: String,
    pub description: String,
    pub status: PipelineStatus,
    /// The template it was made of; null when its stages were given.
    #[schema(value_type = Option<schema::Id>)]
    pub template_id: Option<TemplateId>,
    /// The version it keeps.
    pub template_version: Option<u32>,
    pub stages: Vec<Stage>,
    /// How far it is, 0 to 100; never goes back.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: f64,
    #[schema(value_type = schema::Payload)]
    pub input_data: Payload,
    /// What its last stages made.
    #[schema(value_type = Option<schema::Payload>)]
    pub output_data: Option<Payload>,
    #[schema(value_type = schema::Payload)]
    pub metadata: Payload,
    /// Why it failed or was cancelled.
    pub error: Option<String>,
    pub tags: Vec<String>,
    /// The priority of its tasks.
    #[schema(value_type = schema::Priority)]
    pub priority: i32,
    pub created_by: String,
    #[schema(value_type = schema::Time)]
    pub created_at: Timestamp,
    #[schema(value_type = schema::Time)]
    pub updated_at: Timestamp,
    #[schema(value_type = Option<schema::Time>)]
    pub started_at: Option<Timestamp>,
    #[schema(value_type = Option<schema::Time>)]
    pub completed_at: Option<Timestamp>,
    /// Grows with every change; the `ETag` carries it.
    pub revision: u64,
}

/// Makes a pipeline from a template, or from stages of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "counselling answers", "template": "techdeck", "input_data": {"artifact_id": "art_01jgk3v8f2q4x6z8b0d2f4h6j8"}}))]
pub struct NewPipeline {
    /// Its id; made by the server when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub pipeline_id: Option<PipelineId>,
    /// The template's id; give this or `stages`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub template: Option<TemplateId>,
    /// The version of the template; the newest when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub template_version: Option<u32>,
    /// Stages of its own; give this or `template`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 64)]
    pub stages: Option<Vec<StageDefinition>>,
    #[schema(value_type = schema::Title)]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Text>)]
    pub description: Option<String>,
    /// What the stages work on. `artifact_id` names an uploaded file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub input_data: Option<Payload>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub metadata: Option<Payload>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = schema::Tags)]
    pub tags: Vec<String>,
    /// The priority of its tasks; 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Priority>)]
    pub priority: Option<i32>,
    /// Whether its first stages begin at once; false when left out.
    #[serde(default)]
    pub execute: bool,
}

/// Changes how a pipeline is described. What is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdatePipeline {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Title>)]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Text>)]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Payload>)]
    pub metadata: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Tags>)]
    pub tags: Option<Vec<String>>,
}

/// Cancels a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CancelPipeline {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Text>)]
    pub reason: Option<String>,
}

/// Runs an ended pipeline again from a stage: that stage and all that depend on it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"from_stage": 3}))]
pub struct RetryPipeline {
    /// The stage; the stages that failed or were cancelled when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::StageNumber>)]
    pub from_stage: Option<u16>,
}

/// How far a pipeline is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PipelineProgress {
    #[schema(value_type = schema::Id)]
    pub pipeline_id: PipelineId,
    pub status: PipelineStatus,
    /// 0 to 100; never goes back.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: f64,
    pub stages: Vec<StageProgress>,
    #[schema(value_type = schema::Time)]
    pub updated_at: Timestamp,
}

/// How far a stage is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StageProgress {
    #[schema(value_type = schema::StageNumber)]
    pub stage: u16,
    pub name: String,
    pub status: StageStatus,
    /// 0 to 100; never goes back.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: f64,
    pub counts: TaskCounts,
    /// The counters of its tasks, such as `records`, added up. Left out for a stage of more than 1,000 tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Counters>)]
    pub counters: Option<BTreeMap<Name, u64>>,
    /// What an agent last said about one of its tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How fast it goes.
    #[serde(default)]
    pub pace: StagePace,
    #[schema(value_type = Option<schema::Time>)]
    pub started_at: Option<Timestamp>,
    #[schema(value_type = Option<schema::Time>)]
    pub completed_at: Option<Timestamp>,
}

/// How fast a stage goes, from the tasks of it that were completed last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StagePace {
    /// How long the middle one of them ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_p50_ms: Option<u64>,
    /// What 95 of 100 of them did not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_p95_ms: Option<u64>,
    /// Tasks completed in a minute: of late while the stage runs, over all once it is completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<f64>,
    /// How long the rest will take at this rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_ms: Option<u64>,
}

/// Which pipelines to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PipelineQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<PipelineStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Title>)]
    #[param(value_type = Option<schema::Title>)]
    pub tag: Option<String>,
    /// Made from this template, in whichever version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    #[param(value_type = Option<schema::Id>)]
    pub template_id: Option<TemplateId>,
    /// Created at this moment or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    #[param(value_type = Option<schema::Time>)]
    pub created_from: Option<Timestamp>,
    /// Created before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    #[param(value_type = Option<schema::Time>)]
    pub created_before: Option<Timestamp>,
    /// Contained in the id, the name, the description, a tag, the template, the error, the input or the metadata; case
    /// does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::SearchText>)]
    #[param(value_type = Option<schema::SearchText>)]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Limit>)]
    #[param(value_type = Option<schema::Limit>)]
    pub limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Cursor>)]
    #[param(value_type = Option<schema::Cursor>)]
    pub cursor: Option<String>,
}

page! {
    /// A page of pipelines.
    PipelinePage, pipelines: Pipeline
}
