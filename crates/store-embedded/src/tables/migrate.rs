//! The forms of the file, one migration each, run in order at start.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{APPLICATION_ID, sqlite_error};
use crate::error::OpenError;

/// Number n makes form n of form n − 1. What was released is never changed, only added to.
const MIGRATIONS: [&str; 3] = [
    include_str!("../../migrations/0001_first.sql"),
    include_str!("../../migrations/0002_history.sql"),
    include_str!("../../migrations/0003_actors.sql"),
];

/// The form this program writes.
fn newest() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Brings the file to the newest form, wholly or not at all.
pub fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let sqlite = sqlite_error("migrate", path);
    let found: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(sqlite)?;
    if found > newest() {
        return Err(OpenError::TooNew {
            path: path.to_path_buf(),
            found,
            known: newest(),
        });
    }
    if found == newest() {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(sqlite)?;
    for migration in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(migration).map_err(sqlite)?;
    }
    transaction
        .execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};",
            newest()
        ))
        .map_err(sqlite)?;
    transaction.commit().map_err(sqlite)
}
