//! Large values that no document refers to any more: found by a walk, deleted after a day.
//!
//! A value is found by what it holds, so many documents may share it and none of them owns it. Whoever commits a document
//! that refers to one says so on the value first ([`used_at`](USED_AT)), and within a minute the document is there or never
//! will be. So what was not used for a day, and is in no document, is in none that is on its way either; and the delete
//! names the day again, so that a use in that very moment wins.
//!
//! Where all values are in use, or there are none, a look at one index is all that happens.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use mcpanel_domain::Timestamp;
use mcpanel_store::Result;
use mongodb::bson::{Bson, Document, RawBsonRef, RawDocument, doc};

use crate::{
    documents::{Reader, fields::date},
    error::{code, unavailable},
    mongo::Mongo,
    read::Query,
    schema,
};

/// When a commit last had use for a value.
pub const USED_AT: &str = "used_at";

/// How long a value is kept without use, in milliseconds: a commit takes a minute at most, and a restored backup of
/// the documents may be some hours older than that of the values.
pub const KEPT_MS: u64 = 24 * 3_600_000;

/// How often an instance looks whether it is time again.
pub const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// Values judged in one walk, so that remembering them takes some megabytes at most. The others come the next day.
const JUDGED_MAX: usize = 50_000;

/// Documents read at a time.
const PAGE: usize = 500;

/// Values named in one statement.
const NAMED_MAX: usize = 1_000;

/// The walk rests so many times as long as it works: it is in no hurry, and others are.
const REST: u32 = 4;

/// The collections whose documents may refer to large values.
const REFERRING: [&str; 9] = [
    schema::AGENTS,
    schema::TASKS,
    schema::PIPELINES,
    schema::TEMPLATES,
    schema::ARTIFACTS,
    schema::IDEMPOTENCY,
    schema::OPERATIONS,
    schema::SAMPLES,
    schema::ACTIVITY,
];

/// The document of `meta` that says when unused values were last looked for.
const TURN: &str = "unused";

/// Deletes what was not used for a day, if no instance did so for a day. Tells how many values went.
pub async fn forget_daily(mongo: &Mongo) -> Result<u64> {
    let before = mongo.now().minus_ms(KEPT_MS);
    let turn = mongo
        .db()
        .collection::<Document>(schema::META)
        .update_one(
            doc! { "_id": TURN, "at": { "$lte": date(before) } },
            doc! { "$set": { "at": date(mongo.now()) } },
        )
        .upsert(true)
        .await;
    match turn {
        Ok(_) => forget(mongo, before).await,
        // It is there, and newer: another instance's turn was today.
        Err(error) if code(&error) == Some(code::DUPLICATE_KEY) => Ok(0),
        Err(error) => Err(unavailable(&error)),
    }
}

/// Deletes values that were last used before a moment, and that no document refers to. Tells how many.
pub async fn forget(mongo: &Mongo, before: Timestamp) -> Result<u64> {
    let mut unused = candidates(mongo, before).await?;
    let mut used = BTreeSet::new();
    for collection in REFERRING {
        if unused.is_empty() {
            break;
        }
        walk(mongo, collection, &mut unused, &mut used).await?;
    }
    let payloads = mongo.raw(schema::PAYLOADS);
    let used: Vec<String> = used.into_iter().collect();
    for some in used.chunks(NAMED_MAX) {
        payloads
            .update_many(
                doc! { "sha256": { "$in": some } },
                doc! { "$currentDate": { USED_AT: true } },
            )
            .await
            .map_err(|error| unavailable(&error))?;
    }
    let unused: Vec<String> = unused.into_iter().collect();
    for some in unused.chunks(NAMED_MAX) {
        payloads
            .delete_many(doc! { "sha256": { "$in": some }, USED_AT: { "$lt": date(before) } })
            .await
            .map_err(|error| unavailable(&error))?;
    }
    Ok(u64::try_from(unused.len()).unwrap_or(u64::MAX))
}

/// Values that were not used for long, longest first.
async fn candidates(mongo: &Mongo, before: Timestamp) -> Result<BTreeSet<String>> {
    let filter = doc! { USED_AT: { "$lt": date(before) } };
    let query = Query::of(schema::PAYLOADS, filter)
        .by("unused")
        .sorted(doc! { USED_AT: 1 })
        .only(&["sha256"])
        .at_most(JUDGED_MAX);
    let mut candidates = BTreeSet::new();
    for found in mongo.find(&query).await? {
        candidates.insert(Reader::new(&found)?.text("sha256")?.to_owned());
    }
    Ok(candidates)
}

/// Moves what a collection's documents refer to from one set to the other.
async fn walk(
    mongo: &Mongo,
    collection: &'static str,
    unused: &mut BTreeSet<String>,
    used: &mut BTreeSet<String>,
) -> Result<()> {
    let mut after = Bson::MinKey;
    loop {
        let began = Instant::now();
        let mut query = Query::of(collection, doc! { "_id": { "$gt": after } })
            .by("_id_")
            .sorted(doc! { "_id": 1 })
            .at_most(PAGE);
        if collection == schema::TASKS {
            // Most of a task, and what is in the document is not beside it.
            query.fields = Some(doc! { "parameters": 0, "result": 0 });
        }
        let page = mongo.find(&query).await?;
        for document in &page {
            references(document, &mut |sha256| {
                if unused.remove(sha256) {
                    used.insert(sha256.to_owned());
                }
            });
        }
        match page.last().and_then(|last| last.get("_id").ok().flatten()) {
            Some(id) if page.len() == PAGE && !unused.is_empty() => {
                after = Bson::try_from(id).map_err(|_| mcpanel_store::Error::Damaged {
                    what: format!("an `_id` in collection `{collection}`"),
                })?;
            }
            _ => return Ok(()),
        }
        tokio::time::sleep(began.elapsed() * REST).await;
    }
}

/// Every large value that a document refers to, at whatever depth.
fn references(document: &RawDocument, found: &mut impl FnMut(&str)) {
    for (name, value) in document.iter().flatten() {
        match value {
            RawBsonRef::String(sha256) if name.as_str().ends_with("_stored_as") => found(sha256),
            RawBsonRef::Document(inner) => references(inner, found),
            RawBsonRef::Array(list) => {
                for inner in list.into_iter().flatten() {
                    if let Some(inner) = inner.as_document() {
                        references(inner, found);
                    }
                }
            }
            _ => {}
        }
    }
}
