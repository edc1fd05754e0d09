//! What the business layer needs of a store, named by intent, and the parts that every store shares.
//!
//! A [`Store`] keeps documents that carry their own revision. A [`Commit`] is all or nothing: each
//! document in it must be exactly one revision ahead of the stored one, else nothing is written and
//! the caller reads and decides again. When `commit` returns, everything in it is durable.
//!
//! - [`Commit`], [`Write`]: what can be written
//! - [`query`]: what can be asked
//! - [`Grants`]: assignments that documents do not say yet, for a store that can remember them elsewhere
//! - [`Portable`]: what it takes to move everything into another store
//! - [`hot`]: the ready queue, timers, leases and counts, derived from live documents in memory
//! - [`memory`]: the first implementation, which keeps everything in memory
//! - `conformance`: the suite that every implementation runs (feature `conformance`)

mod commit;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod grants;
pub mod hot;
pub mod memory;
mod port;
mod portable;
pub mod query;
mod target;

pub use commit::{Commit, IdempotencyRecord, Receipt, Write};
pub use error::{Conflict, Error};
pub use grants::{Grant, Grants};
pub use port::{ACTIVITY_MINUTES_KEPT, Due, Held, Offer, Reserved, Store, count_by_pages};
pub use portable::Portable;
pub use target::{Key, Subject, Target};

/// The outcome of a store call.
pub type Result<T> = std::result::Result<T, Error>;
