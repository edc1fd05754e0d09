//! Inserting many rows with few statements: to begin and end a statement costs as much as a row does.

use rusqlite::{Connection, Statement};

/// Rows of one statement. More gain nothing measurable, and the program of the statement grows with them.
pub const ROWS: usize = 32;

/// Bytes after which a statement is not filled further: SQLite copies what is bound.
pub const BYTES: usize = 256 * 1024;

/// An insertion into one table.
pub struct Bulk {
    one: String,
    many: String,
    columns: usize,
}

impl Bulk {
    /// From the part before `VALUES`, and how many columns it names.
    pub fn new(head: &str, columns: usize) -> Self {
        let marks = vec!["?"; columns].join(",");
        let one = format!("{head} VALUES ({marks})");
        let many = format!("{one}{}", format!(",({marks})").repeat(ROWS - 1));
        Self { one, many, columns }
    }

    /// Inserts rows, [`ROWS`] at a time. `bind` sets the columns of a row, from the number given on.
    pub fn insert<R>(
        &self,
        connection: &Connection,
        rows: &[R],
        bind: impl Fn(&mut Statement<'_>, usize, &R) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let chunks = rows.chunks_exact(ROWS);
        let rest = chunks.remainder();
        if chunks.len() > 0 {
            let mut many = connection.prepare_cached(&self.many)?;
            for chunk in chunks {
                for (at, row) in chunk.iter().enumerate() {
                    bind(&mut many, at * self.columns + 1, row)?;
                }
                many.raw_execute()?;
            }
        }
        if !rest.is_empty() {
            let mut one = connection.prepare_cached(&self.one)?;
            for row in rest {
                bind(&mut one, 1, row)?;
                one.raw_execute()?;
            }
        }
        Ok(())
    }
}
