//! Artifacts' bytes, in files below the data directory.

use std::path::PathBuf;

/// Where the bytes of artifacts are.
pub struct ArtifactFiles {
    root: PathBuf,
}

impl ArtifactFiles {
    /// Below this directory.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The directory.
    pub fn root(&self) -> &std::path::Path {
        &self.root
    }
}
