//! The commit log: what makes a commit durable.
//!
//! A **frame** holds the commits of one flush, with a number that grows by one. Frames are written one
//! after the other into a **segment**, a file of fixed size that was filled with zeros when it was
//! made. There are two; when one is full and the tables have what is in the other, the other is written
//! again from its beginning. What is left of older frames in it is told apart by its numbers.
//!
//! A frame begins at a multiple of 4096 bytes, so that a write that is torn by a power cut cannot touch the
//! frame before it.

mod entry;
mod event;
mod frame;
mod segment;

#[cfg(test)]
mod tests;

pub use entry::{StoredIdempotency, append_entry, read_entries};
pub use event::read_events;
pub use frame::Frame;
pub use segment::{AppendError, Log, Recovered, flush};
