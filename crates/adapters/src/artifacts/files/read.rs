//! Reading bytes: a piece of a file as a stream, never more of it in memory than one buffer.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
};

use bytes::Bytes;
use futures::{Stream, stream};
use mcpanel_domain::{ArtifactId, Namespace};

use super::{ArtifactFiles, Error, blocking};

/// Bytes read at a time: enough for the trip to a blocking thread to pay, small enough for a thousand readers.
const READ_BYTES: u64 = 256 * 1024;

/// An opened file.
#[derive(Debug)]
pub struct Reader {
    file: File,
    size_bytes: u64,
}

impl ArtifactFiles {
    /// Opens the file of an artifact.
    pub async fn open(&self, namespace: &Namespace, id: &ArtifactId) -> Result<Reader, Error> {
        let path = self.place(namespace, id).file;
        blocking(move || {
            let failed = |error: io::Error| match error.kind() {
                io::ErrorKind::NotFound => Error::Missing,
                _ => Error::io("open an artifact's file", error),
            };
            let file = File::open(path).map_err(failed)?;
            let size_bytes = file.metadata().map_err(failed)?.len();
            Ok(Reader { file, size_bytes })
        })
        .await
    }

    /// Removes the file of an artifact; tells whether there was one.
    pub async fn remove(&self, namespace: &Namespace, id: &ArtifactId) -> Result<bool, Error> {
        let path = self.place(namespace, id).file;
        blocking(move || match fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io("remove an artifact's file", error)),
        })
        .await
    }
}

impl Reader {
    /// How many bytes the file has.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// `length` bytes from `start` on. A file that ends before is an error, at the place where it does.
    pub fn stream(
        self,
        start: u64,
        length: u64,
    ) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        stream::try_unfold((self.file, start, length), |(file, at, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            blocking(move || {
                let (file, piece) = read_at(file, at, left.min(READ_BYTES))?;
                let length = piece.len() as u64;
                Ok(Some((piece, (file, at + length, left - length))))
            })
            .await
        })
    }
}

fn read_at(mut file: File, at: u64, length: u64) -> Result<(File, Bytes), Error> {
    let failed = |error| Error::io("read an artifact's file", error);
    // At most READ_BYTES, which fits any address space.
    let mut buffer = vec![0; usize::try_from(length).unwrap_or(0)];
    file.seek(SeekFrom::Start(at)).map_err(failed)?;
    file.read_exact(&mut buffer).map_err(failed)?;
    Ok((file, buffer.into()))
}
