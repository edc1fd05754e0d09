//! Documents in MongoDB, what can be rebuilt in Redis: one store for many instances.

mod keys;
pub mod link;
pub mod project;
pub mod queue;
pub mod shared;
pub mod source;
pub mod stream;
#[cfg(test)]
mod testing;
mod views;

pub use project::{Away, Change, Projection, ReadyQueue};
pub use shared::{Shared, SharedSettings};
pub use source::Source;
