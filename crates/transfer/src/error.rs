//! Why a transfer did not come to its end. Doing it again goes on where it broke off, unless the target must be emptied.

use crate::Kind;

/// Why a transfer did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A store failed.
    #[error("the {end} failed: {source}")]
    Store {
        /// `source` or `target`.
        end: &'static str,
        /// What it says.
        source: mcpanel_store::Error,
    },
    /// Bytes of an artifact could not be read or written.
    #[error("cannot copy the bytes of artifact `{id}`")]
    Bytes {
        /// Which artifact.
        id: String,
        /// What happened.
        source: mcpanel_adapters::artifacts::Error,
    },
    /// The bytes in the source are not those that were recorded.
    #[error(
        "the bytes of artifact `{id}` are not what was recorded: SHA-256 {found}, not {recorded}"
    )]
    WrongBytes {
        /// Which artifact.
        id: String,
        /// What its bytes have.
        found: String,
        /// What they should have.
        recorded: String,
    },
    /// The target holds something else under the same id.
    #[error(
        "the target has another {kind} `{id}`: it is not empty, or somebody uses it; empty it and begin again"
    )]
    Different {
        /// Which kind.
        kind: Kind,
        /// Which one.
        id: String,
    },
    /// The target has events that the source does not have.
    #[error(
        "the target has events up to {target}, the source up to {source_last}; empty it and begin again"
    )]
    EventsAhead {
        /// The newest of the target.
        target: u64,
        /// The newest of the source.
        source_last: u64,
    },
    /// Somebody used the source.
    #[error(
        "the source changed while it was copied; stop its servers, empty the target, and begin again"
    )]
    SourceChanged,
}

impl Error {
    pub(crate) fn source(source: mcpanel_store::Error) -> Self {
        Self::Store {
            end: "source",
            source,
        }
    }

    pub(crate) fn target(source: mcpanel_store::Error) -> Self {
        Self::Store {
            end: "target",
            source,
        }
    }
}
