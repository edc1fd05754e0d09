//! Writing a segment's changes into the tables, in one transaction.

use std::sync::Arc;

use mcpanel_domain::{
    Namespace, Payload, PipelineId, TaskId, Timestamp, log::Line, pipeline::StageCounts,
};
use mcpanel_store::{ACTIVITY_MINUTES_KEPT, Key};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::{
    Namespaces,
    bulk::{self, Bulk},
    lists::{List, Listed, Rows, artifact_rows, operation_rows, pipeline_rows, task_rows},
    read::{ACTIVITY, EVENTS, LOG, PARAMETERS, RESULT, SAMPLE, open},
};
use crate::{
    codec::{self, Place},
    limits::BLOCK_EVENTS_MIN,
    log::StoredIdempotency,
    recent::{Recent, RecentTask},
};

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
        let next_payload = settling.next_payload;
        (self.row, self.added) = (settling.row, settling.added);
        transaction.commit()?;
        self.next_payload = next_payload;
        self.namespaces.learn(&self.connection)?;
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

/// The rows of a new task.
struct Birth {
    namespace: i64,
    id: TaskId,
    status: i64,
    payload: i64,
    body: Vec<u8>,
    parameters: Option<Vec<u8>>,
    result: Option<Vec<u8>>,
}

impl Birth {
    fn size_bytes(&self) -> usize {
        let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        self.body.len() + length(&self.parameters) + length(&self.result)
    }
}

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
    fn tasks(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        let mut tasks: Vec<&RecentTask> = recent.tasks.values().collect();
        tasks.sort_unstable_by(|a, b| {
            (&a.task.id, &a.task.namespace).cmp(&(&b.task.id, &b.task.namespace))
        });
        for changed in tasks {
            let task = &*changed.task;
            let namespace = self.namespace(&task.namespace)?;
            if changed.created {
                self.insert_task(namespace, changed)?;
            } else {
                self.update_task(namespace, changed)?;
            }
            if task.status().is_terminal() {
                self.list(namespace, task_rows(task))?;
            }
        }
        self.flush_births()
    }

    fn insert_task(&mut self, namespace: i64, changed: &RecentTask) -> rusqlite::Result<()> {
        let task = &*changed.task;
        let id = task.id.as_str();
        let mut body = Vec::with_capacity(512);
        seal("task", id, task, &mut body);
        let birth = Birth {
            namespace,
            id: task.id.clone(),
            status: status(task),
            payload: self.next_payload,
            body,
            parameters: payload(PARAMETERS, id, changed.parameters.as_ref()),
            result: payload(RESULT, id, changed.result.as_ref()),
        };
        self.next_payload += 1;
        self.births_bytes += birth.size_bytes();
        self.births.push(birth);
        if self.births.len() == bulk::ROWS || self.births_bytes > bulk::BYTES {
            self.flush_births()?;
        }
        Ok(())
    }

    /// Inserts the new tasks that were put together.
    fn flush_births(&mut self) -> rusqlite::Result<()> {
        let births = std::mem::take(&mut self.births);
        self.births_bytes = 0;
        self.bulks
            .payload
            .insert(self.transaction, &births, |statement, at, birth| {
                statement.raw_bind_parameter(at, birth.payload)?;
                statement.raw_bind_parameter(at + 1, birth.parameters.as_deref())?;
                statement.raw_bind_parameter(at + 2, birth.result.as_deref())
            })?;
        self.bulks
            .task
            .insert(self.transaction, &births, |statement, at, birth| {
                statement.raw_bind_parameter(at, birth.namespace)?;
                statement.raw_bind_parameter(at + 1, birth.id.as_str())?;
                statement.raw_bind_parameter(at + 2, birth.status)?;
                statement.raw_bind_parameter(at + 3, birth.payload)?;
                statement.raw_bind_parameter(at + 4, birth.body.as_slice())
            })
    }

    fn update_task(&mut self, namespace: i64, changed: &RecentTask) -> rusqlite::Result<()> {
        let task = &*changed.task;
        let id = task.id.as_str();
        let Some(n) = self.unlist_task(namespace, id)? else {
            tracing::error!(id, "a task was missing in the tables and is written anew");
            return self.insert_task(namespace, changed);
        };
        seal("task", id, task, &mut self.row);
        self.transaction
            .prepare_cached(
                "UPDATE task SET status = ?3, body = ?4 WHERE namespace = ?1 AND id = ?2",
            )?
            .execute(params![namespace, id, status(task), self.row])?;
        if let Some(parameters) = &changed.parameters {
            self.transaction
                .prepare_cached("UPDATE payload SET parameters = ?2 WHERE n = ?1")?
                .execute(params![n, payload(PARAMETERS, id, Some(parameters))])?;
        }
        if let Some(result) = &changed.result {
            self.transaction
                .prepare_cached("UPDATE payload SET result = ?2 WHERE n = ?1")?
                .execute(params![n, payload(RESULT, id, Some(result))])?;
        }
        Ok(())
    }

    /// Takes a task that had ended out of its lists; answers the number of its payload row.
    fn unlist_task(&mut self, namespace: i64, id: &str) -> rusqlite::Result<Option<i64>> {
        let row: Option<(i64, Option<Vec<u8>>)> = self
            .transaction
            .prepare_cached(
                "SELECT payload, CASE WHEN status IN (3, 4, 6) THEN body END
                 FROM task WHERE namespace = ?1 AND id = ?2",
            )?
            .query_row(params![namespace, id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((n, ended)) = row else {
            return Ok(None);
        };
        if let Some(body) = ended {
            self.unlist(namespace, "task", id, &body, task_rows)?;
        }
        Ok(Some(n))
    }

    fn pipelines(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        let mut keys: Vec<_> = recent.pipelines.iter().collect();
        keys.sort_unstable_by(|a, b| a.0.cmp(b.0));
        for (key, pipeline) in keys {
            let namespace = self.namespace(&key.0)?;
            let id = key.1.as_str();
            if let Some(body) = self.body("pipeline", namespace, id)? {
                self.unlist(namespace, "pipeline", id, &body, pipeline_rows)?;
            }
            seal("pipeline", id, &**pipeline, &mut self.row);
            self.transaction
                .prepare_cached(
                    "INSERT INTO pipeline (namespace, id, open, body) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET open = excluded.open, body = excluded.body",
                )?
                .execute(params![
                    namespace,
                    id,
                    super::load::is_open(pipeline),
                    self.row
                ])?;
            self.list(namespace, pipeline_rows(pipeline))?;
        }
        Ok(())
    }

    fn artifacts(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        let mut keys: Vec<_> = recent.artifacts.iter().collect();
        keys.sort_unstable_by(|a, b| a.0.cmp(b.0));
        for (key, artifact) in keys {
            let namespace = self.namespace(&key.0)?;
            let id = key.1.as_str();
            if let Some(body) = self.body("artifact", namespace, id)? {
                self.unlist(namespace, "artifact", id, &body, artifact_rows)?;
            }
            match artifact {
                Some(artifact) => {
                    self.put("artifact", namespace, id, &**artifact)?;
                    self.list(namespace, artifact_rows(artifact))?;
                }
                None => self.remove("artifact", namespace, id)?,
            }
        }
        Ok(())
    }

    fn small_documents(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        for (key, agent) in &recent.agents {
            let namespace = self.namespace(&key.0)?;
            match agent {
                Some(agent) => self.put("agent", namespace, key.1.as_str(), &**agent)?,
                None => self.remove("agent", namespace, key.1.as_str())?,
            }
        }
        for (key, api_key) in &recent.keys {
            let namespace = self.namespace(&key.0)?;
            self.put("api_key", namespace, key.1.as_str(), &**api_key)?;
        }
        for (key, versions) in &recent.templates {
            let namespace = self.namespace(&key.0)?;
            for template in versions {
                seal("template", key.1.as_str(), &**template, &mut self.row);
                self.transaction
                    .prepare_cached(
                        "INSERT INTO template (namespace, id, version, body)
                         VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![
                        namespace,
                        key.1.as_str(),
                        template.version,
                        self.row
                    ])?;
            }
        }
        Ok(())
    }

    fn idempotency(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        for (key, record) in &recent.idempotency {
            let namespace = self.namespace(&key.0)?;
            seal(
                "idempotency",
                &key.1,
                &StoredIdempotency::from(record),
                &mut self.row,
            );
            self.transaction
                .prepare_cached(
                    "INSERT INTO idempotency (namespace, key, expires_at, body)
                     VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at, body = excluded.body",
                )?
                .execute(params![
                    namespace,
                    key.1,
                    record.expires_at.as_ms(),
                    self.row
                ])?;
        }
        Ok(())
    }

    fn operations(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        for (key, operation) in &recent.operations {
            let namespace = self.namespace(&key.0)?;
            let id = key.1.as_str();
            if let Some(body) = self.body("operation", namespace, id)? {
                self.unlist(namespace, "operation", id, &body, operation_rows)?;
            }
            seal("operation", id, &**operation, &mut self.row);
            self.transaction
                .prepare_cached(
                    "INSERT INTO operation (namespace, id, open, body) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET open = excluded.open, body = excluded.body",
                )?
                .execute(params![
                    namespace,
                    id,
                    !operation.status.is_terminal(),
                    self.row
                ])?;
            self.list(namespace, operation_rows(operation))?;
        }
        Ok(())
    }

    fn samples(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        for (key, sample) in &recent.samples {
            let namespace = self.namespace(&key.0)?;
            let minute = key.1.as_ms();
            seal(SAMPLE, &minute.to_string(), &**sample, &mut self.row);
            self.transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO sample (namespace, minute, body) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![namespace, minute, self.row])?;
        }
        Ok(())
    }

    /// Writes what happened in the newest minutes, and forgets the minutes before them.
    fn activities(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        for (key, activity) in &recent.activities {
            let namespace = self.namespace(&key.0)?;
            let minute = key.1.as_ms();
            seal(ACTIVITY, &minute.to_string(), activity, &mut self.row);
            self.transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO activity (namespace, minute, body) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![namespace, minute, self.row])?;
            self.transaction
                .prepare_cached(
                    "DELETE FROM activity WHERE namespace = ?1 AND minute <
                     (SELECT minute FROM activity WHERE namespace = ?1
                      ORDER BY minute DESC LIMIT 1 OFFSET ?2)",
                )?
                .execute(params![namespace, ACTIVITY_MINUTES_KEPT - 1])?;
        }
        Ok(())
    }

    fn logs(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        let kept = mcpanel_domain::limits::LOG_LINES_KEPT;
        for (key, lines) in &recent.logs {
            let Some(last) = lines.last().map(|line: &Line| line.seq) else {
                continue;
            };
            let namespace = self.namespace(&key.0)?;
            let id = key.1.as_str();
            seal(LOG, id, lines, &mut self.row);
            self.transaction
                .prepare_cached(
                    "INSERT INTO log_block (namespace, task, last, body) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![namespace, id, last, self.row])?;
            if last > kept {
                self.transaction
                    .prepare_cached(
                        "DELETE FROM log_block WHERE namespace = ?1 AND task = ?2 AND last <= ?3",
                    )?
                    .execute(params![namespace, id, last - kept])?;
            }
        }
        Ok(())
    }

    fn counts(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        for (namespace, totals) in &recent.totals {
            let namespace = self.namespace(namespace)?;
            let mut statement = self
                .transaction
                .prepare_cached("INSERT OR REPLACE INTO total VALUES (?1, ?2, ?3)")?;
            for (status, tasks) in totals.iter().enumerate() {
                statement.execute(params![namespace, status, tasks])?;
            }
        }
        for (key, stages) in &recent.stage_counts {
            self.stage_counts(key, stages)?;
        }
        Ok(())
    }

    fn stage_counts(
        &mut self,
        key: &Key<PipelineId>,
        stages: &[StageCounts],
    ) -> rusqlite::Result<()> {
        let namespace = self.namespace(&key.0)?;
        let mut statement = self.transaction.prepare_cached(
            "INSERT OR REPLACE INTO stage_count
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?;
        for each in stages {
            let [
                pending,
                assigned,
                running,
                completed,
                failed,
                retry,
                cancelled,
            ] = each.by_status;
            let milli = (each.percent_sum * MILLI).round() as i64;
            statement.execute(params![
                namespace,
                key.1.as_str(),
                each.stage,
                each.run,
                pending,
                assigned,
                running,
                completed,
                failed,
                retry,
                cancelled,
                milli
            ])?;
        }
        Ok(())
    }

    /// Stores the events of several flushes together, so that lone commits do not make a row each.
    fn events(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        let mut blocks = recent.blocks.iter().peekable();
        while let Some(block) = blocks.next() {
            let mut last = block.last();
            codec::open_seal(&mut self.row);
            self.row.extend_from_slice(&block.bytes);
            while last - block.first < u64::from(BLOCK_EVENTS_MIN)
                && let Some(next) = blocks.next_if(|next| next.first == last + 1)
            {
                self.row.extend_from_slice(&next.bytes);
                last = next.last();
            }
            let place = block.first.to_string();
            codec::close_seal(
                &mut self.row,
                &Place {
                    table: EVENTS,
                    id: &place,
                },
            );
            self.transaction
                .prepare_cached("INSERT INTO event_block (first, last, body) VALUES (?1, ?2, ?3)")?
                .execute(params![block.first, last, self.row])?;
        }
        Ok(())
    }

    fn trim_events(&mut self, last_seq: u64, kept: u64) -> rusqlite::Result<u64> {
        self.transaction
            .prepare_cached("DELETE FROM event_block WHERE last <= ?1")?
            .execute([last_seq.saturating_sub(kept)])?;
        self.transaction
            .prepare_cached("SELECT coalesce(min(first), ?1 + 1) FROM event_block")?
            .query_row([last_seq], |row| row.get(0))
    }

    fn mark(&mut self, name: &str, value: u64) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")?
            .execute(params![name, value])?;
        Ok(())
    }

    /// Remembers new places in lists for [`Settling::listings`].
    fn list(&mut self, namespace: i64, rows: Rows) -> rusqlite::Result<()> {
        for list in rows.lists {
            let list = self.list_number(namespace, list)?;
            self.added.push((
                list,
                rows.position.created_at.as_ms(),
                rows.position.id.clone(),
                rows.facets,
            ));
        }
        Ok(())
    }

    fn listings(&mut self) -> rusqlite::Result<()> {
        self.added.sort_unstable();
        self.bulks
            .listing
            .insert(self.transaction, &self.added, |statement, at, row| {
                statement.raw_bind_parameter(at, row.0)?;
                statement.raw_bind_parameter(at + 1, row.1)?;
                statement.raw_bind_parameter(at + 2, row.2.as_str())?;
                statement.raw_bind_parameter(at + 3, row.3)
            })?;
        self.added.clear();
        Ok(())
    }

    /// Takes a document, as it was stored, out of its lists. What cannot be read cannot be
    /// found in them either: readers check each document against its list.
    fn unlist<T: Listed>(
        &mut self,
        namespace: i64,
        table: &'static str,
        id: &str,
        body: &[u8],
        rows: impl FnOnce(&T) -> Rows,
    ) -> rusqlite::Result<()> {
        let Ok(old) = open::<T>(table, id, body) else {
            tracing::error!(table, id, "a damaged document is overwritten");
            return Ok(());
        };
        let rows = rows(&old);
        for list in rows.lists {
            let list = self.list_number(namespace, list)?;
            self.transaction
                .prepare_cached(
                    "DELETE FROM listing WHERE list = ?1 AND created_at = ?2 AND id = ?3",
                )?
                .execute(params![
                    list,
                    rows.position.created_at.as_ms(),
                    rows.position.id
                ])?;
        }
        Ok(())
    }

    fn list_number(&mut self, namespace: i64, list: List) -> rusqlite::Result<i64> {
        let key = (namespace, list);
        if let Some(n) = self.lists.get(&key) {
            return Ok(*n);
        }
        let name = key.1.name();
        let found = self
            .transaction
            .prepare_cached("SELECT n FROM list WHERE namespace = ?1 AND name = ?2")?
            .query_row(params![namespace, name], |row| row.get(0))
            .optional()?;
        let n = match found {
            Some(n) => n,
            None => {
                self.transaction
                    .prepare_cached("INSERT INTO list (namespace, name) VALUES (?1, ?2)")?
                    .execute(params![namespace, name])?;
                self.transaction.last_insert_rowid()
            }
        };
        self.lists.insert(key, n);
        Ok(n)
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

    fn body(
        &self,
        table: &'static str,
        namespace: i64,
        id: &str,
    ) -> rusqlite::Result<Option<Vec<u8>>> {
        self.transaction
            .prepare_cached(&format!(
                "SELECT body FROM {table} WHERE namespace = ?1 AND id = ?2"
            ))?
            .query_row(params![namespace, id], |row| row.get(0))
            .optional()
    }

    fn put<T: Serialize>(
        &mut self,
        table: &'static str,
        namespace: i64,
        id: &str,
        document: &T,
    ) -> rusqlite::Result<()> {
        seal(table, id, document, &mut self.row);
        self.transaction
            .prepare_cached(&format!(
                "INSERT INTO {table} (namespace, id, body) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET body = excluded.body"
            ))?
            .execute(params![namespace, id, self.row])?;
        Ok(())
    }

    fn remove(&mut self, table: &'static str, namespace: i64, id: &str) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE namespace = ?1 AND id = ?2"
            ))?
            .execute(params![namespace, id])?;
        Ok(())
    }
}

fn status(task: &mcpanel_domain::task::Task) -> i64 {
    mcpanel_domain::task::Status::ALL
        .iter()
        .zip(0..)
        .find(|(each, _)| **each == task.status())
        .map_or(-1, |(_, figure)| figure)
}

fn seal<T: Serialize + ?Sized>(table: &'static str, id: &str, document: &T, row: &mut Vec<u8>) {
    codec::open_seal(row);
    codec::append(document, row);
    codec::close_seal(row, &Place { table, id });
}

fn payload(column: &'static str, id: &str, payload: Option<&Payload>) -> Option<Vec<u8>> {
    payload.map(|payload| {
        let mut row = Vec::with_capacity(payload.size_bytes() + 4);
        codec::open_seal(&mut row);
        row.extend_from_slice(payload.as_str().as_bytes());
        codec::close_seal(&mut row, &Place { table: column, id });
        row
    })
}
