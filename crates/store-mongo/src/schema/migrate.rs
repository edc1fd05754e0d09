//! Making the schema, once, though ten instances start together.
//!
//! The collection `meta` holds the version and a lock with an expiry by the server's clock. Whoever
//! gets the lock brings the schema up to date, step by step; the others wait and find it done. Each step
//! can be repeated, for whoever held the lock may have died in the middle.

use std::time::{Duration, Instant};

use mongodb::{
    Database,
    bson::{Bson, DateTime, Document, doc, oid::ObjectId},
};

use super::{COLLECTIONS, INDEXES, META, PIPELINES, few_indexes};
use crate::error::{OpenError, code};

/// The version that this program makes and knows.
pub const VERSION: i64 = 3;

/// How long the lock is held without a sign of life, in milliseconds.
const LOCK_MS: i64 = 30_000;

/// How often its holder renews it.
const RENEW: Duration = Duration::from_secs(10);

/// How often others look whether it is done.
const LOOK: Duration = Duration::from_millis(100);

/// How long others wait: building indexes of a large installation takes minutes.
const PATIENCE: Duration = Duration::from_secs(600);

/// Brings the schema up to date, or waits until another instance has.
pub async fn prepare(db: &Database) -> Result<(), OpenError> {
    let began = Instant::now();
    let me = ObjectId::new().to_hex();
    loop {
        match version(db).await? {
            VERSION => return Ok(()),
            found if found > VERSION => {
                return Err(OpenError::Newer {
                    found,
                    known: VERSION,
                });
            }
            _ => {}
        }
        if lock(db, &me).await? {
            let outcome = tokio::select! {
                outcome = migrate(db) => outcome,
                outcome = keep_lock(db, &me) => outcome,
            };
            unlock(db, &me).await?;
            outcome?;
        } else if began.elapsed() > PATIENCE {
            return Err(OpenError::Locked {
                seconds: PATIENCE.as_secs(),
            });
        } else {
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn version(db: &Database) -> Result<i64, OpenError> {
    let found = db
        .collection::<Document>(META)
        .find_one(doc! { "_id": "schema" })
        .await?;
    Ok(
        match found.as_ref().and_then(|found| found.get("version")) {
            Some(Bson::Int64(version)) => *version,
            Some(Bson::Int32(version)) => i64::from(*version),
            _ => 0,
        },
    )
}

/// Takes the lock if it is free or its holder is gone; tells whether.
async fn lock(db: &Database, me: &str) -> Result<bool, OpenError> {
    let meta = db.collection::<Document>(META);
    let free = doc! { "owner": Bson::Null, "until": DateTime::from_millis(0) };
    let made = meta
        .update_one(doc! { "_id": "lock" }, doc! { "$setOnInsert": free })
        .upsert(true)
        .await;
    match made {
        Ok(_) => {}
        // Two made it at once, and one of them was first.
        Err(error) if code(&error) == Some(code::DUPLICATE_KEY) => {}
        Err(error) => return Err(error.into()),
    }
    let mine_or_free = doc! {
        "_id": "lock",
        "$expr": { "$or": [{ "$lt": ["$until", "$$NOW"] }, { "$eq": ["$owner", me] }] },
    };
    let take = vec![doc! { "$set": { "owner": me, "until": { "$add": ["$$NOW", LOCK_MS] } } }];
    Ok(meta
        .find_one_and_update(mine_or_free, take)
        .await?
        .is_some())
}

async fn keep_lock(db: &Database, me: &str) -> Result<(), OpenError> {
    loop {
        tokio::time::sleep(RENEW).await;
        if !lock(db, me).await? {
            return Err(OpenError::Unavailable(
                "another instance took over the migration".to_owned(),
            ));
        }
    }
}

async fn unlock(db: &Database, me: &str) -> Result<(), OpenError> {
    db.collection::<Document>(META)
        .delete_one(doc! { "_id": "lock", "owner": me })
        .await?;
    Ok(())
}

/// All steps from the present version on.
async fn migrate(db: &Database) -> Result<(), OpenError> {
    if version(db).await? < 1 {
        first(db).await?;
        set_version(db, 1).await?;
    }
    if version(db).await? < 2 {
        few_indexes::migrate(db).await?;
        set_version(db, 2).await?;
    }
    if version(db).await? < 3 {
        // Pipelines by template. Making an index that is there changes nothing.
        collection(db, PIPELINES, true).await?;
        set_version(db, 3).await?;
    }
    Ok(())
}

/// Version 1: every collection and index, all at once: the server's log is written for many together.
async fn first(db: &Database) -> Result<(), OpenError> {
    let present = db.list_collection_names().await?;
    let making = COLLECTIONS.iter().map(|name| {
        let present = present.iter().any(|each| each == name);
        collection(db, name, present)
    });
    futures::future::try_join_all(making).await?;
    Ok(())
}

/// A collection with its indexes, which bring it about where there are any.
pub async fn collection(db: &Database, name: &str, present: bool) -> Result<(), OpenError> {
    let indexes: Vec<Document> = INDEXES
        .iter()
        .filter(|index| index.collection == name)
        .map(super::Index::specification)
        .collect();
    if !indexes.is_empty() {
        db.run_command(doc! { "createIndexes": name, "indexes": indexes })
            .await?;
    } else if !present {
        db.create_collection(name).await?;
    }
    Ok(())
}

async fn set_version(db: &Database, version: i64) -> Result<(), OpenError> {
    db.collection::<Document>(META)
        .update_one(
            doc! { "_id": "schema" },
            doc! { "$set": { "version": version } },
        )
        .upsert(true)
        .await?;
    Ok(())
}
