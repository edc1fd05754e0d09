//! Reading bytes: chunk by chunk, each with a query of its own.
//!
//! A cursor would be a little faster and would hold sixteen MiB for each reader; it would also be lost with the primary
//! that it runs on, while a query finds the next one.

use bytes::Bytes;
use futures::{Stream, stream};
use mcpanel_domain::{ArtifactId, Namespace};
use mongodb::bson::{Bson, doc, oid::ObjectId};

use super::{Error, GridFs, file_name};

/// The bytes of an artifact, found.
#[derive(Debug)]
pub struct Reader {
    bucket: GridFs,
    file: ObjectId,
    size_bytes: u64,
    chunk_bytes: u64,
}

impl GridFs {
    /// Finds the bytes of an artifact.
    pub async fn open(&self, namespace: &Namespace, id: &ArtifactId) -> Result<Reader, Error> {
        let found = self
            .files
            .find_one(doc! { "filename": file_name(namespace, id) })
            .await
            .map_err(Error::database("find an artifact"))?
            .ok_or(Error::Missing)?;
        let number = |field| match found.get(field) {
            Some(Bson::Int32(number)) => u64::try_from(*number).ok(),
            Some(Bson::Int64(number)) => u64::try_from(*number).ok(),
            _ => None,
        };
        let chunk_bytes = number("chunkSize").filter(|&bytes| bytes > 0);
        match (found.get_object_id("_id"), number("length"), chunk_bytes) {
            (Ok(file), Some(size_bytes), Some(chunk_bytes)) => Ok(Reader {
                bucket: self.clone(),
                file,
                size_bytes,
                chunk_bytes,
            }),
            _ => Err(Error::Missing),
        }
    }

    async fn chunk(&self, file: ObjectId, n: u64) -> Result<Bytes, Error> {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let mut found = self
            .chunks
            .find_one(doc! { "files_id": file, "n": n })
            .await
            .map_err(Error::database("read a chunk"))?
            .ok_or(Error::Missing)?;
        match found.remove("data") {
            Some(Bson::Binary(data)) => Ok(Bytes::from(data.bytes)),
            _ => Err(Error::Missing),
        }
    }
}

impl Reader {
    /// How many bytes there are.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The id of the file.
    #[cfg(test)]
    pub(super) fn file(&self) -> ObjectId {
        self.file
    }

    /// `length` bytes from `start` on. A chunk that is missing or too short is an error, at its place.
    pub fn stream(
        self,
        start: u64,
        length: u64,
    ) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        stream::try_unfold((self, start, length), |(reader, at, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            let chunk = reader
                .bucket
                .chunk(reader.file, at / reader.chunk_bytes)
                .await?;
            let skip = usize::try_from(at % reader.chunk_bytes).unwrap_or(usize::MAX);
            if skip >= chunk.len() {
                return Err(Error::Missing);
            }
            let mut piece = chunk.slice(skip..);
            piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            let length = piece.len() as u64;
            Ok(Some((piece, (reader, at + length, left - length))))
        })
    }
}
