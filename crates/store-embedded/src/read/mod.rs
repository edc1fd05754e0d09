//! Questions over memory and tables together. What is in memory is newer, so it is looked at first;
//! what leaves memory is in the tables by then, so nothing falls between.

pub mod events;
pub mod lists;
mod live;
pub mod samples;
pub mod tasks;

use mcpanel_store::{Error, Result};

use crate::{error::read_failed, shared::Shared, tables::Read};

/// Runs a question on a reading connection.
pub fn with_tables<T>(shared: &Shared, ask: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
    let reader = shared.pool.get().map_err(|error| read_failed(&error))?;
    ask(&Read {
        connection: &reader,
        namespaces: &shared.namespaces,
    })
}

/// Runs something that may read much on a thread that may wait.
pub async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(Error::Unavailable {
                reason: format!("reading was cut short: {error}"),
            })
        })
}
