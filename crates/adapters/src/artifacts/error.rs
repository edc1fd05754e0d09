//! How keeping bytes fails: the cases that a caller treats differently.

use std::io;

/// Bytes that were not kept or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// More bytes than one artifact may have. Nothing was kept.
    #[error("the artifact has more than {max} bytes")]
    TooLarge {
        /// Most that it may have.
        max: u64,
    },
    /// The bytes stopped coming before their end. Nothing was kept.
    #[error("the bytes broke off after {after}")]
    BrokenOff {
        /// How many came.
        after: u64,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk, or the quota on it, is full. Nothing was kept.
    #[error("no space is left for artifacts")]
    NoSpace(#[source] io::Error),
    /// There is no such file.
    #[error("the artifact's file is missing")]
    Missing,
    /// The database that keeps the bytes cannot be reached, or refused. Trying again later can succeed.
    #[error("cannot {what} in the database of artifacts")]
    Database {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: Box<mongodb::error::Error>,
    },
    /// The bytes came so slowly that they were taken for lost, and removed. Nothing was kept.
    #[error("the upload stood still for too long")]
    Abandoned,
    /// The file system refused something else.
    #[error("cannot {what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    /// A failure of the file system, sorted by what a caller would do about it.
    pub(super) fn io(what: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace(source),
            _ => Self::Io { what, source },
        }
    }

    /// A failure of the database, for `map_err`.
    pub(super) fn database(what: &'static str) -> impl FnOnce(mongodb::error::Error) -> Self {
        move |source| Self::Database {
            what,
            source: Box::new(source),
        }
    }
}
