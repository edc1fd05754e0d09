//! The connection: client, database, clock, and the few ways in which this crate asks MongoDB.

use std::{sync::Arc, time::Duration};

use futures::TryStreamExt;
use mcpanel_domain::Timestamp;
use mcpanel_store::{Error, Result};
use mongodb::{
    Client, Collection, Database,
    bson::{Document, RawDocumentBuf, doc},
    options::{
        Acknowledgment, ClientOptions, Hint, ReadConcern, ReadPreference, SelectionCriteria,
        WriteConcern,
    },
};

use crate::{
    clock::Clock,
    documents::{Shelf, Unreadable, payload},
    error::{OpenError, unavailable, was_ended},
    pool::{Pool, PoolFigures},
    read::Query,
    schema,
    sessions::{self, Sessions},
    settings::{DATABASE_DEFAULT, Purpose, Settings},
};

/// How often a question is asked that others end, in all. They do so once in five seconds at the most.
const ASKED_MAX: u32 = 3;

/// How long a call waits for a primary: an election takes up to about ten seconds, and callers that
/// wait longer than a few are better told.
const SERVER_SELECTION: Duration = Duration::from_secs(5);

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(3);

/// Connections unused for so long are closed.
const IDLE: Duration = Duration::from_secs(300);

/// A connected database.
#[derive(Clone)]
pub struct Mongo {
    client: Client,
    db: Database,
    clock: Arc<Clock>,
    pool: Arc<Pool>,
    sessions: Arc<Sessions>,
    /// Most connections to one server.
    connections: u32,
}

/// Majority and journal: what is acknowledged survives the loss of any one machine.
pub fn durable() -> WriteConcern {
    WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .journal(true)
        .build()
}

/// The answer to a question that changes nothing: asked again where another instance ended it.
pub async fn answered<T, A>(ask: impl Fn() -> A) -> Result<T>
where
    A: Future<Output = mongodb::error::Result<T>>,
{
    let mut asked = 1;
    loop {
        match ask().await {
            Err(error) if was_ended(&error) && asked < ASKED_MAX => asked += 1,
            answer => return answer.map_err(|error| unavailable(&error)),
        }
    }
}

impl Mongo {
    /// Connects, looks whether the server will do, and brings the schema up to date.
    pub async fn connect(settings: &Settings) -> std::result::Result<Self, OpenError> {
        let mut options = ClientOptions::parse(&settings.uri)
            .await
            .map_err(|error| OpenError::Uri(crate::error::brief(&error)))?;
        options.app_name.get_or_insert_with(|| "mcpanel".to_owned());
        options
            .server_selection_timeout
            .get_or_insert(SERVER_SELECTION);
        options.connect_timeout.get_or_insert(CONNECT);
        options.max_idle_time.get_or_insert(IDLE);
        let connections = *options.max_pool_size.get_or_insert(settings.connections);
        let pool = Arc::new(Pool::default());
        options.cmap_event_handler = Some(pool.handler());
        options.read_concern = Some(ReadConcern::majority());
        options.write_concern = Some(durable());
        options.selection_criteria =
            Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
        let name = settings
            .database
            .clone()
            .or_else(|| options.default_database.clone())
            .unwrap_or_else(|| DATABASE_DEFAULT.to_owned());
        let client = Client::with_options(options)
            .map_err(|error| OpenError::Uri(crate::error::brief(&error)))?;
        let db = client.database(&name);
        let hello = db.run_command(doc! { "hello": 1 }).await?;
        if !hello.contains_key("setName") && hello.get_str("msg").ok() != Some("isdbgrid") {
            return Err(OpenError::Unsuitable(
                "this mongod is not a member of a replica set, so it has no transactions; start it with `--replSet` and call `rs.initiate()`, one node is enough".to_owned(),
            ));
        }
        if settings.purpose == Purpose::Copy {
            // Before anything is changed.
            let serving = sessions::serving(&db, None).await?;
            if !serving.is_empty() {
                return Err(OpenError::InUse {
                    database: name,
                    serving,
                });
            }
        }
        schema::prepare(&db).await?;
        let clock = Arc::new(Clock::new(settings.clock.clone()));
        let sessions = Arc::new(Sessions::new(client.clone(), db.clone(), settings.purpose));
        sessions.announce().await?;
        Ok(Self {
            sessions,
            client,
            db,
            clock,
            pool,
            connections,
        })
    }

    /// How its connections stand.
    pub fn pool(&self) -> PoolFigures {
        self.pool.figures(self.connections)
    }

