//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{commands, exit};

/// Where `serve` keeps its data, and where other commands look for the administrator's key.
pub const DATA_DEFAULT: &str = "mcpanel-data";

/// A control panel server for AI agents, in one binary.
#[derive(Debug, Parser)]
#[command(name = "mcpanel", version, max_term_width = 100, after_help = exit::TABLE)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What all commands have in common.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The server to speak to.
    #[arg(
        long,
        global = true,
        env = "MCPANEL_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080",
        help_heading = "Global options"
    )]
    pub url: String,
    /// A file that holds the API key or token to use; `-` for stdin. Without it: MCPANEL_API_KEY, MCPANEL_TOKEN,
    /// then the key of a server on this machine.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub token_file: Option<PathBuf>,
    /// How to write what is answered; a table on a terminal, tab-separated otherwise.
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t = Format::Table,
        value_name = "FORMAT",
        help_heading = "Global options"
    )]
    pub output: Format,
    /// Say more on stderr; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
}

/// How to write what is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// The API's own documents, indented.
    Json,
    /// The same, one document a line.
    Jsonl,
    /// Ids alone, one a line.
    Name,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Turn a dataset into a training set: run the six stages over a file, and leave a folder.
    Run(commands::run::Run),
    /// Start a server.
    Serve(commands::serve::Serve),
    /// See and steer agents.
    #[command(subcommand)]
    Agents(commands::agents::Agents),
    /// Submit, see and steer tasks.
    #[command(subcommand)]
    Tasks(commands::tasks::Tasks),
    /// Make, see and steer pipelines.
    #[command(subcommand)]
    Pipelines(commands::pipelines::Pipelines),
    /// See and store templates of pipelines.
    #[command(subcommand)]
    Templates(commands::templates::Templates),
    /// See, fetch and store artifacts.
    #[command(subcommand)]
    Artifacts(commands::artifacts::Artifacts),
    /// See what happened, and what happens.
    #[command(subcommand)]
    Events(commands::events::Events),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Keys(commands::keys::Keys),
    /// Measure how much a server takes.
    Bench(commands::bench::Bench),
    /// Ask a server whether it takes requests; for containers.
    Healthcheck(commands::healthcheck::Healthcheck),
    /// Print the description of the API.
    Openapi,
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Where the administrator's key of a local server may be.
pub fn data_folder() -> PathBuf {
    std::env::var_os("MCPANEL_DATA").map_or_else(|| DATA_DEFAULT.into(), PathBuf::from)
}
