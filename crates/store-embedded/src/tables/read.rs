//! Questions to the tables, answered by one connection.

mod positions;

use mcpanel_domain::{
    Namespace, Payload, PipelineId, TaskId, Timestamp, log::Line, pipeline::StageCounts,
    sample::Sample,
};
use mcpanel_store::{Error, IdempotencyRecord, Result, query::Payloads};
use rusqlite::{Connection, OptionalExtension, params};

pub use positions::Range;

use super::{Namespaces, lists::Listed};
use crate::{
    codec::{self, Place, Unreadable},
    error::read_failed,
    log::StoredIdempotency,
    recent::Block,
};

/// A connection that reads, and what the numbers in rows mean.
pub struct Read<'a> {
    pub connection: &'a Connection,
    pub namespaces: &'a Namespaces,
}

/// Sealed parameters and result.
type PayloadRow = (Option<Vec<u8>>, Option<Vec<u8>>);

impl Read<'_> {
    /// A task, a pipeline, an artifact or an operation.
    pub fn document<T: Listed>(&self, namespace: &Namespace, id: &str) -> Result<Option<T>> {
        let Some(n) = self.namespaces.number(namespace) else {
            return Ok(None);
        };
        let sql = match T::TABLE {
            "task" => "SELECT body FROM task WHERE namespace = ?1 AND id = ?2",
            "pipeline" => "SELECT body FROM pipeline WHERE namespace = ?1 AND id = ?2",
            "operation" => "SELECT body FROM operation WHERE namespace = ?1 AND id = ?2",
            _ => "SELECT body FROM artifact WHERE namespace = ?1 AND id = ?2",
        };
        self.one(sql, n, id, |body| open(T::TABLE, id, body))
    }

    /// The payloads of a task.
    pub fn payloads(&self, namespace: &Namespace, id: &TaskId) -> Result<Option<Payloads>> {
        let Some(n) = self.namespaces.number(namespace) else {
            return Ok(None);
        };
        let row: Option<PayloadRow> = self
            .connection
            .prepare_cached(
                "SELECT parameters, result FROM payload WHERE n =
                 (SELECT payload FROM task WHERE namespace = ?1 AND id = ?2)",
            )
            .and_then(|mut statement| {
                statement
                    .query_row(params![n, id.as_str()], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })
                    .optional()
            })
            .map_err(|error| read_failed(&error))?;
        let Some((parameters, result)) = row else {
            return Ok(None);
        };
        let open = |column: &'static str, bytes: Option<Vec<u8>>| {
            bytes
                .map(|bytes| open_payload(column, id.as_str(), &bytes))
                .transpose()
        };
        let result = open(RESULT, result)?;
        Ok(open(PARAMETERS, parameters)?.map(|parameters| Payloads { parameters, result }))
    }

    /// Samples of minutes from `from` on and before `to`, oldest first.
    pub fn samples(
        &self,
        namespace: &Namespace,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Sample>> {
        let Some(n) = self.namespaces.number(namespace) else {
            return Ok(Vec::new());
        };
        let sql = "SELECT minute, body FROM sample
             WHERE namespace = ?1 AND minute >= ?2 AND minute < ?3 ORDER BY minute";
        self.rows(sql, params![n, from.as_ms(), to.as_ms()], |row| {
            let minute: i64 = row.get(0)?;
            let body = row.get_ref(1)?.as_blob()?;
            Ok(open(SAMPLE, &minute.to_string(), body))
        })
    }

    /// The memory of an answered request.
    pub fn idempotency(
        &self,
        namespace: &Namespace,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>> {
        let Some(n) = self.namespaces.number(namespace) else {
            return Ok(None);
        };
        let sql = "SELECT body FROM idempotency WHERE namespace = ?1 AND key = ?2";
        self.one(sql, n, key, |body| {
            open::<StoredIdempotency>("idempotency", key, body).map(Into::into)
        })
    }

    /// Memories of answered requests with a key above `after`, in the order of their keys.
    pub fn idempotency_records(
        &self,
        namespace: &Namespace,
        after: &str,
        limit: usize,
    ) -> Result<Vec<IdempotencyRecord>> {
        let Some(n) = self.namespaces.number(namespace) else {
            return Ok(Vec::new());
        };
        let sql = "SELECT key, body FROM idempotency WHERE namespace = ?1 AND key > ?2
             ORDER BY key LIMIT ?3";
        self.rows(sql, params![n, after, limit], |row| {
            let key: String = row.get(0)?;
            let body = row.get_ref(1)?.as_blob()?;
            Ok(open::<StoredIdempotency>("idempotency", &key, body).map(Into::into))
        })
    }

    /// The number of the newest log line of a task; zero when it has none.
    pub fn log_end(&self, namespace: &Namespace, id: &TaskId) -> Result<u64> {
        let Some(n) = self.namespaces.number(namespace) else {
            return Ok(0);
        };
        self.connection
            .prepare_cached("SELECT max(last) FROM log_block WHERE namespace = ?1 AND task = ?2")
            .and_then(|mut statement| {
                statement.query_row(params![n, id.as_str()], |row| row.get::<_, Option<u64>>(0))
            })
            .map(Option::unwrap_or_default)
            .map_err(|error| read_failed(&error))
    }

    /// Log lines of a task with a number above `after`, oldest first.
    pub fn lines(
        &self,
        namespace: &Namespace,
        id: &TaskId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Line>> {
        let Some(n) = self.namespaces.number(namespace) else {
            return Ok(Vec::new());
        };
        let read = || -> rusqlite::Result<Result<Vec<Line>>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT body FROM log_block
                 WHERE namespace = ?1 AND task = ?2 AND last > ?3 ORDER BY last",
            )?;
            let mut rows = statement.query(params![n, id.as_str(), after])?;
            let mut lines: Vec<Line> = Vec::new();
            while lines.len() < limit
                && let Some(row) = rows.next()?
            {
                match open::<Vec<Line>>(LOG, id.as_str(), row.get_ref(0)?.as_blob()?) {
                    Ok(block) => lines.extend(block.into_iter().filter(|line| line.seq > after)),
                    Err(error) => return Ok(Err(error)),
                }
            }
            lines.truncate(limit);
            Ok(Ok(lines))
        };
        read().map_err(|error| read_failed(&error))?
    }

    /// Stored blocks of events that hold numbers above `after`, oldest first, until they have
    /// `limit` such events.
    pub fn blocks(&self, after: u64, limit: usize) -> Result<Vec<Block>> {
        let read = || -> rusqlite::Result<Result<Vec<Block>>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT first, last, body FROM event_block
                 WHERE first >= coalesce((SELECT max(first) FROM event_block WHERE first <= ?1 + 1), 0)
                 ORDER BY first",
            )?;
            let mut rows = statement.query([after])?;
            let mut blocks = Vec::new();
            let mut found = 0;
            while found < limit
                && let Some(row) = rows.next()?
            {
                let (first, last): (u64, u64) = (row.get(0)?, row.get(1)?);
                if last <= after {
                    continue;
                }
                let place = first.to_string();
                let bytes = match unseal(EVENTS, &place, row.get_ref(2)?.as_blob()?) {
                    Ok(bytes) => bytes.to_vec(),
                    Err(error) => return Ok(Err(error)),
                };
                let count = u32::try_from(last + 1 - first).unwrap_or(u32::MAX);
                found += usize::try_from(last - after.max(first - 1)).unwrap_or(usize::MAX);
                blocks.push(Block::new(first, count, bytes));
            }
            Ok(Ok(blocks))
        };
        read().map_err(|error| read_failed(&error))?
    }

    /// How many tasks of each stage of a pipeline stand where.
    pub fn stage_counts(&self, namespace: &Namespace, id: &PipelineId) -> Result<Vec<StageCounts>> {
        let Some(n) = self.namespaces.number(namespace) else {
            return Ok(Vec::new());
        };
        let read = || {
            self.connection
                .prepare_cached(
                    "SELECT stage, run, pending, assigned, running, completed, failed, retry,
                        cancelled, milli_percent
                     FROM stage_count WHERE namespace = ?1 AND pipeline = ?2 ORDER BY stage, run",
                )?
                .query_map(params![n, id.as_str()], |row| {
                    let mut by_status = [0; 7];
                    for (at, count) in by_status.iter_mut().enumerate() {
                        *count = row.get(at + 2)?;
                    }
                    Ok(StageCounts {
                        stage: row.get(0)?,
                        run: row.get(1)?,
                        by_status,
                        percent_sum: row.get::<_, i64>(9)? as f64 / super::write::MILLI,
                    })
                })?
                .collect::<rusqlite::Result<Vec<StageCounts>>>()
        };
        read().map_err(|error| read_failed(&error))
    }

    /// All rows that a question finds, unless one of them is damaged.
    fn rows<T>(
        &self,
        sql: &str,
        about: impl rusqlite::Params,
        read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<Result<T>>,
    ) -> Result<Vec<T>> {
        let all = || -> rusqlite::Result<Result<Vec<T>>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_map(about, read)?.collect()
        };
        all().map_err(|error| read_failed(&error))?
    }

    fn one<T>(
        &self,
        sql: &str,
        namespace: i64,
        id: &str,
        read: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<Option<T>> {
        let found = || -> rusqlite::Result<Option<Result<T>>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![namespace, id])?;
            match rows.next()? {
                Some(row) => Ok(Some(read(row.get_ref(0)?.as_blob()?))),
                None => Ok(None),
            }
        };
        found().map_err(|error| read_failed(&error))?.transpose()
    }
}