    /// The sessions that transactions run in.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The database.
    pub fn db(&self) -> &Database {
        &self.db
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A collection, as raw documents.
    pub fn raw(&self, name: &str) -> Collection<RawDocumentBuf> {
        self.db.collection(name)
    }

    /// The documents that a query asks for.
    pub async fn find(&self, query: &Query) -> Result<Vec<RawDocumentBuf>> {
        answered(|| self.find_once(query)).await
    }

    async fn find_once(&self, query: &Query) -> mongodb::error::Result<Vec<RawDocumentBuf>> {
        let collection = self.raw(query.collection);
        let mut find = collection
            .find(query.filter.clone())
            .sort(query.sort.clone())
            .limit(query.limit)
            .max_time(Query::MAX_TIME);
        if let Some(fields) = &query.fields {
            find = find.projection(fields.clone());
        }
        if let Some(hint) = query.hint {
            find = find.hint(Hint::Name(hint.to_owned()));
        }
        if query.limit > 0 {
            let batch = u32::try_from(query.limit + 1).unwrap_or(u32::MAX);
            find = find.batch_size(batch);
        }
        find.await?.try_collect().await
    }

    /// Reads documents, fetching the large values that are kept beside them.
    pub async fn decode<T>(
        &self,
        documents: &[RawDocumentBuf],
        decode: impl Fn(&RawDocumentBuf, &Shelf) -> std::result::Result<T, Unreadable>,
    ) -> Result<Vec<T>> {
        let mut shelf = Shelf::default();
        loop {
            let read: std::result::Result<Vec<T>, Unreadable> =
                documents.iter().map(|each| decode(each, &shelf)).collect();
            let read = read?;
            let missing = shelf.take_missing();
            if missing.is_empty() {
                return Ok(read);
            }
            self.fetch_large(&missing, &mut shelf).await?;
        }
    }

    async fn fetch_large(&self, hashes: &[String], shelf: &mut Shelf) -> Result<()> {
        for sha256 in hashes {
            let mut query = Query::of(schema::PAYLOADS, doc! { "sha256": sha256 });
            query.sort = doc! { "chunk": 1 };
            let mut bytes = Vec::new();
            for chunk in self.find(&query).await? {
                let data = chunk.get_binary("data").map_err(|_| damaged(sha256))?;
                bytes.extend_from_slice(data.bytes);
            }
            let text = String::from_utf8(bytes).map_err(|_| damaged(sha256))?;
            if payload::sha256(&text) != *sha256 {
                return Err(damaged(sha256));
            }
            shelf.put(sha256.clone(), mcpanel_domain::Payload::from_stored(&text));
        }
        Ok(())
    }

    /// The server's figures about the database: bytes on disk.
    pub async fn size_bytes(&self) -> Option<u64> {
        let stats = self.db.run_command(doc! { "dbStats": 1 }).await.ok()?;
        number(&stats, "totalSize").and_then(|size| u64::try_from(size).ok())
    }
}

fn damaged(sha256: &str) -> Error {
    Error::Damaged {
        what: format!(
            "the large value `{sha256}` in collection `{}`",
            schema::PAYLOADS
        ),
    }
}

/// A number of an answer, of whichever type the server made it.
pub fn number(answer: &Document, name: &str) -> Option<i64> {
    use mongodb::bson::Bson;
    match answer.get(name)? {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        // Counts far below 2⁵³.
        Bson::Double(number) => Some(*number as i64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use mongodb::{
        bson,
        error::{CommandError, Error as DriverError, ErrorKind},
    };

    use super::*;
    use crate::error::code;

    fn failure(code: i32) -> DriverError {
        let told = doc! { "code": code, "codeName": "Named", "errmsg": "told" };
        let command: CommandError = bson::deserialize_from_document(told).unwrap();
        DriverError::from(ErrorKind::Command(command))
    }

    /// How often a question is asked that fails so often with this code, and what comes of it.
    async fn asked(code: i32, failures: u32) -> (u32, Result<&'static str>) {
        let count = AtomicU32::new(0);
        let answer = answered(|| async {
            match count.fetch_add(1, Ordering::Relaxed) < failures {
                true => Err(failure(code)),
                false => Ok("answer"),
            }
        })
        .await;
        (count.into_inner(), answer)
    }

    #[tokio::test]
    async fn what_another_instance_ended_is_asked_again_and_not_for_ever() {
        for code in [
            code::CURSOR_NOT_FOUND,
            code::CURSOR_KILLED,
            code::INTERRUPTED,
        ] {
            let (count, answer) = asked(code, 1).await;
            assert_eq!((count, answer.unwrap()), (2, "answer"), "{code}");
            let (count, answer) = asked(code, u32::MAX).await;
            assert!(
                matches!(answer, Err(Error::Unavailable { .. })),
                "{answer:?}"
            );
            assert_eq!(count, ASKED_MAX, "{code}");
        }
    }

    #[tokio::test]
    async fn other_failures_are_told_at_once() {
        let (count, answer) = asked(code::MAX_TIME_EXPIRED, 1).await;
        assert!(
            matches!(answer, Err(Error::Overloaded { .. })),
            "{answer:?}"
        );
        assert_eq!(count, 1);
    }
}
