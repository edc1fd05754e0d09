//! Files that travel between stages: what is known about one, never its bytes.

use serde::{Deserialize, Serialize};

use crate::{ArtifactId, Namespace, Payload, PipelineId, TaskId, Timestamp};

/// The role whose artifacts become the inputs of a `map` stage.
pub const CHUNK_ROLE: &str = "chunk";

/// What is known about a stored file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its id.
    pub id: ArtifactId,
    /// Whose it is.
    pub namespace: Namespace,
    /// Counts changes of this document, from 1.
    pub revision: u64,
    /// The pipeline it belongs to.
    pub pipeline_id: Option<PipelineId>,
    /// The stage that made it; none for an input that was uploaded.
    pub stage: Option<u16>,
    /// The task that made it.
    pub task_id: Option<TaskId>,
    /// The attempt that made it: only those of the winning attempt are inputs of a later stage.
    pub attempt: Option<u32>,
    /// Its place among its task's artifacts, so that readers see them in order.
    pub index: u32,
    /// A file name.
    pub name: String,
    /// What it is for: `input`, `chunk`, `rejects`, `metrics`, `dataset`, `report` …
    pub role: String,
    /// IANA media type.
    pub media_type: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the bytes, in lower-case hex.
    pub sha256: String,
    /// Records in it, where it is a file of records.
    pub records: Option<u64>,
    /// Free-form.
    pub metadata: Payload,
    /// When it was stored.
    pub created_at: Timestamp,
    /// Who stored it.
    pub created_by: String,
}
