//! What MongoDB's failures mean to callers of the store.

use mcpanel_store::Error;
use mongodb::error::{Error as DriverError, ErrorKind, WriteFailure};

use crate::{documents::Unreadable, sessions::Serving};

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URI is not one.
    #[error("`MONGODB_URI` is not a MongoDB connection string: {0}")]
    Uri(String),
    /// MongoDB cannot be reached.
    #[error("MongoDB cannot be used: {0}")]
    Unavailable(String),
    /// The server cannot do what is needed.
    #[error("{0}")]
    Unsuitable(String),
    /// A newer program has been here.
    #[error(
        "the database has schema version {found}, this program knows {known}; start a newer program"
    )]
    Newer {
        /// The database's version.
        found: i64,
        /// This program's.
        known: i64,
    },
    /// It is wanted alone, and instances serve from it.
    #[error(
        "the database `{database}` is in use: {}; stop all of its servers first (one that was killed is \
         forgotten after {} s)",
        listed(.serving), crate::sessions::SILENT_MS_MAX / 1_000
    )]
    InUse {
        /// The database.
        database: String,
        /// By whom.
        serving: Vec<Serving>,
    },
    /// Another instance holds the migration lock and did not finish.
    #[error("another instance has been migrating the schema for {seconds} s and has not finished")]
    Locked {
        /// How long it was waited for.
        seconds: u64,
    },
}

fn listed(serving: &[Serving]) -> String {
    let each: Vec<String> = serving.iter().map(ToString::to_string).collect();
    each.join(", ")
}

/// MongoDB's numbers for failures that are told apart.
pub mod code {
    /// A unique index has the key already.
    pub const DUPLICATE_KEY: i32 = 11_000;
    /// Another transaction wrote the document.
    pub const WRITE_CONFLICT: i32 = 112;
    /// Somebody ended the session, or the operation.
    pub const INTERRUPTED: i32 = 11_601;
    /// The transaction was aborted, or never begun.
    pub const NO_SUCH_TRANSACTION: i32 = 251;
    /// The cursor is gone, with the session that it belonged to.
    pub const CURSOR_NOT_FOUND: i32 = 43;
    /// The cursor was ended while it was read.
    pub const CURSOR_KILLED: i32 = 237;
    /// The operation took longer than it may.
    pub const MAX_TIME_EXPIRED: i32 = 50;
}

/// The number of the failure, if the server gave one.
pub fn code(error: &DriverError) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::Write(WriteFailure::WriteError(write)) => Some(write.code),
        _ => None,
    }
}

/// Whether somebody ended what was asked while it was answered. An instance that takes another one for dead ends its sessions, and
/// the driver reads in the same sessions as it writes in.
pub fn was_ended(error: &DriverError) -> bool {
    let ended = [
        code::CURSOR_NOT_FOUND,
        code::CURSOR_KILLED,
        code::INTERRUPTED,
    ];
    code(error).is_some_and(|code| ended.contains(&code))
}

/// The store's word for a failure. The driver's text holds addresses but never credentials or documents.
pub fn unavailable(error: &DriverError) -> Error {
    match code(error) {
        Some(code::MAX_TIME_EXPIRED) => Error::Overloaded {
            what: "MongoDB did not answer in time".to_owned(),
        },
        _ => Error::Unavailable {
            reason: format!("MongoDB: {}", brief(error)),
        },
    }
}

/// One line of a failure, at most 300 characters: server selection lists the whole topology. Of the kind alone: the driver's
/// own text goes on with labels and sources in the form of its code.
pub fn brief(error: &DriverError) -> String {
    let text = error.kind.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(300).collect()
}

/// What to look at when a server cannot be used from the start.
fn hint(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Authentication { .. } => {
            "; look at the user, the password and `authSource` in `MONGODB_URI`"
        }
        ErrorKind::ServerSelection { .. } => {
            "; look at the addresses and at `replicaSet` in `MONGODB_URI`, and whether the servers run"
        }
        ErrorKind::DnsResolve { .. } => "; look at the host names in `MONGODB_URI`",
        _ => "",
    }
}

impl From<DriverError> for OpenError {
    fn from(error: DriverError) -> Self {
        Self::Unavailable(format!("{}{}", brief(&error), hint(&error.kind)))
    }
}

impl From<Unreadable> for Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::Damaged {
            what: unreadable.to_string(),
        }
    }
}
