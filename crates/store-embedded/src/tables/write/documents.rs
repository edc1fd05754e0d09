//! Documents of which there are few, one row each.

use rusqlite::{OptionalExtension, params};
use serde::Serialize;

use super::{
    super::{
        lists::{artifact_rows, operation_rows, pipeline_rows},
        load::is_open,
    },
    Settling, seal,
};
use crate::{log::StoredIdempotency, recent::Recent};

impl Settling<'_> {
    pub(super) fn pipelines(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        let mut keys: Vec<_> = recent.pipelines.iter().collect();
        keys.sort_unstable_by(|a, b| a.0.cmp(b.0));
        for (key, pipeline) in keys {
            let namespace = self.namespace(&key.0)?;
            let id = key.1.as_str();
            if let Some(body) = self.body("pipeline", namespace, id)? {
                self.unlist(namespace, "pipeline", id, &body, pipeline_rows)?;
            }
            self.put_open("pipeline", namespace, id, is_open(pipeline), &**pipeline)?;
            self.list(namespace, pipeline_rows(pipeline))?;
        }
        Ok(())
    }

    pub(super) fn artifacts(&mut self, recent: &Recent) -> rusqlite::Result<()> {
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

    pub(super) fn small_documents(&mut self, recent: &Recent) -> rusqlite::Result<()> {
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

    pub(super) fn idempotency(&mut self, recent: &Recent) -> rusqlite::Result<()> {
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

    pub(super) fn operations(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        for (key, operation) in &recent.operations {
            let namespace = self.namespace(&key.0)?;
            let id = key.1.as_str();
            if let Some(body) = self.body("operation", namespace, id)? {
                self.unlist(namespace, "operation", id, &body, operation_rows)?;
            }
            let Some(operation) = operation else {
                self.remove("operation", namespace, id)?;
                continue;
            };
            let open = !operation.status.is_terminal();
            self.put_open("operation", namespace, id, open, &**operation)?;
            self.list(namespace, operation_rows(operation))?;
        }
        Ok(())
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

    /// The same for documents of which the open ones are loaded at the start.
    fn put_open<T: Serialize>(
        &mut self,
        table: &'static str,
        namespace: i64,
        id: &str,
        open: bool,
        document: &T,
    ) -> rusqlite::Result<()> {
        seal(table, id, document, &mut self.row);
        self.transaction
            .prepare_cached(&format!(
                "INSERT INTO {table} (namespace, id, open, body) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET open = excluded.open, body = excluded.body"
            ))?
            .execute(params![namespace, id, open, self.row])?;
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
