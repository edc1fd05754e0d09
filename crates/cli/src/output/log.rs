//! The log of this process, on stderr.

use std::sync::atomic::{AtomicBool, Ordering};

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;
use mcpanel_server::logging;

use crate::{Failure, Result};

/// The variable that says in detail what is logged.
const VARIABLE: &str = "MCPANEL_LOG";

/// How lines on stderr look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Lines {
    /// For people.
    #[default]
    Text,
    /// A `LogEntry` of the specification on each line, notes and errors too.
    Json,
}

/// Whether stderr is for programs. Of the process like stderr itself; set once, by [`start`].
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// Whether all that goes to stderr is to be an entry of the log.
pub fn is_json() -> bool {
    IS_JSON.load(Ordering::Relaxed)
}

/// Starts logging: warnings (with JSON what happens too), or more as `-v` and [`VARIABLE`] say, or less as `-q` does.
///
/// A filter that is none is told, once logging has begun as usual.
pub fn start(lines: Lines, verbose: u8, quiet: bool) -> Result<()> {
    let usual = match (verbose, lines) {
        _ if quiet => "error",
        (0, Lines::Text) => "warn",
        (0, Lines::Json) => "info",
        (1, _) => "info,mcpanel=debug",
        _ => "debug",
    };
    let given = std::env::var(VARIABLE).ok();
    let given = given.filter(|given| !given.trim().is_empty());
    let format = match lines {
        Lines::Text => logging::Format::Human,
        Lines::Json => logging::Format::Json,
    };
    let colours = AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
    IS_JSON.store(lines == Lines::Json, Ordering::Relaxed);
    let filter = given.as_deref().unwrap_or(usual);
    match logging::begin(format, filter, colours) {
        // Only the first in a process wins, which this is.
        Ok(()) | Err(logging::Error::Begun(_)) => Ok(()),
        Err(error @ logging::Error::Filter { .. }) => {
            let _ = logging::begin(format, usual, colours);
            Err(Failure::usage(format!("{VARIABLE}: {error}")))
        }
    }
}
