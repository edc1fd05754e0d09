//! Sessions that transactions run in, known to all instances, so that what a dead one left open can be ended.
//!
//! An instance that dies in the middle of a transaction leaves it open: MongoDB aborts it only after a minute or more
//! (`transactionLifetimeLimitSeconds`), and until then nobody else can write what it wrote. That may be one task, or the
//! counter that all events get their numbers from. So each instance writes down which sessions it uses before it uses
//! them, and whoever meets another's writes for longer than [`BLOCKED`] ends the transactions of all others. Those
//! that live begin theirs again, which costs milliseconds; the dead one's is gone.

use std::time::{Duration, Instant};

use mongodb::{
    Client, ClientSession, Database,
    bson::{Bson, Document, doc, oid::ObjectId},
};
use parking_lot::Mutex;

use crate::schema;

/// How long a transaction meets another's writes before what may be a dead one's is ended. Living ones last
/// milliseconds, on a very busy machine a second.
pub const BLOCKED: Duration = Duration::from_secs(2);

/// How often one instance ends the others' transactions at the most, so that those that live get on meanwhile.
const AGAIN: Duration = Duration::from_secs(5);

/// How often an instance says that its sessions are still in use.
pub const REFRESH: Duration = Duration::from_secs(600);

/// Unused for so long, they are forgotten: an instance that was frozen for a day has no transaction any more.
const FORGOTTEN_AFTER_MS: i64 = 24 * 3_600 * 1_000;

/// What the ids of these documents in `meta` begin with.
const PREFIX: &str = "sessions:";

/// The sessions of one instance.
pub struct Sessions {
    client: Client,
    db: Database,
    id: String,
    ended_others: Mutex<Option<Instant>>,
}

impl Sessions {
    /// None is in use yet.
    pub fn new(client: Client, db: Database) -> Self {
        Self {
            client,
            db,
            id: format!("{PREFIX}{}", ObjectId::new()),
            ended_others: Mutex::new(None),
        }
    }

    /// A session for transactions, which the others know of.
    pub async fn start(&self) -> mongodb::error::Result<ClientSession> {
        let session = self.client.start_session().await?;
        let change = doc! {
            "$addToSet": { "sessions": session.id().clone() },
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
