//! The bytes of artifacts: streamed, and compared with the digest that was recorded when they came.

use std::sync::Arc;

use mcpanel_domain::artifact::Artifact;

use crate::{End, Error};

/// Copies the bytes of an artifact, unless they are there.
pub(crate) async fn copy(from: &End, to: &End, artifact: &Arc<Artifact>) -> Result<(), Error> {
    let (namespace, id) = (&artifact.namespace, &artifact.id);
    let failed = |source| Error::Bytes {
        id: id.to_string(),
        source,
    };
    // They become a file only when all of them have come, so that the length says it all.
    let there = to.files.open(namespace, id).await;
    if there.is_ok_and(|bytes| bytes.size_bytes() == artifact.size_bytes) {
        return Ok(());
    }
    let bytes = from.files.open(namespace, id).await.map_err(failed)?;
    let size = bytes.size_bytes();
    let draft = to
        .files
        .receive(bytes.stream(0, size))
        .await
        .map_err(failed)?;
    let found: String = draft
        .sha256()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if found != artifact.sha256 {
        return Err(Error::WrongBytes {
            id: id.to_string(),
            found,
            recorded: artifact.sha256.clone(),
        });
    }
    draft.keep(namespace, id).await.map_err(failed)
}
