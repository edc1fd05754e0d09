//! The integration layer: what lies outside the server's own documents.
//!
//! - [`artifacts`]: where the bytes of artifacts are

pub mod artifacts;

pub use artifacts::ArtifactFiles;
