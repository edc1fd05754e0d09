//! Receiving bytes: into a file of its own, hashed on the way, kept only when all is well.

use std::{
    error::Error as StdError,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use futures::Stream;
use mcpanel_domain::{ArtifactId, Namespace};
use sha2::{Digest, Sha256};

use super::{ArtifactFiles, Error, blocking, gather, place};

/// Numbers the files of this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Bytes that were received and are not kept yet. Dropping it removes them.
#[derive(Debug)]
pub struct Draft {
    file: File,
    hash: Sha256,
    size_bytes: u64,
    path: Removed,
    files: ArtifactFiles,
}

impl ArtifactFiles {
    /// Receives bytes until their end. When it fails, or is given up, nothing remains.
    pub async fn receive<S, E>(&self, bytes: S) -> Result<Draft, Error>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let files = self.clone();
        let mut draft = blocking(move || Draft::new(files)).await?;
        let mut bytes = std::pin::pin!(bytes);
        loop {
            let (pieces, more) = gather(&mut bytes, draft.size_bytes).await?;
            if !pieces.is_empty() {
                draft = blocking(move || draft.append(&pieces)).await?;
            }
            if !more {
                return Ok(draft);
            }
        }
    }
}

impl Draft {
    fn new(files: ArtifactFiles) -> Result<Self, Error> {
        let folder = files.incoming();
        place::make_folder(&folder)?;
        let (file, path) = loop {
            let name = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{}-{name}", std::process::id()));
            match place::make_file(&path) {
                Ok(file) => break (file, path),
                // Left by a process of the same number; a sweep will remove it.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io("make a file for incoming bytes", error)),
            }
        };
        Ok(Self {
            file,
            hash: Sha256::new(),
            size_bytes: 0,
            path: Removed(Some(path)),
            files,
        })
    }

    fn append(mut self, pieces: &[Bytes]) -> Result<Self, Error> {
        let max = self.files.bytes_max();
        for piece in pieces {
            self.size_bytes = self.size_bytes.saturating_add(piece.len() as u64);
            if self.size_bytes > max {
                return Err(Error::TooLarge { max });
            }
            self.hash.update(piece);
            self.file
                .write_all(piece)
                .map_err(|error| Error::io("write incoming bytes", error))?;
        }
        Ok(self)
    }

    /// How many bytes there are.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Their SHA-256.
    pub fn sha256(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// Makes the bytes the file of this artifact, durably: when it returns, they outlive a power cut.
    pub async fn keep(self, namespace: &Namespace, id: &ArtifactId) -> Result<(), Error> {
        let place = self.files.place(namespace, id);
        blocking(move || {
            self.file
                .sync_all()
                .map_err(|error| Error::io("flush incoming bytes", error))?;
            place.make_folders()?;
            self.path.move_to(&place.file)?;
            place.flush_folders()
        })
        .await
    }
}

/// A file that is removed with this, unless it was moved.
#[derive(Debug)]
struct Removed(Option<PathBuf>);

impl Removed {
    fn move_to(mut self, target: &Path) -> Result<(), Error> {
        if let Some(path) = &self.0 {
            fs::rename(path, target)
                .map_err(|error| Error::io("move incoming bytes into place", error))?;
        }
        self.0 = None;
        Ok(())
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        if let Some(path) = self.0.take()
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::warn!(%error, "cannot remove incoming bytes; a sweep will");
        }
    }
}
