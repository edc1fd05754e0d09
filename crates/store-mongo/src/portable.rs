//! Moving everything out of this store, or into it, while nobody else uses it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use mcpanel_domain::Namespace;
use mcpanel_store::{Error, IdempotencyRecord, Portable, Result};
use mongodb::bson::{Document, doc};

use crate::{
    MongoStore,
    documents::{fields::long, small},
    error::unavailable,
    read::Query,
    schema,
    sequence::COUNTER,
};

/// Collections whose documents say in which namespace they are, and together say of all there are.
const WITH_NAMESPACES: [&str; 9] = [
    schema::AGENTS,
    schema::TASKS,
    schema::PIPELINES,
    schema::TEMPLATES,
    schema::ARTIFACTS,
    schema::API_KEYS,
    schema::IDEMPOTENCY,
    schema::OPERATIONS,
    schema::SAMPLES,
];

#[async_trait]
impl Portable for MongoStore {
    async fn all_namespaces(&self) -> Result<Vec<Namespace>> {
        let mut found = BTreeSet::new();
        for collection in WITH_NAMESPACES {
            let names = self
                .mongo
                .db()
                .collection::<Document>(collection)
                .distinct("namespace", doc! {})
                .await
                .map_err(|error| unavailable(&error))?;
            let names = names.iter().filter_map(|name| name.as_str());
            found.extend(names.filter_map(|name| Namespace::parse(name).ok()));
        }
        Ok(found.into_iter().collect())
    }

    async fn idempotency_records(
        &self,
        namespace: &Namespace,
        after: &str,
        limit: usize,
    ) -> Result<Vec<IdempotencyRecord>> {
        let filter = doc! { "namespace": namespace.as_str(), "key": { "$gt": after } };
        let mut query = Query::of(schema::IDEMPOTENCY, filter).sorted(doc! { "key": 1 });
        query.limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let documents = self.mongo.find(&query).await?;
        self.mongo
            .decode(&documents, |raw, shelf| {
                small::decode_idempotency(raw, shelf)
            })
            .await
    }

    async fn number_events_from(&self, seq: u64) -> Result<()> {
        let before = seq.saturating_sub(1);
        let counters = self.mongo.db().collection::<Document>(schema::COUNTERS);
        // A counter that has begun to count does not match, and cannot be made a second time.
        let unused = doc! { "_id": COUNTER, "value": { "$lte": 0 } };
        counters
            .update_one(unused, doc! { "$set": { "value": long(before) } })
            .upsert(true)
            .await
            .map_err(|_| Error::Overloaded {
                what: "events are numbered already".to_owned(),
            })?;
        self.sequencer.advance(before);
        Ok(())
    }
}
