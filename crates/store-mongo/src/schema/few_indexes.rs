//! Version 2: tasks are found by tags and by their phase, instead of by an index for each question.
//!
//! The old indexes go first, so that tasks are rewritten without their weight; then tasks get their new fields; then the
//! new indexes come. Each step finds done what was done before.

use mongodb::{
    Database,
    bson::{Bson, Document, doc},
};

use super::{PAYLOADS, TASKS, migrate::collection};
use crate::{
    commit::unused::USED_AT,
    documents::{derived, phase},
    error::OpenError,
};

/// Indexes of version 1 that nothing asks for any more.
const GONE: [&str; 12] = [
    "newest",
    "by_status",
    "by_type",
    "by_pipeline",
    "by_agent",
    "by_target",
    "ready",
    "later",
    "held",
    "live",
    "waiting",
    "doomed",
];

/// Fields of version 1 that nothing reads any more.
const FORGOTTEN: [&str; 4] = ["ready_class", "later_at", "holder", "live_in"];

/// Brings tasks and large values of version 1 to version 2.
pub async fn migrate(db: &Database) -> Result<(), OpenError> {
    let tasks = db.collection::<Document>(TASKS);
    let present = tasks.list_index_names().await?;
    for name in GONE {
        if present.iter().any(|each| each == name) {
            tasks.drop_index(name).await?;
        }
    }
    let hello = db.run_command(doc! { "hello": 1 }).await?;
    let now = hello
        .get_datetime("localTime")
        .map_or_else(|_| mongodb::bson::DateTime::now(), |at| *at);
    let now = mcpanel_domain::Timestamp::from_ms(now.timestamp_millis());
    let mut steps = phase::refresh(now);
    let names = FORGOTTEN.map(Bson::from).to_vec();
    steps.push(doc! { "$unset": names });
    let old = doc! { derived::TAGS: { "$exists": false } };
    tasks.update_many(old, steps).await?;
    collection(db, TASKS, true).await?;
    let payloads = db.collection::<Document>(PAYLOADS);
    let unsaid = doc! { USED_AT: { "$exists": false } };
    let used = doc! { "$currentDate": { USED_AT: true } };
    payloads.update_many(unsaid, used).await?;
    collection(db, PAYLOADS, true).await
}
