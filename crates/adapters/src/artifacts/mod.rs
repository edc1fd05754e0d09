//! Artifacts' bytes, in files below the data directory.
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
mod error;
mod place;
mod read;
mod sweep;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use draft::Draft;
pub use error::Error;
pub use read::Reader;
pub use sweep::{ORPHAN_AGE, Swept};

/// Largest artifact unless told otherwise, in bytes: 10 GiB, a hundred times the largest public
/// counselling dataset, and still received in minutes.
pub const ARTIFACT_BYTES_MAX: u64 = 10 * 1024 * 1024 * 1024;

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

/// Runs blocking file work away from the async threads.
async fn blocking<T, F>(work: F) -> Result<T, Error>
where
    F: FnOnce() -> Result<T, Error> + Send + 'static,
    T: Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        // The work panicked or the runtime stops; either way it was not done.
        Err(error) => Err(Error::io("run file work", std::io::Error::other(error))),
    }
}
