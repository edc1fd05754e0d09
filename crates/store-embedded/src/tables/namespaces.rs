//! The numbers that stand for namespaces in rows.

use mcpanel_domain::Namespace;
use parking_lot::RwLock;
use rusqlite::{Connection, OptionalExtension};
use rustc_hash::FxHashMap;

/// Namespace → number. Those that are here are in the file for good.
#[derive(Default)]
pub struct Namespaces {
    known: RwLock<FxHashMap<Namespace, i64>>,
}

impl Namespaces {
    /// Reads them all; a server has a handful.
    pub fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare("SELECT name, n FROM namespace")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
        let mut known = FxHashMap::default();
        for row in rows {
            let (name, n) = row?;
            if let Ok(namespace) = Namespace::parse(&name) {
                known.insert(namespace, n);
            }
        }
        Ok(Self {
            known: RwLock::new(known),
        })
    }

    /// The number of a namespace; `None` when the tables hold nothing of it.
    pub fn number(&self, namespace: &Namespace) -> Option<i64> {
        self.known.read().get(namespace).copied()
    }

    /// The namespace of a number.
    pub fn name(&self, number: i64) -> Option<Namespace> {
        self.known
            .read()
            .iter()
            .find(|(_, n)| **n == number)
            .map(|(namespace, _)| namespace.clone())
    }

    /// All of them.
    pub fn names(&self) -> Vec<Namespace> {
        self.known.read().keys().cloned().collect()
    }

    /// The number of a namespace within a transaction that may have to make it. What it makes is
    /// told with [`Namespaces::learn`] once the transaction is committed.
    pub fn number_or_make(
        &self,
        connection: &Connection,
        namespace: &Namespace,
    ) -> rusqlite::Result<i64> {
        if let Some(n) = self.number(namespace) {
            return Ok(n);
        }
        let found = connection
            .prepare_cached("SELECT n FROM namespace WHERE name = ?1")?
            .query_row([namespace.as_str()], |row| row.get(0))
            .optional()?;
        if let Some(n) = found {
            return Ok(n);
        }
        connection
            .prepare_cached("INSERT INTO namespace (name) VALUES (?1)")?
            .execute([namespace.as_str()])?;
        Ok(connection.last_insert_rowid())
    }

    /// Remembers numbers that are committed now. It cannot fail: what was committed must not be written again.
    pub fn learn(&self, committed: FxHashMap<Namespace, i64>) {
        if committed.keys().any(|each| self.number(each).is_none()) {
            self.known.write().extend(committed);
        }
    }
}
