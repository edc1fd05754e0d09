//! Tasks and their payloads: new ones by the thousand, changed ones one by one.

use mcpanel_domain::{Payload, TaskId, task::Task};
use rusqlite::{OptionalExtension, params};

use super::{
    super::{
        bulk,
        lists::task_rows,
        read::{PARAMETERS, RESULT},
    },
    Settling, seal,
};
use crate::{
    codec::{self, Place},
    recent::{Recent, RecentTask},
};

/// The rows of a new task.
pub(super) struct Birth {
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

impl Settling<'_> {
    pub(super) fn tasks(&mut self, recent: &Recent) -> rusqlite::Result<()> {
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
}

fn status(task: &Task) -> i64 {
    mcpanel_domain::task::Status::ALL
        .iter()
        .zip(0..)
        .find(|(each, _)| **each == task.status())
        .map_or(-1, |(_, figure)| figure)
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
