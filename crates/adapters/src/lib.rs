//! The integration layer: what lies outside the server's own documents.
//!
//! - [`artifacts`]: where the bytes of artifacts are: files on a disk, or MongoDB
//! - [`folder`]: folders that only their owner may open

pub mod artifacts;
pub mod folder;

pub use artifacts::{ArtifactFiles, ArtifactStore, GridFs};
