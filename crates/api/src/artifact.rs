//! Artifacts: files that travel between stages.

use mcpanel_domain::{ArtifactId, Name, Namespace, Payload, PipelineId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{page::page, schema};

/// A stored file; its bytes are at `GET /api/v1/artifacts/{artifact_id}/content`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Artifact {
    #[schema(value_type = schema::Id)]
    pub artifact_id: ArtifactId,
    #[schema(value_type = schema::Name)]
    pub namespace: Namespace,
    #[schema(value_type = Option<schema::Id>)]
    pub pipeline_id: Option<PipelineId>,
    /// The stage that made it; null for an upload.
    pub stage: Option<u16>,
    /// The task that made it.
    #[schema(value_type = Option<schema::Id>)]
    pub task_id: Option<TaskId>,
    /// The attempt that made it.
    pub attempt: Option<u32>,
    /// Its place among its task's artifacts.
    pub index: u32,
    /// A file name.
    pub name: String,
    /// What it is for: `input`, `chunk`, `rejects`, `metrics`, `dataset`, `report` …
    #[schema(value_type = schema::Name)]
    pub role: Name,
    pub media_type: String,
    pub size_bytes: u64,
    /// SHA-256 of the bytes, in lower-case hex.
    pub sha256: String,
    /// Records in it, where it is a file of records.
    pub records: Option<u64>,
    #[schema(value_type = schema::Payload)]
    pub metadata: Payload,
    pub created_by: String,
    #[schema(value_type = schema::Time)]
    pub created_at: Timestamp,
}

/// What is known about an uploaded file before its bytes come. The bytes are the body; a
/// `Content-Digest: sha-256=:…:` header (RFC 9530) is checked against them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ArtifactUpload {
    /// A file name, without folders.
    #[schema(value_type = schema::FileName)]
    #[param(value_type = schema::FileName)]
    pub name: String,
    /// What it is for; `input` when left out. A map stage gets one task for each `chunk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    #[param(value_type = Option<schema::Name>)]
    pub role: Option<Name>,
    /// The task in hand that made it; with its `lease`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    #[param(value_type = Option<schema::Id>)]
    pub task_id: Option<TaskId>,
    /// The lease of that task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Lease>)]
    #[param(value_type = Option<schema::Lease>)]
    pub lease: Option<String>,
    /// Its place among the artifacts of the task; 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// Records in it, where it is a file of records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// The pipeline it belongs to, for an upload without a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    #[param(value_type = Option<schema::Id>)]
    pub pipeline_id: Option<PipelineId>,
}

/// Which artifacts to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ArtifactQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    #[param(value_type = Option<schema::Id>)]
    pub pipeline_id: Option<PipelineId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    #[param(value_type = Option<schema::Id>)]
    pub task_id: Option<TaskId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::StageNumber>)]
    #[param(value_type = Option<schema::StageNumber>)]
    pub stage: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Name>)]
    #[param(value_type = Option<schema::Name>)]
    pub role: Option<Name>,
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
    /// A page of artifacts.
    ArtifactPage, artifacts: Artifact
}
