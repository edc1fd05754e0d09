//! The commands, a file each.

mod completions;
mod healthcheck;
mod openapi;

use clap::{Parser, Subcommand};

use crate::{connect::Connection, exit, output::Format};

/// A Management Control Panel: agents sign on, work is delegated to them reliably, pipelines run.
#[derive(Debug, Parser)]
#[command(name = "mcpanel", version, propagate_version = true, after_help = exit::TABLE)]
pub struct Cli {
    #[command(flatten)]
    connection: Connection,
    /// How data is written.
    #[arg(short, long, global = true, value_enum, default_value = "table", help_heading = "Output")]
    output: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the OpenAPI document of the server in this binary.
    Openapi,
    /// Ask a server whether it is ready; for containers and load balancers.
    Healthcheck,
    /// Print a completion script for a shell.
    Completions(completions::Completions),
}

/// Runs a command.
pub fn run(cli: Cli) -> anyhow::Result<exit::Code> {
    match cli.command {
        Command::Openapi => openapi::run(),
        Command::Completions(command) => command.run(),
        Command::Healthcheck => on_runtime(healthcheck::run(cli.connection)),
    }
}

/// Runs a future to its end on a runtime of its own.
fn on_runtime<F>(future: F) -> anyhow::Result<exit::Code>
where
    F: Future<Output = anyhow::Result<exit::Code>>,
{
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(future)
}
