//! What is asked for often and changes seldom or never: API keys, versions of templates.

use std::sync::Arc;

use mcpanel_domain::{Namespace, TemplateId, key::ApiKey, pipeline::Template};
use mcpanel_store::{Commit, Receipt, Result, Write};

use super::MongoStore;
use crate::answer;

impl MongoStore {
    /// Commits, and forgets the API keys that it changes.
    pub(super) async fn write(&self, commit: Commit) -> Result<Receipt> {
        let keys: Vec<[u8; 32]> = commit
            .writes
            .iter()
            .filter_map(|write| match write {
                Write::Key(key) => Some(key.sha256),
                _ => None,
            })
            .collect();
        let receipt = self.committer.commit(commit).await;
        for key in keys {
            self.keys.forget(&key);
        }
        receipt
    }

    /// A version of a template; the newest if none is named.
    pub(super) async fn cached_template(
        &self,
        namespace: &Namespace,
        id: &TemplateId,
        version: Option<u32>,
    ) -> Result<Option<Arc<Template>>> {
        // Only a named version never changes.
        let Some(number) = version else {
            return answer::template(&self.mongo, namespace, id, None).await;
        };
        let key = format!("{namespace}:{id}:{number}");
        if let Some(template) = self.templates.get(&key).await {
            return Ok(Some(template));
        }
        let found = answer::template(&self.mongo, namespace, id, version).await?;
        if let Some(template) = &found {
            self.templates.put(&key, template).await;
        }
        Ok(found)
    }

    /// The API key with a hash.
    pub(super) async fn cached_key(&self, sha256: &[u8; 32]) -> Result<Option<Arc<ApiKey>>> {
        if let Some(key) = self.keys.get(sha256) {
            return Ok(Some(key));
        }
        let found = answer::key_by_hash(&self.mongo, sha256).await?;
        if let Some(key) = &found {
            self.keys.put(*sha256, key.clone());
        }
        Ok(found)
    }
}
