//! The embedded store against a bare append log, in the same run.
//!
//! Both do the same: three durable writes a task (create, assign, complete), 256 tasks in flight, an answer only after
//! the flush that holds it. They take turns, so that a noisy neighbour meets both.

use clap::Args;

use crate::arguments::Format;

/// The embedded store against a bare append log.
#[derive(Debug, Clone, Args)]
pub struct StoreBench {}

impl StoreBench {
    /// Runs it.
    pub fn run(self, _format: Format) -> anyhow::Result<()> {
        anyhow::bail!("not measured yet")
    }
}
