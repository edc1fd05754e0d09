//! Why a store cannot be opened, and how failures below become store errors.

use std::{io, path::PathBuf};

use mcpanel_store::Error;

/// A store that cannot be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made or read.
    #[error("cannot use `{path}` as the data folder: {source}")]
    Folder { path: PathBuf, source: io::Error },
    /// Another process uses the folder.
    #[error("`{path}` is in use by another process; stop it first, or name another data folder")]
    InUse { path: PathBuf },
    /// A file is not what this program writes.
    #[error("`{path}` is not a file of this program: {what}; name another data folder")]
    Foreign { path: PathBuf, what: String },
    /// A newer version wrote the file.
    #[error(
        "`{path}` has form {found}, written by a newer version; this one knows forms up to {known}"
    )]
    TooNew {
        path: PathBuf,
        found: u32,
        known: u32,
    },
    /// Bytes on disk are not what was written.
    #[error(
        "`{path}` is damaged: {what}; restore the folder from a backup, or keep a copy of it and start with an empty one"
    )]
    Damaged { path: PathBuf, what: String },
    /// The operating system refused.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// SQLite refused.
    #[error("cannot {action} `{path}`: {source}")]
    Sqlite {
        action: &'static str,
        path: PathBuf,
        source: rusqlite::Error,
    },
}

/// Whether SQLite says that the file itself is wrong.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    )
}

/// Whether SQLite says that there is no room.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}

/// A failed read, told to the caller.
pub(crate) fn read_failed(error: &rusqlite::Error) -> Error {
    if is_damage(error) {
        Error::Damaged {
            what: format!("the table file ({error})"),
        }
    } else {
        Error::Unavailable {
            reason: format!("reading the tables failed: {error}"),
        }
    }
}
