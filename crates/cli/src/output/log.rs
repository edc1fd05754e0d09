//! The log of this process, on stderr.

use anstream::{AutoStream, ColorChoice};
use tracing_subscriber::EnvFilter;

/// The variable that says in detail what is logged.
const VARIABLE: &str = "MCPANEL_LOG";

/// Starts logging: warnings, or more as `-v` and [`VARIABLE`] say, or less as `-q` does.
pub fn start(verbose: u8, quiet: bool) {
    let usual = match verbose {
        _ if quiet => "error",
        0 => "warn",
        1 => "info,mcpanel=debug",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(usual));
    let ansi = AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(ansi)
        .finish();
    // Only the first in a process wins, and this is the first.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
