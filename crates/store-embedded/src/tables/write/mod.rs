//! Writing a segment's changes into the tables, in one transaction.

mod documents;
mod history;
mod listing;
mod tasks;

use std::sync::Arc;

use mcpanel_domain::{Namespace, Timestamp};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::{Namespaces, bulk::Bulk, lists::List};
use crate::{
    codec::{self, Place},
    recent::Recent,
};
use tasks::Birth;

/// Per cents are stored in whole thousandths.
pub const MILLI: f64 = 1_000.0;

/// The connection that writes.
pub struct Writer {
    connection: Connection,
    namespaces: Arc<Namespaces>,
    /// The next number of a payload row.
    next_payload: i64,
    events_kept: u64,
    bulks: Bulks,
    // Buffers of the last transaction, used again.
    row: Vec<u8>,
    added: Vec<ListedAt>,
}

impl Writer {
    /// Takes over a prepared connection.
    pub fn new(
        connection: Connection,
        namespaces: Arc<Namespaces>,
        events_kept: u64,
    ) -> rusqlite::Result<Self> {
        let next_payload =
            connection.query_row("SELECT coalesce(max(n), 0) + 1 FROM payload", [], |row| {
                row.get(0)
            })?;
        Ok(Self {
            connection,
            namespaces,
            next_payload,
            events_kept,
            bulks: Bulks::new(),
            row: Vec::new(),
            added: Vec::new(),
        })
    }

    /// Writes everything that changed, or nothing; answers the number of the oldest event kept.
    /// When it returns, it is durable.
    pub fn settle(&mut self, recent: &Recent, last_seq: u64) -> rusqlite::Result<u64> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut settling = Settling {
            transaction: &transaction,
            namespaces: &self.namespaces,
            numbers: FxHashMap::default(),
            lists: FxHashMap::default(),
            next_payload: self.next_payload,
            row: std::mem::take(&mut self.row),
            added: std::mem::take(&mut self.added),
            births: Vec::new(),
            births_bytes: 0,
            bulks: &self.bulks,
        };
        settling.tasks(recent)?;
        settling.pipelines(recent)?;
        settling.artifacts(recent)?;
        settling.small_documents(recent)?;
        settling.idempotency(recent)?;
        settling.operations(recent)?;
        settling.samples(recent)?;
        settling.activities(recent)?;
        settling.listings()?;
        settling.logs(recent)?;
        settling.counts(recent)?;
        settling.events(recent)?;
        let first_kept = settling.trim_events(last_seq, self.events_kept)?;
        settling.mark("settled", recent.last_frame)?;
        settling.mark("last_seq", last_seq)?;
        let (numbers, next_payload) = (settling.numbers, settling.next_payload);
        (self.row, self.added) = (settling.row, settling.added);
        transaction.commit()?;
        self.next_payload = next_payload;
        self.namespaces.learn(numbers);
        Ok(first_kept)
    }

    /// Forgets idempotency records that ran out; tells how many.
    pub fn purge_idempotency(&mut self, now: Timestamp) -> rusqlite::Result<usize> {
        self.connection
            .prepare_cached("DELETE FROM idempotency WHERE expires_at <= ?1")?
            .execute([now.as_ms()])
    }

    /// Forgets samples of minutes before this one; tells how many.
    pub fn purge_samples(&mut self, before: Timestamp) -> rusqlite::Result<usize> {
        // A few at a time, in practice one for each namespace and minute, found by reading this short table.
        self.connection
            .prepare_cached("DELETE FROM sample WHERE minute < ?1")?
            .execute([before.as_ms()])
    }

    /// Moves everything into the main file, before it is closed.
    pub fn checkpoint(&self) -> rusqlite::Result<()> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }
}

/// One transaction under way.
struct Settling<'a> {
    transaction: &'a Transaction<'a>,
    namespaces: &'a Namespaces,
    numbers: FxHashMap<Namespace, i64>,
    lists: FxHashMap<(i64, List), i64>,
    next_payload: i64,
    /// Used again for each row.
    row: Vec<u8>,
    /// New places in lists, to be written sorted, neighbours together.
    added: Vec<ListedAt>,
    /// New tasks that wait until a statement is filled.
    births: Vec<Birth>,
    births_bytes: usize,
    bulks: &'a Bulks,
}

/// A row of a list: list, time, id, facets.
type ListedAt = (i64, i64, String, i64);

/// Insertions that are made by the thousand.
struct Bulks {
    payload: Bulk,
    task: Bulk,
    listing: Bulk,
}

impl Bulks {
    fn new() -> Self {
        Self {
            payload: Bulk::new("INSERT INTO payload (n, parameters, result)", 3),
            task: Bulk::new("INSERT INTO task (namespace, id, status, payload, body)", 5),
            // A place that a damaged document left behind is taken over.
            listing: Bulk::new(
                "INSERT OR REPLACE INTO listing (list, created_at, id, facets)",
                4,
            ),
        }
    }
}

impl Settling<'_> {
    fn mark(&mut self, name: &str, value: u64) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")?
            .execute(params![name, value])?;
        Ok(())
    }

    fn namespace(&mut self, namespace: &Namespace) -> rusqlite::Result<i64> {
        if let Some(n) = self.numbers.get(namespace) {
            return Ok(*n);
        }
        let n = self
            .namespaces
            .number_or_make(self.transaction, namespace)?;
        self.numbers.insert(namespace.clone(), n);
        Ok(n)
    }
}

fn seal<T: Serialize + ?Sized>(table: &'static str, id: &str, document: &T, row: &mut Vec<u8>) {
    codec::open_seal(row);
    codec::append(document, row);
    codec::close_seal(row, &Place { table, id });
}
