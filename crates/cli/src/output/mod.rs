//! What goes to the terminal: data on stdout, the rest on stderr.

pub mod cell;
pub mod durations;
mod fitting;
pub mod form;
pub mod listing;
pub mod log;
pub mod numbers;
pub mod progress;
pub mod yaml;

use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use serde::Serialize;

use crate::{
    Failure, Result,
    arguments::{Colour, Global},
};

/// Whether nothing but errors goes to stderr. Of the process like stderr itself; set once, by [`start`].
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// Makes stdout and stderr as the command line wants them.
pub fn start(global: &Global, lines: log::Lines) -> Result<()> {
    match global.color {
        // anstream would colour for a dumb terminal where `CI` is set.
        Colour::Auto if is_dumb() && !is_forced() => anstream::ColorChoice::Never.write_global(),
        // Looked up again for each line by anstream: NO_COLOR, CLICOLOR_FORCE, and whether it is a terminal.
        Colour::Auto => {}
        Colour::Always => anstream::ColorChoice::Always.write_global(),
        Colour::Never => anstream::ColorChoice::Never.write_global(),
    }
    IS_QUIET.store(global.quiet, Ordering::Relaxed);
    log::start(lines, global.verbose, global.quiet)
}

/// Whether somebody insists on colours.
fn is_forced() -> bool {
    std::env::var_os("CLICOLOR_FORCE").is_some_and(|force| force != "0")
}

/// When help and complaints about the command line have colours, which are written before it is understood.
pub fn colour_of_help(arguments: impl Iterator<Item = std::ffi::OsString>) -> clap::ColorChoice {
    let arguments: Vec<String> = arguments
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let is_given = |word: &str| {
        let joined = format!("--color={word}");
        arguments.contains(&joined)
            || arguments
                .windows(2)
                .any(|pair| pair[0] == "--color" && pair[1] == word)
    };
    if is_given("always") {
        clap::ColorChoice::Always
    } else if is_given("never") {
        clap::ColorChoice::Never
    } else {
        clap::ColorChoice::Auto
    }
}

/// Whether notes and progress are to be left out.
pub fn is_quiet() -> bool {
    IS_QUIET.load(Ordering::Relaxed)
}

/// Whether somebody watches stderr, so that lines may be redrawn.
pub fn is_watched() -> bool {
    !is_quiet() && io::stderr().is_terminal() && !is_dumb()
}

/// Whether the terminal can do nothing but write on.
pub fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
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

/// Says something on stderr, unless nothing is to be said.
pub fn say(text: impl std::fmt::Display) {
    if log::is_json() {
        tracing::info!("{text}");
    } else if !is_quiet() {
        anstream::eprintln!("{text}");
    }
}

pub(crate) fn unwritable(error: serde_json::Error) -> Failure {
    Failure::new(format!("cannot write the answer as JSON: {error}"))
}
