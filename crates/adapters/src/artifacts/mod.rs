//! Artifacts' bytes: in files below a directory, or in MongoDB for instances that share no disk.
//!
//! Both keep to the same order, which makes a crash harmless. Bytes are received into a [`Draft`], which knows their
//! length and digest and vanishes when it is dropped. Only [`Draft::keep`] makes them an artifact's, and returns when
//! they are durable. What is known about an artifact is recorded after that, and forgotten before its bytes are removed:
//! so a crash leaves at most bytes that nobody knows, and [`ArtifactStore::sweep`] finds them.
//!
//! - [`files`]: one file for each, on the disk of this machine or on a shared one
//! - [`gridfs`]: in pieces in MongoDB, in the form that its tools know as GridFS

mod error;
pub mod files;
mod gather;
pub mod gridfs;
mod sweep;

use std::{error::Error as StdError, time::SystemTime};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream::BoxStream};
use mcpanel_domain::{ArtifactId, Namespace};

pub use error::Error;
pub use files::ArtifactFiles;
use gather::gather;
pub use gridfs::GridFs;
pub use sweep::{ORPHAN_AGE, Swept};

/// Largest artifact unless told otherwise, in bytes: 10 GiB, a hundred times the largest public
/// counselling dataset, and still received in minutes.
pub const ARTIFACT_BYTES_MAX: u64 = 10 * 1024 * 1024 * 1024;

/// Where the bytes of artifacts are; cheap to clone.
#[derive(Debug, Clone)]
pub enum ArtifactStore {
    /// In files.
    Files(ArtifactFiles),
    /// In MongoDB.
    GridFs(GridFs),
}

/// Bytes that were received and are not kept yet. Dropping it removes them.
#[derive(Debug)]
pub enum Draft {
    /// In a file.
    Files(files::Draft),
    /// In MongoDB.
    GridFs(gridfs::Draft),
}

/// The bytes of an artifact, opened.
#[derive(Debug)]
pub enum Reader {
    /// In a file.
    Files(files::Reader),
    /// In MongoDB.
    GridFs(gridfs::Reader),
}

impl ArtifactStore {
    /// The same with another bound for one artifact, in bytes.
    #[must_use]
    pub fn with_bytes_max(self, bytes: u64) -> Self {
        match self {
            Self::Files(files) => Self::Files(files.with_bytes_max(bytes)),
            Self::GridFs(bucket) => Self::GridFs(bucket.with_bytes_max(bytes)),
        }
    }

    /// Most bytes of one artifact.
    pub fn bytes_max(&self) -> u64 {
        match self {
            Self::Files(files) => files.bytes_max(),
            Self::GridFs(bucket) => bucket.bytes_max(),
        }
    }

    /// Receives bytes until their end. When it fails, or is given up, nothing remains.
    pub async fn receive<S, E>(&self, bytes: S) -> Result<Draft, Error>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        match self {
            Self::Files(files) => files.receive(bytes).await.map(Draft::Files),
            Self::GridFs(bucket) => bucket.receive(bytes).await.map(Draft::GridFs),
        }
    }

    /// Opens the bytes of an artifact.
    pub async fn open(&self, namespace: &Namespace, id: &ArtifactId) -> Result<Reader, Error> {
        match self {
            Self::Files(files) => files.open(namespace, id).await.map(Reader::Files),
            Self::GridFs(bucket) => bucket.open(namespace, id).await.map(Reader::GridFs),
        }
    }

    /// Removes the bytes of an artifact; tells whether there were any.
    pub async fn remove(&self, namespace: &Namespace, id: &ArtifactId) -> Result<bool, Error> {
        match self {
            Self::Files(files) => files.remove(namespace, id).await,
            Self::GridFs(bucket) => bucket.remove(namespace, id).await,
        }
    }

    /// Removes bytes older than [`ORPHAN_AGE`] that `known` does not know, and incoming ones of that age. A question
    /// that `known` cannot answer keeps them.
    pub async fn sweep<K, A>(&self, now: SystemTime, known: K) -> Result<Swept, Error>
    where
        K: FnMut(Namespace, ArtifactId) -> A,
        A: Future<Output = bool>,
    {
        match self {
            Self::Files(files) => files.sweep(now, known).await,
            Self::GridFs(bucket) => bucket.sweep(now, known).await,
        }
    }
}

impl From<ArtifactFiles> for ArtifactStore {
    fn from(files: ArtifactFiles) -> Self {
        Self::Files(files)
    }
}

impl From<GridFs> for ArtifactStore {
    fn from(bucket: GridFs) -> Self {
        Self::GridFs(bucket)
    }
}

impl Draft {
    /// How many bytes there are.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Files(draft) => draft.size_bytes(),
            Self::GridFs(draft) => draft.size_bytes(),
        }
    }

    /// Their SHA-256.
    pub fn sha256(&self) -> [u8; 32] {
        match self {
            Self::Files(draft) => draft.sha256(),
            Self::GridFs(draft) => draft.sha256(),
        }
    }

    /// Makes the bytes those of this artifact, durably: when it returns, they outlive a crash.
    pub async fn keep(self, namespace: &Namespace, id: &ArtifactId) -> Result<(), Error> {
        match self {
            Self::Files(draft) => draft.keep(namespace, id).await,
            Self::GridFs(draft) => draft.keep(namespace, id).await,
        }
    }
}

impl Reader {
    /// How many bytes the artifact has.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Files(reader) => reader.size_bytes(),
            Self::GridFs(reader) => reader.size_bytes(),
        }
    }

    /// `length` bytes from `start` on. Bytes that end before are an error, at the place where they do.
    pub fn stream(self, start: u64, length: u64) -> BoxStream<'static, Result<Bytes, Error>> {
        match self {
            Self::Files(reader) => reader.stream(start, length).boxed(),
            Self::GridFs(reader) => reader.stream(start, length).boxed(),
        }
    }
}

/// Runs blocking work away from the async threads.
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
