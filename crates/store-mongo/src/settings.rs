//! What a store over MongoDB is opened with.

use std::sync::Arc;

use mcpanel_domain::Timestamp;

/// Lanes that write at once. A second connection doubles what `mongod` takes in, a third adds a fifth, and each
/// more only spreads the same commits over more transactions.
pub const LANES_DEFAULT: usize = 3;

/// Events that are kept when nothing else is said: some days of a busy server, about 300 MB.
pub const EVENTS_KEPT_DEFAULT: u64 = 1_000_000;

/// Connections to MongoDB of one instance: the lanes', the sequencer's and the timers', and enough for reads.
pub const CONNECTIONS_DEFAULT: u32 = 32;

/// The database when the URI names none.
pub const DATABASE_DEFAULT: &str = "mcpanel";

/// A function that tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the store is opened for, which others of the same database see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// To serve, beside any number of others that do.
    #[default]
    Serve,
    /// To bring the schema up to date; others may serve meanwhile.
    Migrate,
    /// To read or write all of it. Refused while others serve.
    Copy,
}

/// How to open the store.
#[derive(Clone)]
pub struct Settings {
    /// `mongodb://…`, of a replica set or of `mongos`; names the database, else it is [`DATABASE_DEFAULT`].
    pub uri: String,
    /// What for.
    pub purpose: Purpose,
    /// The database, in place of the one that the URI names.
    pub database: Option<String>,
    /// Transactions that are written at once, at least 1.
    pub lanes: usize,
    /// Events that are kept, at least; older ones go.
    pub events_kept: u64,
    /// Most connections.
    pub connections: u32,
    /// The time, for tests; otherwise this machine's, corrected by MongoDB's.
    pub clock: Option<Clock>,
}

impl Settings {
    /// The usual settings.
    pub fn new(uri: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            purpose: Purpose::Serve,
            database: None,
            lanes: LANES_DEFAULT,
            events_kept: EVENTS_KEPT_DEFAULT,
            connections: CONNECTIONS_DEFAULT,
            clock: None,
        }
    }
}
