//! What goes to the terminal: data on stdout, the rest on stderr.

pub mod cell;
pub mod durations;
pub mod listing;
pub mod log;
pub mod numbers;
pub mod progress;

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::{Failure, Result};

/// Whether somebody watches stderr, so that lines may be redrawn.
pub fn is_watched() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Writes a line to stdout.
pub fn line(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(())
}

/// Writes a line with colours in it to stdout; they are taken out where nobody would see them.
pub fn styled(text: impl std::fmt::Display) -> Result<()> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(())
}

/// Writes a document to stdout, indented.
pub fn json<T: Serialize + ?Sized>(document: &T) -> Result<()> {
    line(&serde_json::to_string_pretty(document).map_err(unwritable)?)
}

/// Writes a document to stdout as one line.
pub fn jsonl<T: Serialize + ?Sized>(document: &T) -> Result<()> {
    line(&serde_json::to_string(document).map_err(unwritable)?)
}

/// Says something on stderr.
pub fn say(text: impl std::fmt::Display) {
    anstream::eprintln!("{text}");
}

pub(crate) fn unwritable(error: serde_json::Error) -> Failure {
    Failure::new(format!("cannot write the answer as JSON: {error}"))
}
