//! Downloading: an artifact to a file, going on where a broken connection left off.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use mcpanel_api::artifact::Artifact;
use reqwest::{Response, StatusCode, header};
use tokio::{fs, io::AsyncWriteExt};

use super::Sha256Hex;
use crate::{Client, Error, Result, backoff::Backoff, routes::artifact_path};

/// Longest silence within a download: the server reads from its own disk.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// An artifact's bytes on their way.
pub struct Download {
    client: Client,
    artifact: Artifact,
    response: Option<Response>,
    received: u64,
    sha: Sha256Hex,
    backoff: Backoff,
}

impl Client {
    /// Begins to read the bytes of an artifact. Nothing is sent before the first chunk is asked for.
    pub fn download(&self, artifact: Artifact) -> Download {
        Download {
            backoff: Backoff::within(self.config().patience),
            client: self.clone(),
            artifact,
            response: None,
            received: 0,
            sha: Sha256Hex::default(),
        }
    }

    /// Writes an artifact to a file. The file is there only when it is whole and its digest is right.
    pub async fn download_to(&self, artifact: Artifact, path: &Path) -> Result<()> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let written = self.write_partial(artifact, &partial).await;
        let done = match written {
            Ok(()) => fs::rename(&partial, path)
                .await
                .map_err(failed("write", path)),
            Err(error) => Err(error),
        };
        if done.is_err() {
            // What cannot be removed does no harm: it does not have the wanted name.
            let _ = fs::remove_file(&partial).await;
        }
        done
    }

    async fn write_partial(&self, artifact: Artifact, partial: &Path) -> Result<()> {
        let mut file = fs::File::create(partial)
            .await
            .map_err(failed("create", partial))?;
        let mut download = self.download(artifact);
        while let Some(chunk) = download.chunk().await? {
            file.write_all(&chunk)
                .await
                .map_err(failed("write", partial))?;
        }
        file.sync_all().await.map_err(failed("write", partial))
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::File { what, path, source }
}

impl Download {
    /// The next bytes; none at the end, when length and digest are right.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.next().await {
                Ok(Some(chunk)) => {
                    self.received += chunk.len() as u64;
                    self.sha.update(&chunk);
                    self.backoff = Backoff::within(self.client.config().patience);
                    return Ok(Some(chunk));
                }
                Ok(None) if self.received < self.artifact.size_bytes => {
                    let url = self.url();
                    self.again(Error::Broken {
                        url,
                        source: "it ended early".into(),
                    })
                    .await?;
                }
                Ok(None) => return self.finish().map(|()| None),
                Err(error) => self.again(error).await?,
            }
        }
    }

    fn url(&self) -> String {
        let path = artifact_path(&self.artifact.artifact_id);
        format!("{}{path}/content", self.client.base_url())
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        let url = self.url();
        let response = match &mut self.response {
            Some(response) => response,
            none => {
                if self.received > 0 && self.received == self.artifact.size_bytes {
                    return Ok(None);
                }
                none.insert(request(&self.client, &self.artifact, self.received).await?)
            }
        };
        match tokio::time::timeout(SILENCE_MAX, response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| Error::transport(&url, SILENCE_MAX, error)),
            Err(_) => Err(Error::Timeout {
                url,
                waited: SILENCE_MAX,
            }),
        }
    }

    /// Goes on after a failure that passes, with a range of what is missing.
    async fn again(&mut self, error: Error) -> Result<()> {
        self.response = None;
        let pause = error.is_transient().then(|| self.backoff.pause(None));
        let Some(pause) = pause.flatten() else {
            return Err(error);
        };
        tracing::debug!(artifact.id = %self.artifact.artifact_id, received = self.received, error = %error.chain(), "a download goes on");
        tokio::time::sleep(pause).await;
        Ok(())
    }

    fn finish(&self) -> Result<()> {
        let found = self.sha.clone().finish();
        if found == self.artifact.sha256 && self.received == self.artifact.size_bytes {
            return Ok(());
        }
        Err(Error::Digest {
            what: self.artifact.name.clone(),
            expected: self.artifact.sha256.clone(),
            found,
        })
    }
}

async fn request(client: &Client, artifact: &Artifact, received: u64) -> Result<Response> {
    let path = format!("{}/content", artifact_path(&artifact.artifact_id));
    let mut call = client.read(&path);
    if received > 0 {
        call = call
            .header(header::RANGE, &format!("bytes={received}-"))
            .header(header::IF_RANGE, &format!("\"{}\"", artifact.sha256));
    }
    let response = call.response().await?;
    let expected = match received {
        0 => StatusCode::OK,
        _ => StatusCode::PARTIAL_CONTENT,
    };
    if response.status() != expected {
        return Err(Error::Decode {
            url: format!("{}{path}", client.base_url()),
            why: format!("status {} where {expected} was expected", response.status()),
        });
    }
    Ok(response)
}
