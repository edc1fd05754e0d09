//! The integration layer: what lies outside the server's own documents.
//!
//! - [`artifacts`]: where the bytes of artifacts are: files on a disk, or MongoDB

pub mod artifacts;

pub use artifacts::{ArtifactFiles, ArtifactStore, GridFs};
