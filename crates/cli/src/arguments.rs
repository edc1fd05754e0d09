//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mcpanel_api::Namespace;

use crate::{
    Failure, Result, commands, exit,
    help::topics,
    output::{form::Form, log::Lines},
};

/// Where `serve` keeps its data, and where other commands look for the administrator's key.
pub const DATA_DEFAULT: &str = "mcpanel-data";

/// A control panel server for AI agents, in one binary.
#[derive(Debug, Parser)]
#[command(name = "mcpanel", version, max_term_width = 100, after_help = format!("{}\n\n{}", topics::LIST, exit::TABLE))]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What all commands have in common.
///
/// The environment is not read here but where it is used: an option that was typed must win over a variable, also
/// where the option names a context and the variable a server.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The server to speak to. Without it: MCPANEL_URL, that of the context, then http://127.0.0.1:8080.
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// The context to use, see `mcpanel context`. Without it: MCPANEL_CONTEXT, then the one that was chosen.
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// A file that holds the API key or token to use; `-` for stdin. Without it: MCPANEL_API_KEY, MCPANEL_TOKEN,
    /// that of the context, then the key of a server on this machine.
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Whose documents are meant, which only an administrator may choose. Without it: MCPANEL_NAMESPACE, that of the
    /// context, then that of the credential.
    #[arg(long, global = true, value_name = "NAME")]
    pub namespace: Option<Namespace>,
    /// A PEM file with the authorities whose certificates are trusted, and no others. Without it: MCPANEL_CA_FILE, that
    /// of the context, then those of this system.
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Show the credential to another machine also without encryption, on a network that is trusted. Without it:
    /// MCPANEL_ALLOW_HTTP=1, then what the context says.
    #[arg(long, global = true)]
    pub allow_http: bool,
    /// How to write what is answered; when left out a table on a terminal, tab-separated otherwise.
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT")]
    pub output: Option<Format>,
    /// Show these columns of a table alone, in this order, such as `task,status`.
    #[arg(long, global = true, value_name = "NAMES", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// When to use colours. NO_COLOR, CLICOLOR_FORCE and TERM=dumb are heeded by `auto`.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t = Colour::Auto,
        hide_possible_values = true
    )]
    pub color: Colour,
    /// Say nothing on stderr but errors: no notes, no progress.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more on stderr; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// How to write what is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// The same with more columns.
    Wide,
    /// The API's own documents, indented.
    Json,
    /// The same, one document a line.
    Jsonl,
    /// The same as YAML.
    Yaml,
    /// Ids alone, one a line.
    Name,
}

/// When to use colours: `auto`, `always` or `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// Where somebody looks.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl Format {
    /// Whether it is written for people rather than programs.
    pub fn is_table(self) -> bool {
        match self {
            Self::Table | Self::Wide => true,
            Self::Json | Self::Jsonl | Self::Yaml | Self::Name => false,
        }
    }
}

impl Global {
    /// How to write what is answered.
    pub fn format(&self) -> Format {
        self.output.unwrap_or(Format::Table)
    }

    /// The same with the columns that were named.
    pub fn form(&self) -> Form<'_> {
        Form {
            format: self.format(),
            columns: &self.columns,
        }
    }

    /// Refuses what contradicts itself.
    pub fn check(&self) -> Result<()> {
        if !self.columns.is_empty() && !self.format().is_table() {
            return Err(
                Failure::usage("`--columns` chooses among the columns of a table")
                    .hint("use `-o table` or `-o wide`; `jq` chooses among the fields of JSON"),
            );
        }
        Ok(())
    }
}

impl Command {
    /// How lines on stderr look while it runs.
    pub fn lines(&self) -> Lines {
        match self {
            Self::Serve(serve) => serve.lines(),
            _ => Lines::default(),
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Turn a dataset into a training set: run the six stages over a file, and leave a folder.
    Run(commands::run::Run),
    /// Start a server.
    Serve(commands::serve::Serve),
    /// Start a server with the six built-in agents, to try things out.
    Dev(commands::dev::Dev),
    /// Bring what is stored up to this version, and start nothing.
    Migrate(commands::migrate::Migrate),
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
    /// See and stop operations on many tasks, which `tasks retry` and `tasks cancel` begin.
    #[command(subcommand)]
    Ops(commands::ops::Ops),
    /// Show what waits, by type of task.
    Queues(commands::metrics::QueuesCommand),
    /// Show what happened over time: tasks created and ended, how long they waited and ran.
    History(commands::metrics::HistoryCommand),
    /// Show the figures that machines watch, as they are this moment.
    Metrics(commands::metrics::figures::MetricsCommand),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Keys(commands::keys::Keys),
    /// Log in, see as whom, and buy tokens.
    #[command(subcommand)]
    Auth(commands::auth::Auth),
    /// Keep servers by name, with the credential for each.
    #[command(subcommand)]
    Context(commands::context::ContextCommand),
    /// Look at a configuration and its servers, and say what is wrong.
    Doctor(commands::doctor::Doctor),
    /// Show how a server and its parts are.
    Health,
    /// Show what a server offers, and where.
    Services,
    /// Work on stores, while no server uses them.
    #[command(subcommand)]
    Store(commands::store::Store),
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
    /// What exit codes mean, for scripts
    #[command(hide = true, help_template = topics::TEMPLATE, after_help = exit::TABLE)]
    ExitCodes,
    /// The variables that are read
    #[command(hide = true, help_template = topics::TEMPLATE)]
    Environment,
    /// Formats, columns, colours, watching
    #[command(hide = true, help_template = topics::TEMPLATE, after_help = topics::OUTPUT)]
    Output,
    /// Print all commands with their options as Markdown
    #[command(hide = true)]
    Reference,
}

/// Where the data of a local server may be, and with it the administrator's key.
pub fn data_folder() -> PathBuf {
    std::env::var_os("MCPANEL_DATA").map_or_else(|| DATA_DEFAULT.into(), PathBuf::from)
}
