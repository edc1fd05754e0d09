//! Documents in MongoDB, what can be rebuilt in Redis: one store for many instances.

mod keys;
pub mod link;
pub mod project;
pub mod queue;
#[cfg(test)]
mod testing;

pub use project::{Away, Change, Projection, ReadyQueue};
