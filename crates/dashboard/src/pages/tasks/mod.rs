//! Tasks: found by a filter that lives in the address, looked at one by one, retried and cancelled.

mod actions;
mod detail;
pub mod filter;
mod list;
mod log;
mod timeline;

use mcpanel_domain::TaskId;

pub use actions::{cancel, change_selected, retry, reveal};
pub use detail::show;
pub use list::{list, table};
pub use log::log;

use crate::error::{Failure, Result};

/// The id in a path.
fn parse(id: &str) -> Result<TaskId> {
    TaskId::parse(id).map_err(|_| Failure::not_found("task", id))
}
