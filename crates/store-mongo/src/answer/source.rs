//! What the Redis half asks for.

use std::sync::Arc;

use async_trait::async_trait;
use mcpanel_domain::{
    AgentId, Namespace, PipelineId, TaskId,
    agent::Agent,
    event::Numbered,
    pipeline::{Pipeline, StageCounts},
};
use mcpanel_store::{
    Error, Result,
    query::{Page, Position},
};
use mongodb::{
    bson::{Binary, Document, doc, oid::ObjectId, spec::BinarySubtype},
    options::ReturnDocument,
};

use rand::{TryRng, rngs::SysRng};

use super::tasks::stand;
use crate::{
    MongoStore,
    documents::fields::long,
    error::unavailable,
    mongo::Mongo,
    read, schema, sequence,
    source::{Source, Standing},
};

/// The document that tells this database from others.
const IDENTITY: &str = "identity";

/// A word that no other database has, made by whoever asks first.
pub async fn identity(mongo: &Mongo) -> Result<String> {
    let found = mongo
        .db()
        .collection::<Document>(schema::META)
        .find_one_and_update(
            doc! { "_id": IDENTITY },
            doc! { "$setOnInsert": { "of": ObjectId::new().to_hex() } },
        )
        .upsert(true)
        .return_document(ReturnDocument::After)
        .await
        .map_err(|error| unavailable(&error))?;
    let identity = found.as_ref().and_then(|found| found.get_str("of").ok());
    identity.map(str::to_owned).ok_or_else(|| Error::Damaged {
        what: format!("`{IDENTITY}` in collection `{}`", schema::META),
    })
}

/// The document that holds the key of signed leases.
const LEASE_KEY: &str = "lease_key";

/// The key that all instances sign leases with, made by whoever asks first.
pub async fn lease_key(mongo: &Mongo) -> Result<[u8; 32]> {
    let mut fresh = [0_u8; 32];
    SysRng
        .try_fill_bytes(&mut fresh)
        .map_err(|error| Error::Unavailable {
            reason: format!("the operating system gives no random numbers: {error}"),
        })?;
    let fresh = Binary {
        subtype: BinarySubtype::Generic,
        bytes: fresh.to_vec(),
    };
    let found = mongo
        .db()
        .collection::<Document>(schema::META)
        .find_one_and_update(
            doc! { "_id": LEASE_KEY },
            doc! { "$setOnInsert": { "key": fresh } },
        )
        .upsert(true)
        .return_document(ReturnDocument::After)
        .await
        .map_err(|error| unavailable(&error))?;
    found
        .as_ref()
        .and_then(|found| found.get_binary_generic("key").ok())
        .and_then(|key| <[u8; 32]>::try_from(key.as_slice()).ok())
        .ok_or_else(|| Error::Damaged {
            what: format!("`{LEASE_KEY}` in collection `{}`", schema::META),
        })
}

#[async_trait]
impl Source for MongoStore {
    async fn identity(&self) -> Result<String> {
        identity(&self.mongo).await
    }

    async fn newest_event(&self) -> Result<u64> {
        sequence::newest(&self.mongo).await
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        super::namespaces(&self.mongo).await
    }

    async fn live_tasks(
        &self,
        namespace: &Namespace,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<Standing>> {
        let page = Page {
            after: after.cloned(),
            limit,
        };
        let mut found = stand(&self.mongo, &read::live_tasks(namespace, &page)).await?;
        found.truncate(limit);
        Ok(found)
    }

    async fn standing(
        &self,
        namespace: &Namespace,
        ids: &[TaskId],
    ) -> Result<Vec<Option<Standing>>> {
        super::standing(&self.mongo, namespace, ids).await
    }

    async fn agent(&self, namespace: &Namespace, id: &AgentId) -> Result<Option<Arc<Agent>>> {
        super::agent(&self.mongo, namespace, id).await
    }

    async fn agents(&self, namespace: &Namespace) -> Result<Vec<Arc<Agent>>> {
        super::agents(&self.mongo, namespace).await
    }

    async fn pipeline(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Option<(Arc<Pipeline>, Vec<StageCounts>)>> {
        let Some(pipeline) = super::pipeline(&self.mongo, namespace, id).await? else {
            return Ok(None);
        };
        let counts = super::stage_counts(&self.mongo, namespace, id).await?;
        Ok(Some((pipeline, counts)))
    }

    async fn unsettled(&self) -> Result<Vec<(Namespace, PipelineId)>> {
        super::unsettled(&self.mongo, &self.live_pipelines).await
    }

    async fn events_after(&self, after: u64, limit: usize) -> Result<Vec<Arc<Numbered>>> {
        // A block has at least one event.
        let blocks = self
            .mongo
            .find(&read::blocks_after(long(after), limit.min(500)))
            .await?;
        let mut events = Vec::new();
        for block in &blocks {
            events.extend(
                read::numbered(block)?
                    .into_iter()
                    .filter(|event| event.seq > after),
            );
        }
        events.truncate(limit);
        Ok(events)
    }
}
