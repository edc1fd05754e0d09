//! Places in lists: new ones are gathered and written sorted, neighbours together.

use rusqlite::{OptionalExtension, params};

use super::{
    super::{
        lists::{List, Listed, Rows},
        read::open,
    },
    Settling,
};

impl Settling<'_> {
    /// Remembers new places in lists for [`Settling::listings`].
    pub(super) fn list(&mut self, namespace: i64, rows: Rows) -> rusqlite::Result<()> {
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

    pub(super) fn listings(&mut self) -> rusqlite::Result<()> {
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
    pub(super) fn unlist<T: Listed>(
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
}
