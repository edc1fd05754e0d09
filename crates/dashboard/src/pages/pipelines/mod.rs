//! Pipelines: how far each is by its stages, the tasks of a stage on demand, and new ones from a template and a file.

mod actions;
mod again;
mod detail;
mod files;
pub mod filter;
mod list;
mod new;
mod stages;

use mcpanel_domain::PipelineId;

pub use actions::{cancel, execute, execute_stage, retry};
pub use detail::{show, stage};
pub use list::list;
pub use new::{create, new};
pub use stages::segments;

use crate::error::{Failure, Result};

/// The id in a path.
fn parse(id: &str) -> Result<PipelineId> {
    PipelineId::parse(id).map_err(|_| Failure::not_found("pipeline", id))
}
