//! What has to be remembered of every record, in a temporary database on disk.
//!
//! Memory stays at SQLite's page cache ([`CACHE_KIB`]) however many records there are; the file is unnamed,
//! private to this process, and gone with it. Nothing in it needs to survive a crash, so it keeps no journal.

use rusqlite::{Connection, OptionalExtension, params};

use super::minhash::{BANDS, Signature};
use crate::{record::short_hash, stage::StageError};

/// Page cache of the database.
pub const CACHE_KIB: u32 = 16 * 1024;

/// Texts compared per band. A band shared by more texts than this is a common phrase, and comparing with
/// all of them would make the stage quadratic.
const CANDIDATES_MAX: u32 = 50;

/// The temporary database of one task.
pub struct Scratch {
    connection: Connection,
}

/// A text that resembles another.
#[derive(Debug, Clone, PartialEq)]
pub struct Twin {
    /// Id of the other record, which came first.
    pub id: String,
    /// Estimated Jaccard similarity.
    pub similarity: f64,
}

impl Scratch {
    /// An empty database.
    pub fn open() -> Result<Self, StageError> {
        // An empty path is SQLite's way to ask for a private file on disk, deleted when closed.
        let connection = Connection::open("")?;
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = OFF;
             PRAGMA synchronous = OFF;
             PRAGMA cache_size = -{CACHE_KIB};
             CREATE TABLE question (key TEXT PRIMARY KEY, parent TEXT NOT NULL) WITHOUT ROWID;
             CREATE TABLE pair (hash TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;
             CREATE TABLE answer (number INTEGER PRIMARY KEY, id TEXT NOT NULL, signature BLOB NOT NULL);
             CREATE TABLE band (band INTEGER, hash INTEGER, number INTEGER, PRIMARY KEY (band, hash, number))
                 WITHOUT ROWID;
             BEGIN;"
        ))?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self { connection })
    }

    /// Notes that a question id and a question text belong together. Rows with the same id, or the same
    /// text, or linked through other rows, end up in one group.
    pub fn same_question(&self, question_id: &str, text_key: &str) -> Result<(), StageError> {
        let keys = keys(question_id, text_key);
        let mut roots = Vec::with_capacity(keys.len());
        for key in &keys {
            self.connection
                .prepare_cached("INSERT OR IGNORE INTO question (key, parent) VALUES (?1, ?1)")?
                .execute([key])?;
            roots.push(self.root(key)?);
        }
        // The smallest key leads the group, so that the order of rows does not matter.
        roots.sort_unstable();
        for root in roots.iter().skip(1).filter(|root| **root != roots[0]) {
            self.set_parent(root, &roots[0])?;
        }
        Ok(())
    }

    /// The group of a question noted before.
    pub fn group(&self, question_id: &str, text_key: &str) -> Result<String, StageError> {
        let keys = keys(question_id, text_key);
        let Some(first) = keys.first() else {
            return Ok(format!("grp_{}", short_hash(&[])));
        };
        Ok(format!("grp_{}", short_hash(&[&self.root(first)?])))
    }

    fn root(&self, key: &str) -> Result<String, StageError> {
        let mut path = vec![key.to_owned()];
        loop {
            let last = path.last().expect("the path begins with the key").clone();
            let parent: Option<String> = self
                .connection
                .prepare_cached("SELECT parent FROM question WHERE key = ?1")?
                .query_row([&last], |row| row.get(0))
                .optional()?;
            match parent {
                Some(parent) if parent != last => path.push(parent),
                _ => break,
            }
        }
        let root = path.pop().expect("the path begins with the key");
        // Shorten the way for the next look; the direct child of the root is right already.
        for key in path.iter().rev().skip(1) {
            self.set_parent(key, &root)?;
        }
        Ok(root)
    }

    fn set_parent(&self, key: &str, parent: &str) -> Result<(), StageError> {
        self.connection
            .prepare_cached("UPDATE question SET parent = ?2 WHERE key = ?1")?
            .execute([key, parent])?;
        Ok(())
    }

    /// The first record with this hash, or nothing if this is the first, which is then remembered.
    pub fn exact_duplicate(&self, hash: &str, id: &str) -> Result<Option<String>, StageError> {
        let first: Option<String> = self
            .connection
            .prepare_cached("SELECT id FROM pair WHERE hash = ?1")?
            .query_row([hash], |row| row.get(0))
            .optional()?;
        if first.is_none() {
            self.connection
                .prepare_cached("INSERT INTO pair (hash, id) VALUES (?1, ?2)")?
                .execute([hash, id])?;
        }
        Ok(first)
    }

    /// The earlier answer that resembles this one most, if at least by `threshold`; else this one is remembered.
    pub fn near_duplicate(
        &self,
        answer: &str,
        id: &str,
        threshold: f64,
    ) -> Result<Option<Twin>, StageError> {
        let Some(signature) = Signature::of(answer, super::NEAR_DUPLICATE_WORDS_MIN) else {
            return Ok(None);
        };
        let bands = signature.bands();
        let twin = self.most_similar(&signature, &bands)?;
        if let Some(twin) = twin.filter(|twin| twin.similarity >= threshold) {
            return Ok(Some(twin));
        }
        self.connection
            .prepare_cached("INSERT INTO answer (id, signature) VALUES (?1, ?2)")?
            .execute(params![id, signature.to_bytes()])?;
        let number = self.connection.last_insert_rowid();
        let mut insert = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO band (band, hash, number) VALUES (?1, ?2, ?3)",
        )?;
        for (band, hash) in bands.iter().enumerate() {
            insert.execute(params![band as i64, hash, number])?;
        }
        Ok(None)
    }

    fn most_similar(
        &self,
        signature: &Signature,
        bands: &[i64; BANDS],
    ) -> Result<Option<Twin>, StageError> {
        let mut candidates: Vec<i64> = Vec::new();
        let mut find = self
            .connection
            .prepare_cached("SELECT number FROM band WHERE band = ?1 AND hash = ?2 LIMIT ?3")?;
        for (band, hash) in bands.iter().enumerate() {
            let rows =
                find.query_map(params![band as i64, hash, CANDIDATES_MAX], |row| row.get(0))?;
            for number in rows {
                candidates.push(number?);
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        let mut best: Option<Twin> = None;
        let mut read = self
            .connection
            .prepare_cached("SELECT id, signature FROM answer WHERE number = ?1")?;
        for number in candidates {
            let (id, bytes): (String, Vec<u8>) =
                read.query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let similarity =
                Signature::from_bytes(&bytes).map_or(0.0, |other| signature.similarity(&other));
            if best
                .as_ref()
                .is_none_or(|best| similarity > best.similarity)
            {
                best = Some(Twin { id, similarity });
            }
        }
        Ok(best)
    }
}

fn keys(question_id: &str, text_key: &str) -> Vec<String> {
    [("id", question_id), ("text", text_key)]
        .into_iter()
        .filter(|(_, key)| !key.is_empty())
        .map(|(kind, key)| format!("{kind}:{key}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_linked_by_id_or_text_are_one_group_in_any_order() {
        let rows = [
            ("q1", "a"),
            ("q2", "b"),
            ("q1", "c"),
            ("q3", "c"),
            ("", "b"),
            ("q4", ""),
        ];
        let groups = |order: &[usize]| {
            let scratch = Scratch::open().unwrap();
            for row in order {
                scratch.same_question(rows[*row].0, rows[*row].1).unwrap();
            }
            rows.map(|(id, text)| scratch.group(id, text).unwrap())
        };
        let found = groups(&[0, 1, 2, 3, 4, 5]);
        assert_eq!(found, groups(&[5, 3, 4, 2, 1, 0]));
        assert_eq!(found[0], found[2]);
        assert_eq!(found[0], found[3]);
        assert_eq!(found[1], found[4]);
        assert_ne!(found[0], found[1]);
        assert_ne!(found[0], found[5]);
    }

    #[test]
    fn duplicates_name_the_record_that_came_first() {
        let scratch = Scratch::open().unwrap();
        assert_eq!(scratch.exact_duplicate("h", "one").unwrap(), None);
        assert_eq!(
            scratch.exact_duplicate("h", "two").unwrap(),
            Some("one".to_owned())
        );

        let answer: String = (0..60).map(|number| format!("word{number} ")).collect();
        assert_eq!(scratch.near_duplicate(&answer, "one", 0.85).unwrap(), None);
        let changed = answer.replace("word59", "other");
        let twin = scratch
            .near_duplicate(&changed, "two", 0.85)
            .unwrap()
            .unwrap();
        assert_eq!(twin.id, "one");
        assert!(twin.similarity < 1.0);
        let other: String = (100..160).map(|number| format!("word{number} ")).collect();
        assert_eq!(scratch.near_duplicate(&other, "three", 0.85).unwrap(), None);
    }
}
