//! `mcpanel bench`: how much a server takes.
//!
//! - [`load`]: create, claim, complete, as fast as it goes
//! - [`alive`]: heartbeats, whatever the work waits for
//! - [`latency`]: how soon an agent that waits gets a task, at a given rate
//! - [`store`]: the embedded store against the bare log it cannot beat
//! - [`sockets`]: how soon many hear, and what a socket costs
//! - [`target`], [`wire`]: what is measured, and the lean connections that do it
//! - [`usage`]: what it cost, process by process
//! - [`report`]: what was measured, for people and programs

mod alive;
mod latency;
mod load;
mod report;
mod sockets;
mod store;
mod target;
mod usage;
mod wire;

use clap::{Args, Subcommand};

use crate::{Failure, Result, arguments::Global, exit::Exit};

/// Measure how much a server takes.
#[derive(Debug, Args)]
pub struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Task lifecycles through HTTP: create, claim, complete.
    Tasks(load::Load),
    /// From creation to an agent's hands, at a fixed rate.
    Latency(latency::Latency),
    /// The embedded store against a bare append log.
    Store(store::StoreBench),
    /// Sockets: broadcasts to many, and many that are idle.
    Sockets(sockets::Sockets),
}

impl Bench {
    /// Runs it.
    pub async fn execute(self, global: &Global) -> Result {
        let done = match self.what {
            What::Tasks(load) => load.run(global).await,
            What::Latency(latency) => latency.run(global).await,
            What::Store(store) => store.run(global.format()).await,
            What::Sockets(sockets) => sockets.run(global.format()).await,
        };
        match done {
            Ok(()) => Ok(Exit::Ok),
            // What the client says comes with what to try.
            Err(error) => Err(match error.downcast::<mcpanel_client::Error>() {
                Ok(error) => error.into(),
                Err(error) => Failure::new(format!("{error:#}")),
            }),
        }
    }
}
