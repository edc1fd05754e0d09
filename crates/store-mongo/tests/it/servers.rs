//! The servers that tests are given, and a database for each test.

use std::{
    cell::RefCell,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use mcpanel_store_mongo::Settings;
use mongodb::bson::{Bson, Document, doc};

/// Where MongoDB is.
pub const MONGODB: &str = "MCPANEL_TEST_MONGODB_URI";

/// With this set to `1` a missing server is a failure.
const REQUIRED: &str = "MCPANEL_TEST_REQUIRE_SERVERS";

/// The address in a variable; without one this says so, or fails where servers are required.
pub fn given(variable: &str) -> Option<String> {
    let found = std::env::var(variable).ok().filter(|uri| !uri.is_empty());
    if found.is_none() {
        assert!(
            std::env::var(REQUIRED).as_deref() != Ok("1"),
            "{variable} names no server, and {REQUIRED}=1 asks for one"
        );
        eprintln!("skipped: {variable} names no server");
    }
    found
}

thread_local! {
    /// The database that this thread's test made last.
    static NEWEST: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// The database that this thread's test made last, as the driver sees it.
pub async fn newest_here() -> Option<mongodb::Database> {
    let (uri, name) = NEWEST.with_borrow(Clone::clone)?;
    let client = mongodb::Client::with_uri_str(&uri).await.unwrap();
    Some(client.database(&name))
}

/// The sessions that instances on a database wrote down.
pub async fn known_sessions(database: &mongodb::Database) -> Vec<Bson> {
    let meta = database.collection::<Document>("meta");
    let instances = doc! { "_id": { "$regex": "^sessions:" } };
    let mut found = meta.find(instances).await.unwrap();
    let mut sessions = Vec::new();
    while found.advance().await.unwrap() {
        let instance = found.deserialize_current().unwrap();
        let known = instance.get_array("sessions");
        sessions.extend(known.into_iter().flatten().cloned());
    }
    sessions
}

/// Ends what these sessions have under way: a transaction that a dead instance left open holds its database for a minute.
pub async fn end_sessions(client: &mongodb::Client, sessions: &[Bson]) {
    if !sessions.is_empty() {
        let end = doc! { "killSessions": sessions };
        client.database("admin").run_command(end).await.unwrap();
    }
}

/// A database of its own, dropped with this.
pub struct Database {
    uri: String,
    name: String,
}

impl Database {
    /// A new one, if there is a server.
    pub fn new() -> Option<Self> {
        static RUN: OnceLock<u128> = OnceLock::new();
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let run = RUN.get_or_init(|| {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            since.unwrap().as_nanos()
        });
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        given(MONGODB).map(|uri| {
            let name = format!("test_{run:x}_{}_{next}", std::process::id());
            NEWEST.set(Some((uri.clone(), name.clone())));
            Self { uri, name }
        })
    }

    /// What it is called; no other test uses this name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How a store opens it.
    pub fn settings(&self) -> Settings {
        Settings {
            database: Some(self.name.clone()),
            connections: 16,
            ..Settings::new(self.uri.clone())
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (uri, name) = (self.uri.clone(), self.name.clone());
        // A test ends outside of any runtime that could wait.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async {
                let client = mongodb::Client::with_uri_str(&uri).await.unwrap();
                let database = client.database(&name);
                end_sessions(&client, &known_sessions(&database).await).await;
                database.drop().await.unwrap();
            });
        });
        if dropping.join().is_err() && !std::thread::panicking() {
            panic!("the test's database could not be dropped");
        }
    }
}
