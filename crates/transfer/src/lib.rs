//! Moving a whole installation from one store into another: from a data directory into MongoDB, or back.
//!
//! 1. [`Census`]: count everything in the source, and sum up a digest of each kind
//! 2. [`copy()`]: bring over what the target lacks, oldest first; a copy that broke off goes on where it was
//! 3. take the census of the target and compare
//!
//! Documents keep their revisions and events their numbers. What stores derive (queues, timers, counts) is not copied:
//! the target derives it from the documents as they arrive. Nobody may use either store meanwhile; a source that changes
//! all the same is noticed at the end.
//!
//! - [`census`]: what there is, as counts and digests
//! - [`walk`]: reading everything of a store, page by page
//! - [`mod@copy`]: the copy itself; [`tasks`], [`events`], [`bytes`]: those of tasks, of events and of artifacts' bytes
//! - [`portion`]: commits of a moderate size

mod bytes;
mod census;
mod copy;
mod digest;
mod error;
mod events;
mod kind;
mod portion;
mod tasks;
mod walk;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use mcpanel_adapters::ArtifactStore;
use mcpanel_store::Portable;

pub use census::{Census, Tally};
pub use copy::copy;
pub use digest::Digest;
pub use error::Error;
pub use kind::Kind;

/// One end of a transfer: a store, and the bytes of its artifacts.
#[derive(Clone)]
pub struct End {
    /// Documents and events.
    pub store: Arc<dyn Portable>,
    /// The bytes of artifacts.
    pub files: ArtifactStore,
}

/// Hears how far a step is: another `count` of this kind are done.
pub type Progress<'a> = &'a (dyn Fn(Kind, u64) + Sync);

/// Copies everything and compares both ends. Tells what there was.
pub async fn transfer(
    from: &End,
    to: &End,
    census: &Census,
    progress: Progress<'_>,
) -> Result<(), Error> {
    copy(from, to, census, progress).await?;
    let newest = census::newest_event(&*from.store).await?;
    if newest != census.newest_event {
        return Err(Error::SourceChanged);
    }
    Ok(())
}
