//! Uploading: file or bytes to an artifact.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use futures::stream::{self, Stream, TryStreamExt};
use mcpanel_api::artifact::{Artifact, ArtifactUpload};
use reqwest::{
    Body, RequestBuilder,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName},
};
use tokio::io::AsyncReadExt;

use super::digest;
use crate::{
    Client, Error, IdempotencyKey, Result,
    call::{check, repeat, timed, with_query},
};

/// The slowest line an upload is waited for, in bytes per second (2 Mbit/s).
const BYTES_PER_SECOND_MIN: u64 = 256 * 1024;

/// Read from a file and sent at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Where the bytes come from; can be read anew for another try.
enum Source<'a> {
    File(&'a Path),
    Bytes(Bytes),
}

impl Client {
    /// Stores a file as an artifact. The file is read twice: for its digest, and to send it.
    pub async fn upload_file(
        &self,
        path: &Path,
        media_type: &str,
        about: &ArtifactUpload,
        key: &IdempotencyKey,
    ) -> Result<Artifact> {
        let owned = path.to_owned();
        let (size, sha) = tokio::task::spawn_blocking(move || digest::of_file(&owned))
            .await
            .map_err(|error| Error::Config(format!("cannot read the file: {error}")))??;
        self.upload(Source::File(path), size, sha, media_type, about, key)
            .await
    }

    /// Stores bytes as an artifact.
    pub async fn upload_bytes(
        &self,
        bytes: Bytes,
        media_type: &str,
        about: &ArtifactUpload,
        key: &IdempotencyKey,
    ) -> Result<Artifact> {
        let (size, sha) = (bytes.len() as u64, digest::of_bytes(&bytes));
        self.upload(Source::Bytes(bytes), size, sha, media_type, about, key)
            .await
    }

    async fn upload(
        &self,
        source: Source<'_>,
        size: u64,
        sha: [u8; 32],
        media_type: &str,
        about: &ArtifactUpload,
        key: &IdempotencyKey,
    ) -> Result<Artifact> {
        let url = with_query(&format!("{}/api/v1/artifacts", self.base_url()), about)?;
        let wait =
            self.config().answer_timeout + Duration::from_secs(size / BYTES_PER_SECOND_MIN + 1);
        let shown = format!("{}/api/v1/artifacts", self.base_url());
        let (url, shown, source) = (url.as_str(), shown.as_str(), &source);
        let once = || async move {
            let body = match source {
                Source::File(path) => Body::wrap_stream(read_file(path).await?),
                Source::Bytes(bytes) => Body::from(bytes.clone()),
            };
            let request = self
                .http
                .post(url)
                .header(CONTENT_TYPE, media_type)
                .header(CONTENT_LENGTH, size)
                .header(
                    HeaderName::from_static("content-digest"),
                    digest::field(&sha),
                )
                .header(HeaderName::from_static("idempotency-key"), key.as_str())
                .body(body);
            timed(shown, wait, send(self.signed(request), shown, wait)).await
        };
        let artifact = repeat(self, true, once).await?;
        let expected = digest::hex(&sha);
        if artifact.sha256 != expected {
            return Err(Error::Digest {
                what: about.name.clone(),
                expected,
                found: artifact.sha256,
            });
        }
        Ok(artifact)
    }
}

async fn send(request: RequestBuilder, shown: &str, wait: Duration) -> Result<Artifact> {
    let response = request
        .send()
        .await
        .map_err(|error| Error::transport(shown, wait, error))?;
    let response = check(response, shown, wait).await?;
    response.json().await.map_err(|error| Error::Decode {
        url: shown.to_owned(),
        why: error.without_url().to_string(),
    })
}

async fn read_file(path: &Path) -> Result<impl Stream<Item = std::io::Result<Bytes>> + use<>> {
    let file = tokio::fs::File::open(path)
        .await
        .map_err(|source| Error::File {
            what: "read",
            path: path.to_owned(),
            source,
        })?;
    let chunks = stream::try_unfold(file, async |mut file| {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let read = (&mut file)
            .take(CHUNK_BYTES as u64)
            .read_to_end(&mut chunk)
            .await?;
        Ok((read > 0).then(|| (Bytes::from(chunk), file)))
    });
    Ok(chunks.into_stream())
}
