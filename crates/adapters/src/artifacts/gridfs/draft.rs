//! Receiving bytes: as chunks that belong to no file yet, hashed on the way, made a file only when all is well.

use std::{
    error::Error as StdError,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use futures::Stream;
use mcpanel_domain::{ArtifactId, Namespace};
use mongodb::bson::{Binary, DateTime, Document, doc, oid::ObjectId, spec::BinarySubtype};
use sha2::{Digest, Sha256};

use super::{
    CHUNK_BYTES, CONDEMNED, Error, GridFs, blocking, file_id, file_name, gather, is_duplicate,
};

/// How long between two notes that the bytes still come: rare against the chunks, often against
/// [`ORPHAN_AGE`](super::ORPHAN_AGE).
const TOUCH_INTERVAL: Duration = Duration::from_secs(60);

/// Bytes that were received and are not kept yet. Dropping it removes them.
#[derive(Debug)]
pub struct Draft {
    received: Received,
    file: ObjectId,
    touched: Instant,
    removed: Removed,
}

/// What came, as far as it was looked at.
#[derive(Debug, Default)]
struct Received {
    hash: Sha256,
    size_bytes: u64,
    /// What came after the last whole chunk.
    rest: Vec<u8>,
    chunks: u32,
}

impl GridFs {
    /// Receives bytes until their end. When it fails, or is given up, nothing remains.
    pub async fn receive<S, E>(&self, bytes: S) -> Result<Draft, Error>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let file = ObjectId::new();
        let removed = Removed(Some((self.clone(), file)));
        self.touch(file).await?;
        let mut draft = Draft {
            received: Received::default(),
            file,
            touched: Instant::now(),
            removed,
        };
        let mut bytes = std::pin::pin!(bytes);
        loop {
            let (pieces, more) = gather(&mut bytes, draft.size_bytes()).await?;
            draft.append(self, pieces).await?;
            if !more {
                return Ok(draft);
            }
        }
    }

    async fn insert_chunks(&self, chunks: Vec<Document>) -> Result<(), Error> {
        if chunks.is_empty() {
            return Ok(());
        }
        self.chunks
            .insert_many(chunks)
            .await
            .map(drop)
            .map_err(Error::database("write chunks"))
    }
}

impl Received {
    /// Takes in pieces; gives the chunks that became whole.
    fn append(
        &mut self,
        pieces: &[Bytes],
        file: ObjectId,
        max: u64,
    ) -> Result<Vec<Document>, Error> {
        let mut chunks = Vec::new();
        for piece in pieces {
            self.size_bytes = self.size_bytes.saturating_add(piece.len() as u64);
            if self.size_bytes > max {
                return Err(Error::TooLarge { max });
            }
            self.hash.update(piece);
            let mut left = &piece[..];
            while !left.is_empty() {
                let (now, later) = left.split_at(left.len().min(CHUNK_BYTES - self.rest.len()));
                self.rest.extend_from_slice(now);
                left = later;
                if self.rest.len() == CHUNK_BYTES {
                    chunks.push(self.chunk(file));
                }
            }
        }
        Ok(chunks)
    }

    /// The next chunk, of what is there.
    fn chunk(&mut self, file: ObjectId) -> Document {
        let data = Binary {
            subtype: BinarySubtype::Generic,
            bytes: std::mem::take(&mut self.rest),
        };
        let chunk = doc! { "files_id": file, "n": self.chunks, "data": data };
        self.chunks += 1;
        chunk
    }
}

impl Draft {
    async fn append(&mut self, bucket: &GridFs, pieces: Vec<Bytes>) -> Result<(), Error> {
        let mut received = std::mem::take(&mut self.received);
        let (file, max) = (self.file, bucket.bytes_max);
        let (received, chunks) = blocking(move || {
            let chunks = received.append(&pieces, file, max)?;
            Ok((received, chunks))
        })
        .await?;
        self.received = received;
        if self.touched.elapsed() >= TOUCH_INTERVAL {
            bucket.touch(self.file).await?;
            self.touched = Instant::now();
        }
        bucket.insert_chunks(chunks).await
    }

