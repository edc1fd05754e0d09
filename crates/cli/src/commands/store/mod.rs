//! `mcpanel store`: what concerns the store itself, without a server.

mod copy;
mod ends;
mod watch;

use clap::Subcommand;

use crate::{Result, arguments::Global};

/// Work on stores, while no server uses them.
#[derive(Debug, Subcommand)]
pub enum Store {
    /// Copy everything into another store, and prove that it arrived.
    Copy(copy::Copy),
}

impl Store {
    /// Does what was asked for.
    pub async fn execute(self, global: &Global) -> Result {
        match self {
            Self::Copy(copy) => copy.execute(global.form()).await,
        }
    }
}
