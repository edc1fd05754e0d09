//! Artifacts, API keys, the memory of answered requests, operations, samples.

use std::sync::Arc;

use mcpanel_domain::{
    ArtifactId, KeyId, Namespace, OperationId, Timestamp, artifact::Artifact, key::ApiKey,
    operation::Operation, sample::Sample,
};
use mcpanel_store::{
    IdempotencyRecord, Result,
    query::{ArtifactFilter, Listing, OperationFilter, Page, Position},
};
use mongodb::bson::{Document, doc};

use super::{all, one};
use crate::{
    documents::{Reader, fields::date, history, small},
    error::unavailable,
    mongo::Mongo,
    read::{self, Query},
    schema,
};

/// What is known about a file.
pub async fn artifact(
    mongo: &Mongo,
    namespace: &Namespace,
    id: &ArtifactId,
) -> Result<Option<Arc<Artifact>>> {
    let query = read::by_ids(schema::ARTIFACTS, "artifact_id", namespace, [id.as_str()]);
    one(mongo, query, small::decode_artifact).await
}

/// A page of artifacts.
pub async fn list_artifacts(
    mongo: &Mongo,
    namespace: &Namespace,
    filter: &ArtifactFilter,
    page: &Page,
) -> Result<Listing<Arc<Artifact>>> {
    let query = read::list_artifacts(namespace, filter, page);
    let items = all(mongo, &query, small::decode_artifact).await?;
    read::listing(items, page, |artifact| Position {
        created_at: artifact.created_at,
        id: artifact.id.to_string(),
    })
}

/// The API key whose secret has this SHA-256.
pub async fn key_by_hash(mongo: &Mongo, sha256: &[u8; 32]) -> Result<Option<Arc<ApiKey>>> {
    let query = Query::of(schema::API_KEYS, doc! { "sha256": small::hash(sha256) }).by("by_secret");
    one(mongo, query, small::decode_key).await
}

/// An API key by its public id.
pub async fn key(mongo: &Mongo, namespace: &Namespace, id: &KeyId) -> Result<Option<Arc<ApiKey>>> {
    let query = read::by_ids(schema::API_KEYS, "key_id", namespace, [id.as_str()]);
    one(mongo, query, small::decode_key).await
}

/// All API keys of a namespace, newest first.
pub async fn keys(mongo: &Mongo, namespace: &Namespace) -> Result<Vec<Arc<ApiKey>>> {
    let query = Query::of(schema::API_KEYS, doc! { "namespace": namespace.as_str() })
        .by("newest")
        .sorted(doc! { "created_at": -1, "key_id": -1 });
    all(mongo, &query, small::decode_key).await
}

/// The memory of an answered request.
pub async fn idempotency(
    mongo: &Mongo,
    namespace: &Namespace,
    key: &str,
) -> Result<Option<IdempotencyRecord>> {
    let filter = doc! { "namespace": namespace.as_str(), "key": key };
    let query = Query::of(schema::IDEMPOTENCY, filter).by("by_id");
    let found = one(mongo, query, small::decode_idempotency).await?;
    Ok(found.map(Arc::unwrap_or_clone))
}

/// Forgets answered requests that ran out.
pub async fn purge_idempotency(mongo: &Mongo, now: Timestamp) -> Result<u64> {
    let old = doc! { "expires_at": { "$lte": date(now) } };
    delete(mongo, schema::IDEMPOTENCY, old).await
}

async fn delete(mongo: &Mongo, collection: &str, filter: Document) -> Result<u64> {
    let gone = mongo.raw(collection).delete_many(filter).await;
    Ok(gone.map_err(|error| unavailable(&error))?.deleted_count)
}

/// An operation.
pub async fn operation(
    mongo: &Mongo,
    namespace: &Namespace,
    id: &OperationId,
) -> Result<Option<Arc<Operation>>> {
    let query = read::by_ids(schema::OPERATIONS, "operation_id", namespace, [id.as_str()]);
    one(mongo, query, history::decode_operation).await
}

/// A page of operations.
pub async fn list_operations(
    mongo: &Mongo,
    namespace: &Namespace,
    filter: &OperationFilter,
    page: &Page,
) -> Result<Listing<Arc<Operation>>> {
    let query = read::list_operations(namespace, filter, page);
    let items = all(mongo, &query, history::decode_operation).await?;
    read::listing(items, page, |operation| Position {
        created_at: operation.created_at,
        id: operation.id.to_string(),
    })
}

/// Operations that have not ended, of all namespaces.
pub async fn running_operations(
    mongo: &Mongo,
    limit: usize,
) -> Result<Vec<(Namespace, OperationId)>> {
    let query = Query::of(schema::OPERATIONS, doc! { "running": true })
        .by("running")
        .sorted(doc! { "namespace": 1, "operation_id": 1 })
        .only(&["namespace", "operation_id"])
        .at_most(limit);
    let mut running = Vec::new();
    for found in mongo.find(&query).await? {
        let reader = Reader::new(&found)?;
        running.push((reader.parsed("namespace")?, reader.parsed("operation_id")?));
    }
    Ok(running)
}

/// Samples of minutes, oldest first.
pub async fn samples(
    mongo: &Mongo,
    namespace: &Namespace,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Arc<Sample>>> {
    let within = doc! { "$gte": date(from), "$lt": date(to) };
    let filter = doc! { "namespace": namespace.as_str(), "minute": within };
    let query = Query::of(schema::SAMPLES, filter)
        .by("by_minute")
        .sorted(doc! { "minute": 1 });
    all(mongo, &query, history::decode_sample).await
}

/// Forgets samples of minutes before this one.
pub async fn purge_samples(mongo: &Mongo, before: Timestamp) -> Result<u64> {
    let old = doc! { "minute": { "$lt": date(before) } };
    delete(mongo, schema::SAMPLES, old).await
}