    /// How many bytes there are.
    pub fn size_bytes(&self) -> u64 {
        self.received.size_bytes
    }

    /// Their SHA-256.
    pub fn sha256(&self) -> [u8; 32] {
        self.received.hash.clone().finalize().into()
    }

    /// Makes the bytes those of this artifact, durably: when it returns, they outlive the loss of the primary.
    pub async fn keep(mut self, namespace: &Namespace, id: &ArtifactId) -> Result<(), Error> {
        let Some((bucket, file)) = self.removed.0.clone() else {
            return Err(Error::Abandoned);
        };
        let last = match self.received.rest.is_empty() {
            true => Vec::new(),
            false => vec![self.received.chunk(file)],
        };
        bucket.insert_chunks(last).await?;
        bucket.still_there(file).await?;
        bucket
            .make_file(&self.document(file, namespace, id))
            .await?;
        self.removed.0 = None;
        // The file is there, so a draft that stays behind costs a sweep a look and nothing else.
        if let Err(error) = bucket.forget_draft(file).await {
            tracing::debug!(%error, "cannot forget a draft that was kept; a sweep will");
        }
        Ok(())
    }

    fn document(&self, file: ObjectId, namespace: &Namespace, id: &ArtifactId) -> Document {
        let sha256: String = self
            .sha256()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        doc! {
            "_id": file,
            "length": i64::try_from(self.size_bytes()).unwrap_or(i64::MAX),
            "chunkSize": i32::try_from(CHUNK_BYTES).expect("a quarter of a MiB"),
            "uploadDate": DateTime::from_system_time(SystemTime::now()),
            "filename": file_name(namespace, id),
            "metadata": { "namespace": namespace.as_str(), "artifact_id": id.as_str(), "sha256": sha256 },
        }
    }
}

#[cfg(test)]
impl Draft {
    /// From here on it is as a crash would leave it.
    pub(super) fn forget_to_remove(&mut self) {
        self.removed.0 = None;
    }
}

impl GridFs {
    /// Sees that no sweep took the chunks for lost, and that none will for another while.
    async fn still_there(&self, file: ObjectId) -> Result<(), Error> {
        let now = DateTime::from_system_time(SystemTime::now());
        let noted = self
            .drafts
            .update_one(
                doc! { "_id": file, CONDEMNED: { "$exists": false } },
                doc! { "$set": { "touched_at": now } },
            )
            .await
            .map_err(Error::database("note a draft"))?;
        match noted.matched_count {
            0 => Err(Error::Abandoned),
            _ => Ok(()),
        }
    }

    /// Enters the file, in the place of one that an earlier attempt left under its name.
    async fn make_file(&self, document: &Document) -> Result<(), Error> {
        let failed = "enter an artifact";
        match self.files.insert_one(document).await {
            Ok(_) => return Ok(()),
            Err(error) if is_duplicate(&error) => {}
            Err(error) => return Err(Error::database(failed)(error)),
        }
        let name = document.get_str("filename").unwrap_or_default();
        let old = self.files.find_one(doc! { "filename": name }).await;
        if let Some(old) = file_id(old.map_err(Error::database(failed))?.as_ref()) {
            self.remove_file(old).await?;
        }
        self.files
            .insert_one(document)
            .await
            .map(drop)
            .map_err(Error::database(failed))
    }
}

/// Chunks that are removed with this, unless they became a file.
#[derive(Debug)]
struct Removed(Option<(GridFs, ObjectId)>);

impl Drop for Removed {
    fn drop(&mut self) {
        let Some((bucket, file)) = self.0.take() else {
            return;
        };
        // Without a runtime the process is at its end, and a sweep of another will find it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = bucket.remove_draft(file).await {
                tracing::warn!(%error, "cannot remove incoming bytes; a sweep will");
            }
        });
    }
}
