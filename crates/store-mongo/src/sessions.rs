//! Sessions that transactions run in, known to all instances, so that what a dead one left open can be ended.
//!
//! An instance that dies in the middle of a transaction leaves it open: MongoDB aborts it only after a minute or more
//! (`transactionLifetimeLimitSeconds`), and until then nobody else can write what it wrote. That may be one task, or the
//! counter that all events get their numbers from. So each instance writes down which sessions it uses before it uses
//! them, and whoever meets another's writes for longer than [`BLOCKED`] ends the transactions of all others. Those
//! that live begin theirs again, which costs milliseconds; the dead one's is gone.
//!
//! The same documents say who serves, for whoever wants the database for itself: an instance writes its own before it
//! serves anything, says every [`REFRESH`] that it runs, and removes it at the end.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use mongodb::{
    Client, ClientSession, Database,
    bson::{Bson, Document, doc, oid::ObjectId},
};
use parking_lot::Mutex;

use crate::{mongo::number, schema, settings::Purpose};

/// How long a transaction meets another's writes before what may be a dead one's is ended. Living ones last
/// milliseconds, on a very busy machine a second.
pub const BLOCKED: Duration = Duration::from_secs(2);

/// How often one instance ends the others' transactions at the most, so that those that live get on meanwhile.
const AGAIN: Duration = Duration::from_secs(5);

/// How often an instance says that it runs and its sessions are still in use.
pub const REFRESH: Duration = Duration::from_secs(10);

/// Whoever said nothing for so long does not run: three times [`REFRESH`], so that one lost try is none's end.
pub const SILENT_MS_MAX: i64 = 30_000;

/// Unused for so long, they are forgotten: an instance that was frozen for a day has no transaction any more.
const FORGOTTEN_AFTER_MS: i64 = 24 * 3_600 * 1_000;

/// What the ids of these documents in `meta` begin with.
const PREFIX: &str = "sessions:";

/// The purpose of those that serve.
const SERVE: &str = "serve";

/// An instance that serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// The machine that it runs on, as that calls itself.
    pub host: String,
    /// The number of its process there.
    pub process: u32,
    /// How long ago it was heard, in milliseconds.
    pub heard_ms: i64,
}

impl std::fmt::Display for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            host,
            process,
            heard_ms,
        } = self;
        let seconds = heard_ms / 1_000;
        write!(f, "process {process} on `{host}` (heard {seconds} s ago)")
    }
}

/// The sessions of one instance.
pub struct Sessions {
    client: Client,
    db: Database,
    id: String,
    purpose: Purpose,
    ended_others: Mutex<Option<Instant>>,
}

impl Sessions {
    /// None is in use yet.
    pub fn new(client: Client, db: Database, purpose: Purpose) -> Self {
        Self {
            client,
            db,
            purpose,
            id: format!("{PREFIX}{}", ObjectId::new()),
            ended_others: Mutex::new(None),
        }
    }

    /// Says that there is an instance, and what for.
    pub async fn announce(&self) -> mongodb::error::Result<()> {
        let change = doc! { "$set": self.own(), "$currentDate": { "at": true } };
        self.meta()
            .update_one(doc! { "_id": &self.id }, change)
            .upsert(true)
            .await
            .map(drop)
    }

    fn own(&self) -> Document {
        doc! {
            "purpose": match self.purpose {
                Purpose::Serve => SERVE,
                Purpose::Migrate => "migrate",
                Purpose::Copy => "copy",
            },
            "host": host(),
            "process": i64::from(std::process::id()),
        }
    }

    /// Who serves from this database now, beside this one.
    pub async fn serving(&self) -> mongodb::error::Result<Vec<Serving>> {
        serving(&self.db, Some(&self.id)).await
    }

    /// A session for transactions, which the others know of.
    pub async fn start(&self) -> mongodb::error::Result<ClientSession> {
        let session = self.client.start_session().await?;
        let change = doc! {
            "$addToSet": { "sessions": session.id().clone() },
            "$set": self.own(),
            "$currentDate": { "at": true },
        };
        self.meta()
            .update_one(doc! { "_id": &self.id }, change)
            .upsert(true)
            .await?;
        Ok(session)
    }

