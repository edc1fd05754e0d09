//! The port's reads, answered from MongoDB: a question each, and how to read what comes back.

mod agents;
mod documents;
mod events;
mod live;
mod pipelines;
mod source;
mod tasks;

pub use agents::{agent, agents, held_by_session, leases, orphaned_leases};
pub use documents::{
    artifact, idempotency, key, key_by_hash, keys, list_artifacts, list_operations, operation,
    purge_idempotency, purge_samples, running_operations, samples,
};
pub use events::{event_time, events};
pub use live::LivePipelines;
pub use pipelines::{
    doomed, list_pipelines, pipeline, stage_counts, template, templates, unsettled,
};
pub use source::{identity, lease_key};
pub use tasks::{
    count_tasks, dependents, list_tasks, logs, namespaces, payloads, queues, standing, task_counts,
};

use std::sync::Arc;

use futures::TryStreamExt;
use mcpanel_store::Result;
use mongodb::{
    bson::{Bson, Document, RawDocumentBuf},
    options::Hint,
};

use crate::{
    documents::{Shelf, Unreadable},
    mongo::{Mongo, answered},
    read::Query,
};

/// The documents that a query asks for, read.
async fn all<T>(
    mongo: &Mongo,
    query: &Query,
    decode: fn(&mongodb::bson::RawDocument, &Shelf) -> std::result::Result<T, Unreadable>,
) -> Result<Vec<Arc<T>>> {
    let documents = mongo.find(query).await?;
    let read = |raw: &RawDocumentBuf, shelf: &Shelf| decode(raw, shelf).map(Arc::new);
    mongo.decode(&documents, read).await
}

/// The first document that a query asks for, read.
async fn one<T>(
    mongo: &Mongo,
    query: Query,
    decode: fn(&mongodb::bson::RawDocument, &Shelf) -> std::result::Result<T, Unreadable>,
) -> Result<Option<Arc<T>>> {
    let found = all(mongo, &query.at_most(1), decode).await?;
    Ok(found.into_iter().next())
}

/// What an aggregation comes to that an index alone can answer.
async fn sums(
    mongo: &Mongo,
    collection: &str,
    steps: impl IntoIterator<Item = Document>,
    index: &str,
) -> Result<Vec<RawDocumentBuf>> {
    let steps: Vec<Document> = steps.into_iter().collect();
    answered(|| async {
        let cursor = mongo
            .raw(collection)
            .aggregate(steps.clone())
            .hint(Hint::Name(index.to_owned()))
            .max_time(Query::MAX_TIME)
            .with_type::<RawDocumentBuf>()
            .await?;
        cursor.try_collect().await
    })
    .await
}

/// The different texts of a field.
async fn distinct(
    mongo: &Mongo,
    collection: &str,
    field: &str,
    filter: Document,
) -> Result<Vec<String>> {
    let found = answered(|| async {
        mongo
            .raw(collection)
            .distinct(field, filter.clone())
            .max_time(Query::MAX_TIME)
            .await
    })
    .await?;
    Ok(found
        .into_iter()
        .filter_map(|value| match value {
            Bson::String(text) => Some(text),
            _ => None,
        })
        .collect())
}
