//! Artifacts, without their bytes.

use mcpanel_api::artifact::{Artifact, ArtifactQuery, ArtifactUpload};
use mcpanel_control::NewArtifact;
use mcpanel_domain::{ArtifactId, Fault, Name, Payload, Rejection, artifact as rules, task::Proof};
use mcpanel_store::query::ArtifactFilter;

use crate::error::{ApiError, ApiResult};

/// What an upload is for when it does not say.
const ROLE: &str = "input";

/// What is known about a file.
pub fn artifact(artifact: &rules::Artifact) -> Artifact {
    Artifact {
        artifact_id: artifact.id.clone(),
        namespace: artifact.namespace.clone(),
        pipeline_id: artifact.pipeline_id.clone(),
        stage: artifact.stage,
        task_id: artifact.task_id.clone(),
        attempt: artifact.attempt,
        index: artifact.index,
        name: artifact.name.clone(),
        role: role(&artifact.role),
        media_type: artifact.media_type.clone(),
        size_bytes: artifact.size_bytes,
        sha256: artifact.sha256.clone(),
        records: artifact.records,
        metadata: artifact.metadata.clone(),
        created_by: artifact.created_by.clone(),
        created_at: artifact.created_at,
    }
}

/// Every role came in as a name.
fn role(role: &str) -> Name {
    Name::parse(role).unwrap_or_else(|_| Name::parse(ROLE).expect("the word above is a name"))
}

/// What a query asks for.
pub fn filter(query: ArtifactQuery) -> ArtifactFilter {
    ArtifactFilter {
        pipeline_id: query.pipeline_id,
        stage: query.stage.map(Some),
        task_id: query.task_id,
        role: query.role.map(|role| role.as_str().to_owned()),
    }
}

/// What is known of a file before its bytes came: all but length and digest.
pub fn new(id: ArtifactId, upload: ArtifactUpload, media_type: String) -> ApiResult<NewArtifact> {
    let made_by = match (upload.task_id, upload.lease) {
        (None, None) => None,
        (Some(task), Some(lease)) => {
            let why = "the token is not one of ours";
            let proof = Proof::parse(&lease).ok_or(Rejection::StaleLease { why })?;
            Some((task, proof))
        }
        (Some(_), None) => return Err(missing("/lease", "task_id")),
        (None, Some(_)) => return Err(missing("/task_id", "lease")),
    };
    Ok(NewArtifact {
        id,
        pipeline_id: upload.pipeline_id,
        made_by,
        index: upload.index.unwrap_or_default(),
        name: upload.name,
        role: upload
            .role
            .map_or(ROLE.to_owned(), |role| role.as_str().to_owned()),
        media_type,
        size_bytes: 0,
        sha256: String::new(),
        records: upload.records,
        metadata: Payload::empty(),
    })
}

fn missing(pointer: &str, given: &str) -> ApiError {
    let detail = format!("is missing; it goes with `{given}`");
    ApiError::validation(vec![Fault::new(pointer, "required", detail)])
}