    /// Ends the transactions of all other instances, unless that was just done.
    pub async fn end_others(&self) {
        {
            let mut ended = self.ended_others.lock();
            if ended.is_some_and(|at| at.elapsed() < AGAIN) {
                return;
            }
            *ended = Some(Instant::now());
        }
        match self.kill_others().await {
            Ok(count) => tracing::info!(
                sessions = count,
                "another instance's transaction stood in the way for seconds; all others' were ended"
            ),
            Err(error) => {
                tracing::warn!(%error, "a transaction that stands in the way cannot be ended; MongoDB does so within two minutes");
            }
        }
    }

    async fn kill_others(&self) -> mongodb::error::Result<usize> {
        let others = doc! {
            "_id": { "$gt": PREFIX, "$lt": "sessions;", "$ne": &self.id },
        };
        let mut found = self.meta().find(others).await?;
        let mut sessions = Vec::new();
        while found.advance().await? {
            let instance = found.deserialize_current()?;
            if let Ok(some) = instance.get_array("sessions") {
                sessions.extend(
                    some.iter()
                        .filter(|each| each.as_document().is_some())
                        .cloned(),
                );
            }
        }
        let count = sessions.len();
        if count > 0 {
            self.client
                .database("admin")
                .run_command(doc! { "killSessions": Bson::Array(sessions) })
                .await?;
        }
        Ok(count)
    }

    /// Says that they are still in use, and forgets those of instances that are long gone.
    pub async fn refresh(&self) {
        let now = doc! { "$currentDate": { "at": true } };
        let own = self.meta().update_one(doc! { "_id": &self.id }, now).await;
        let gone = doc! {
            "_id": { "$gt": PREFIX, "$lt": "sessions;" },
            "$expr": { "$lt": ["$at", { "$subtract": ["$$NOW", FORGOTTEN_AFTER_MS] }] },
        };
        let others = self.meta().delete_many(gone).await;
        if let Some(error) = own.err().or(others.err()) {
            tracing::debug!(%error, "the sessions in use could not be kept up to date");
        }
    }

    /// None is in use any more.
    pub async fn forget(&self) {
        if let Err(error) = self.meta().delete_one(doc! { "_id": &self.id }).await {
            tracing::debug!(%error, "the sessions that were in use are forgotten within a day");
        }
    }

    fn meta(&self) -> mongodb::Collection<Document> {
        self.db.collection(schema::META)
    }
}

/// Who serves from this database now, without the one of this id.
pub async fn serving(db: &Database, own: Option<&str>) -> mongodb::error::Result<Vec<Serving>> {
    let silent_ms = doc! { "$subtract": ["$$NOW", "$at"] };
    let stages = [
        doc! { "$match": {
            "_id": { "$gt": PREFIX, "$lt": "sessions;", "$ne": own.unwrap_or_default() },
            "purpose": SERVE,
        } },
        doc! { "$project": { "host": 1, "process": 1, "heard_ms": silent_ms } },
        doc! { "$match": { "heard_ms": { "$lt": SILENT_MS_MAX } } },
        doc! { "$sort": { "host": 1, "process": 1 } },
    ];
    let meta = db.collection::<Document>(schema::META);
    let found: Vec<Document> = meta.aggregate(stages).await?.try_collect().await?;
    let read = |found: &Document| Serving {
        host: found.get_str("host").unwrap_or("unknown").to_owned(),
        process: number(found, "process")
            .and_then(|process| u32::try_from(process).ok())
            .unwrap_or(0),
        heard_ms: number(found, "heard_ms").unwrap_or(0).max(0),
    };
    Ok(found.iter().map(read).collect())
}

/// What this machine calls itself.
fn host() -> String {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let told = told.ok().or_else(|| std::env::var("HOSTNAME").ok());
    let told = told.or_else(|| std::env::var("COMPUTERNAME").ok());
    told.map_or_else(|| "unknown".to_owned(), |name| name.trim().to_owned())
}
