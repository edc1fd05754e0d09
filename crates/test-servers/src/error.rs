//! Why there is no server.

use std::{io, path::PathBuf};

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program is not installed, and was not fetched.
    #[error("there is no `{program}`: {remedy}")]
    Missing {
        /// The program.
        program: &'static str,
        /// What brings it.
        remedy: String,
    },
    /// A folder or file cannot be used.
    #[error("cannot {what} `{}`: {source}", path.display())]
    Files {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A program does not start.
    #[error("cannot start `{}`: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The shell beside a server does not do what it is told, so the server is gone too.
    #[error("the watcher of `{name}` is gone: {source}")]
    Watcher {
        /// The server.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// The server ended, or did not become ready in time.
    #[error("`{name}` did not become ready: {why}; the end of its log:\n{log}")]
    NotReady {
        /// The server.
        name: String,
        /// What the last attempt said.
        why: String,
        /// The last lines that it wrote.
        log: String,
    },
    /// The server answered a command with a failure.
    #[error("`{name}` refused `{command}`: {why}")]
    Refused {
        /// The server.
        name: String,
        /// The command.
        command: String,
        /// What it said.
        why: String,
    },
    /// No loopback port is free.
    #[error("no free port was found in {from}..{to} on 127.0.0.1")]
    NoPort {
        /// The first that was looked at.
        from: u16,
        /// The first that was not.
        to: u16,
    },
}

impl Error {
    pub(crate) fn files(what: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Files {
            what,
            path: path.into(),
            source,
        }
    }
}
