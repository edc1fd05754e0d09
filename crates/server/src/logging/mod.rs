//! Log lines: for people on a terminal, for programs as JSON in the specification's `LogEntry` shape.
//!
//! What a line is about stands in fields with stable names (`task.id`, `agent.id`, `pipeline.id`, `request.id`,
//! `user.id`); they become the entry's `context`, everything else its `metadata`. A line with the field
//! `critical = true` has the level `critical`, which tracing itself does not know.
//!
//! Payloads and secrets are never logged: their types print their size, or stars.

mod entry;

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter, util::SubscriberInitExt};

pub use entry::Entries;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// For people.
    Human,
    /// A JSON object on each line.
    Json,
}

/// Why logging cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter is none.
    #[error("`{filter}` is no log filter: {source}; write `info`, or `info,mcpanel_control=debug`")]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Somebody in this process logs already.
    #[error("logging has begun already: {0}")]
    Begun(#[from] tracing_subscriber::util::TryInitError),
}

/// Begins to log to standard error: lines that `filter` lets through, such as `info` or
/// `warn,mcpanel_server=debug`. With `colours`, lines for people have them.
pub fn begin(format: Format, filter: &str, colours: bool) -> Result<(), Error> {
    let filter = EnvFilter::try_new(filter).map_err(|source| Error::Filter {
        filter: filter.to_owned(),
        source,
    })?;
    let human = match format {
        Format::Auto => io::stderr().is_terminal(),
        Format::Human => true,
        Format::Json => false,
    };
    if human {
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(colours)
            .with_writer(io::stderr)
            .finish()
            .try_init()?;
    } else {
        tracing::Dispatch::new(json(filter, io::stderr)).try_init()?;
    }
    Ok(())
}

fn json<W>(filter: EnvFilter, writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .event_format(Entries)
        .with_writer(writer)
        .finish()
}

#[cfg(test)]
mod tests;
