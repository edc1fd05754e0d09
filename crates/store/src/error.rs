//! How a store fails: the cases that a caller treats differently.

/// A store call that failed. Nothing was written, unless it is [`Error::Unknown`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Somebody else changed a document first: read again and decide again.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The store takes no writes now (disk full, file damaged); reading still works.
    #[error("the store takes no writes: {reason}")]
    ReadOnly {
        /// What happened and what helps.
        reason: String,
    },
    /// Stored bytes are not what was written. Nothing wrong is served in their place.
    #[error("stored data is damaged: {what}")]
    Damaged {
        /// Which document.
        what: String,
    },
    /// The store cannot be reached, or is shutting down.
    #[error("the store is unavailable: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
    },
    /// Whether the commit was written cannot be known now: the store broke off after the point from which it may hold.
    /// It may show when its documents are read again, or after a start, and may be handed in again: what it was
    /// decided on has moved if it holds, so it is never done twice.
    #[error("whether this was written is unknown: {reason}")]
    Unknown {
        /// What happened, and when it will be known.
        reason: String,
    },
    /// A bound is reached; trying again later can succeed.
    #[error("the store is at its limit: {what}")]
    Overloaded {
        /// Which bound.
        what: String,
    },
}

/// A document was not at the revision that the commit was decided on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{id}` is at revision {found}, not {expected}")]
pub struct Conflict {
    /// The kind of document.
    pub what: &'static str,
    /// Its id.
    pub id: String,
    /// The revision it was decided on; zero for a document that should not exist.
    pub expected: u64,
    /// The revision in the store; zero for a document that does not exist.
    pub found: u64,
}