/// What the checksum of a task's parameters is bound to.
pub const PARAMETERS: &str = "parameters";
/// What the checksum of a task's result is bound to.
pub const RESULT: &str = "result";
/// What the checksum of a sample is bound to.
pub const SAMPLE: &str = "sample";
/// What the checksum of a minute's activity is bound to.
pub const ACTIVITY: &str = "activity";
/// What the checksum of log lines is bound to.
pub const LOG: &str = "log_block";
/// What the checksum of events is bound to.
pub const EVENTS: &str = "event_block";

/// Reads a sealed document.
pub fn open<T: serde::de::DeserializeOwned>(
    table: &'static str,
    id: &str,
    row: &[u8],
) -> Result<T> {
    let content = unseal(table, id, row)?;
    codec::read(content).map_err(|error| damaged(table, id, &error))
}

/// Reads the bytes of a sealed row.
pub fn unseal<'a>(table: &'static str, id: &str, row: &'a [u8]) -> Result<&'a [u8]> {
    codec::unseal(row, &Place { table, id }).map_err(|error| damaged(table, id, &error))
}

fn open_payload(column: &'static str, id: &str, row: &[u8]) -> Result<Payload> {
    let bytes = unseal(column, id, row)?;
    let text = std::str::from_utf8(bytes).map_err(|_| damaged(column, id, &Unreadable::Form))?;
    Ok(Payload::from_stored(text))
}

fn damaged(table: &'static str, id: &str, error: &Unreadable) -> Error {
    Error::Damaged {
        what: format!("{table} `{id}`: {error}"),
    }
}
