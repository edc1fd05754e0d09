//! The SQLite file that holds everything the commit log no longer does.
//!
//! One connection writes, a transaction for each full log segment, flushed when it ends
//! (`synchronous=FULL`), so that the segment may be used again. Readers have their own connections and
//! see the last whole transaction (write-ahead logging).

mod bulk;
pub mod lists;
mod load;
mod migrate;
mod namespaces;
mod pool;
mod read;
mod write;

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::{
    error::{OpenError, is_damage},
    limits::{CHECKED_BYTES_MAX, WAL_PAGES},
};

pub use load::load;
pub use namespaces::Namespaces;
pub use pool::Pool;
pub use read::{Range, Read};
pub use write::Writer;

/// The file's name in the data folder.
pub const FILE: &str = "mcpanel.db";

/// Marks the file as ours in its header: `MCPn`.
const APPLICATION_ID: i32 = 0x4d43_506e;

/// Size of the pages of a new file. Rows are written by the thousand, neighbours together, so that twice
/// SQLite's usual size halves the writes; and a usual task fits into its page without overflow.
const PAGE_BYTES: u32 = 8_192;

/// Prepared statements a connection keeps; there are about sixty different ones.
const STATEMENTS_CACHED: usize = 96;

/// Opens the file for writing, makes or migrates its tables, and checks it.
pub fn open_writer(path: &Path, pages_max: Option<u32>) -> Result<Connection, OpenError> {
    let size = std::fs::metadata(path).map_or(0, |meta| meta.len());
    let sqlite = |action| sqlite_error(action, path);
    let mut connection = Connection::open(path).map_err(sqlite("open"))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    if size > 0 {
        check_owner(&connection, path)?;
    }
    connection
        .execute_batch(&format!(
            "PRAGMA page_size = {PAGE_BYTES};
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = {WAL_PAGES};
             PRAGMA cache_size = -32768;
             PRAGMA temp_store = MEMORY;"
        ))
        .map_err(sqlite("prepare"))?;
    if size > 0 && size <= CHECKED_BYTES_MAX {
        check_whole(&connection, path)?;
    }
    migrate::migrate(&mut connection, path)?;
    if let Some(pages) = pages_max {
        connection
            .execute_batch(&format!("PRAGMA max_page_count = {pages};"))
            .map_err(sqlite("bound"))?;
    }
    Ok(connection)
}

/// Opens the file for reading.
pub fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    connection.execute_batch("PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;")?;
    Ok(connection)
}

/// Refuses a file that another program made.
fn check_owner(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let found: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(sqlite_error("read", path))?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(sqlite_error("read", path))?;
    if found == APPLICATION_ID || (found == 0 && tables == 0) {
        return Ok(());
    }
    Err(OpenError::Foreign {
        path: path.to_path_buf(),
        what: format!("its header names the program {found:#x}"),
    })
}

/// Looks for damage in the structure of a file that is small enough to be read at once.
fn check_whole(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(sqlite_error("check", path))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(OpenError::Damaged {
        path: path.to_path_buf(),
        what: verdict,
    })
}

/// Makes an error of opening of one of SQLite's.
pub fn sqlite_error<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl Fn(rusqlite::Error) -> OpenError + Copy + use<'a> {
    move |source| {
        if is_damage(&source) {
            OpenError::Damaged {
                path: path.to_path_buf(),
                what: source.to_string(),
            }
        } else {
            OpenError::Sqlite {
                action,
                path: path.to_path_buf(),
                source,
            }
        }
    }
}
