//! Documents as MongoDB keeps them: the specification's field names and types, and what else is needed.
//!
//! Every form here reads back as exactly what was written. Free-form JSON becomes BSON where that is
//! lossless, so that an operator can query into it; see [`json`] and [`payload`].

pub mod agent;
pub mod derived;
pub mod event;
pub mod fields;
pub mod history;
pub mod json;
pub mod payload;
pub mod phase;
pub mod pipeline;
pub mod small;
pub mod tags;
pub mod task;

#[cfg(test)]
mod tests;

pub use fields::{Fields, Reader, Unreadable};
pub use payload::{Large, Shelf};

/// What a field of type date holds.
pub use mongodb::bson::DateTime;
