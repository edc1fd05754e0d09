//! Documents in MongoDB, what can be rebuilt in Redis: one store for many instances.

pub mod project;

pub use project::{Away, Change, Projection, ReadyQueue};
