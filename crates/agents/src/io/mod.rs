//! Streams with bounds: lines, chunks, digests.

pub mod chunks;
pub mod lines;
pub mod outputs;
pub mod source;
