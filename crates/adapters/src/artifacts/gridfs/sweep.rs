//! Removing what a crash left: drafts that nobody works on, and files that nobody knows.

use std::time::SystemTime;

use futures::TryStreamExt;
use mcpanel_domain::{ArtifactId, Namespace};
use mongodb::bson::{DateTime, Document, doc};

use super::{CONDEMNED, Error, GridFs, ORPHAN_AGE, Swept, file_id};

impl GridFs {
    /// Removes files older than [`ORPHAN_AGE`] that `known` does not know, and drafts of that age. Instances may do so
    /// at the same time. A question that `known` cannot answer keeps the file.
    pub async fn sweep<K, A>(&self, now: SystemTime, mut known: K) -> Result<Swept, Error>
    where
        K: FnMut(Namespace, ArtifactId) -> A,
        A: Future<Output = bool>,
    {
        let mut swept = Swept::default();
        let before = DateTime::from_system_time(now - ORPHAN_AGE);
        let failed = "look for what nobody knows";

        let old = self.drafts.find(doc! { "touched_at": { "$lte": before } });
        let mut drafts = old.await.map_err(Error::database(failed))?;
        while let Some(draft) = drafts.try_next().await.map_err(Error::database(failed))? {
            swept.looked_at += 1;
            swept.removed += u64::from(self.sweep_draft(&draft).await?);
        }

        let old = self
            .files
            .find(doc! { "uploadDate": { "$lte": before } })
            .projection(doc! { "metadata": 1 });
        let mut files = old.await.map_err(Error::database(failed))?;
        while let Some(file) = files.try_next().await.map_err(Error::database(failed))? {
            swept.looked_at += 1;
            // Not one of ours: somebody put it there by hand.
            let (Some(id), Some((namespace, artifact))) = (file_id(Some(&file)), owner(&file))
            else {
                continue;
            };
            if !known(namespace, artifact).await {
                self.remove_file(id).await?;
                swept.removed += 1;
            }
        }
        Ok(swept)
    }

    /// Removes the chunks of a draft, unless it became a file and only its note stayed.
    async fn sweep_draft(&self, draft: &Document) -> Result<bool, Error> {
        let Some(id) = file_id(Some(draft)) else {
            return Ok(false);
        };
        let file = self.files.find_one(doc! { "_id": id }).await;
        if file.map_err(Error::database("find an artifact"))?.is_some() {
            return self.forget_draft(id).await.map(|()| false);
        }
        // Condemned only as it was seen: whoever began to work on it again is left alone, and whoever begins later finds
        // it condemned and gives up.
        let condemned = self
            .drafts
            .update_one(draft.clone(), doc! { "$set": { CONDEMNED: true } })
            .await
            .map_err(Error::database("condemn a draft"))?;
        if condemned.matched_count == 0 {
            return Ok(false);
        }
        self.remove_draft(id).await.map(|()| true)
    }
}

fn owner(file: &Document) -> Option<(Namespace, ArtifactId)> {
    let metadata = file.get_document("metadata").ok()?;
    let namespace = Namespace::parse(metadata.get_str("namespace").ok()?).ok()?;
    let artifact = ArtifactId::parse(metadata.get_str("artifact_id").ok()?).ok()?;
    Some((namespace, artifact))
}
