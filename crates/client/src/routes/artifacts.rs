//! What is known about artifacts; their bytes are in [`crate::transfer`].

use mcpanel_api::{
    ArtifactId,
    artifact::{Artifact, ArtifactPage, ArtifactQuery},
};
use reqwest::Method;

use crate::{Client, Result};

/// Artifacts asked for at a time: the largest page that the API gives.
const PAGE_ITEMS: u32 = 500;

impl Client {
    /// A page of artifacts.
    pub async fn list_artifacts(&self, query: &ArtifactQuery) -> Result<ArtifactPage> {
        self.read("/api/v1/artifacts").query(query).answer().await
    }

    /// All artifacts that match, newest first, page by page.
    pub async fn list_all_artifacts(&self, query: &ArtifactQuery) -> Result<Vec<Artifact>> {
        let mut query = query.clone();
        query.limit = Some(PAGE_ITEMS);
        let mut found = Vec::new();
        loop {
            let page = self.list_artifacts(&query).await?;
            found.extend(page.artifacts);
            match page.next_cursor {
                Some(next) => query.cursor = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// What is known about an artifact.
    pub async fn get_artifact(&self, id: &ArtifactId) -> Result<Artifact> {
        self.read(&artifact(id)).answer().await
    }

    /// Deletes an artifact.
    pub async fn delete_artifact(&self, id: &ArtifactId) -> Result<()> {
        self.change(Method::DELETE, &artifact(id)).done().await
    }
}

pub(crate) fn artifact(id: &ArtifactId) -> String {
    format!("/api/v1/artifacts/{id}")
}
