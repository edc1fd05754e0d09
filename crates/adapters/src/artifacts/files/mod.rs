//! Artifacts' bytes, in files below a directory.
//!
//! ```text
//! <root>/.incoming/<n>              bytes that are still coming
//! <root>/<namespace>/ab/cd/<id>     bytes that are complete and durable
//! ```
//!
//! Bytes are received into a [`Draft`], which knows their length and digest and vanishes when it is dropped. Only
//! [`Draft::keep`] makes them a file, and returns when file and folders are on the disk. What is known about a file is
//! recorded after that, and forgotten before the file is removed: so a crash leaves at most a file that nobody knows,
//! and [`ArtifactFiles::sweep`] finds it.
//!
//! The bytes are health data: files are for the owner alone (0600, folders 0700).

mod draft;
mod place;
mod read;
mod sweep;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use draft::Draft;
pub use read::Reader;

use super::{ARTIFACT_BYTES_MAX, Error, ORPHAN_AGE, Swept, blocking, gather};

/// Where the bytes of artifacts are.
#[derive(Debug, Clone)]
pub struct ArtifactFiles {
    root: PathBuf,
    bytes_max: u64,
}

impl ArtifactFiles {
    /// Below this directory, which is made with the first artifact.
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            bytes_max: ARTIFACT_BYTES_MAX,
        }
    }

    /// The same with another bound for one artifact, in bytes.
    #[must_use]
    pub fn with_bytes_max(mut self, bytes: u64) -> Self {
        self.bytes_max = bytes;
        self
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Most bytes of one artifact.
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }
}
