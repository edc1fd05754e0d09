//! An upload: what its headers say, and its bytes.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, Method, Uri, header},
};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use mcpanel_adapters::artifacts::{ArtifactStore, Draft, Error};
use mcpanel_control::Idempotency;
use sha2::{Digest, Sha256};

use super::digest;
use crate::{
    error::{ApiError, ApiResult, Code},
    extract::idempotency_key,
    limits::{MEDIA_TYPE_CHARS_MAX, UPLOAD_IDLE_MS_MAX},
};

/// The media type of an upload that has none.
const BYTES: &str = "application/octet-stream";

/// When to try again while the disk is full, in seconds: somebody must free space first.
const RETRY_FULL_S: u32 = 30;

/// When to try again while the database cannot be reached, in seconds: a new primary is elected in about ten.
const RETRY_UNREACHABLE_S: u32 = 5;

/// What the headers of an upload say.
pub struct Upload {
    /// IANA media type.
    pub media_type: String,
    /// The repetition that the caller announced. Its fingerprint is complete when the bytes are here.
    pub idempotency: Option<Idempotency>,
    digest: Option<[u8; 32]>,
    request: Sha256,
}

impl Upload {
    /// Reads the headers, and refuses what is known to be too large.
    pub fn read(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        bytes_max: u64,
    ) -> ApiResult<Self> {
        let announced = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > bytes_max) {
            return Err(too_large(bytes_max));
        }
        if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
            && encoding != "identity"
        {
            return Err(ApiError::new(
                Code::UnsupportedMediaType,
                "a body that is compressed on the way is not taken; a compressed file is, without `Content-Encoding`",
            ));
        }
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        let request = Sha256::new()
            .chain_update(method.as_str())
            .chain_update([0])
            .chain_update(target)
            .chain_update([0]);
        Ok(Self {
            media_type: media_type(headers)?,
            idempotency: idempotency_key(headers)?.map(|key| Idempotency {
                key,
                fingerprint: [0; 32],
            }),
            digest: digest::expected(headers)?,
            request,
        })
    }

    /// Completes the fingerprint, and compares the digest that was announced with the one that came.
    pub fn check(&mut self, draft: &Draft) -> ApiResult<String> {
        let found = draft.sha256();
        if let Some(expected) = self.digest.filter(|expected| *expected != found) {
            return Err(ApiError::new(
                Code::DigestMismatch,
                format!(
                    "the {} bytes that came have SHA-256 {}, not {}; nothing was kept",
                    draft.size_bytes(),
                    digest::hex(&found),
                    digest::hex(&expected)
                ),
            ));
        }
        if let Some(idempotency) = &mut self.idempotency {
            let request = self.request.clone().chain_update(found);
            idempotency.fingerprint = request.finalize().into();
        }
        Ok(digest::hex(&found))
    }
}

fn media_type(headers: &HeaderMap) -> ApiResult<String> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(BYTES.to_owned());
    };
    let text = value.to_str().unwrap_or_default().trim();
    let kind = text.split(';').next().unwrap_or_default().trim();
    let token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    let whole = kind
        .split_once('/')
        .is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    if !whole || text.len() > MEDIA_TYPE_CHARS_MAX {
        let detail = format!(
            "must be a media type of at most {MEDIA_TYPE_CHARS_MAX} characters, such as `text/csv`"
        );
        return Err(ApiError::fault("/Content-Type", "not_a_media_type", detail));
    }
    Ok(text.to_owned())
}

/// Receives the bytes; when they do not come to their end, nothing remains of them.
pub async fn receive(files: &ArtifactStore, body: Body) -> ApiResult<Draft> {
    files.receive(in_time(body)).await.map_err(refused)
}

/// Why no more bytes came.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error("nothing came for {UPLOAD_IDLE_MS_MAX} ms")]
    Idle,
    #[error(transparent)]
    Line(axum::Error),
}

/// The pieces of a body, as long as they keep coming.
fn in_time(body: Body) -> impl Stream<Item = Result<Bytes, Stopped>> {
    stream::unfold(body.into_data_stream(), |mut pieces| async move {
        let idle = Duration::from_millis(UPLOAD_IDLE_MS_MAX);
        let next = match tokio::time::timeout(idle, pieces.next()).await {
            Ok(Some(Ok(piece))) => Ok(piece),
            Ok(Some(Err(error))) => Err(Stopped::Line(error)),
            Ok(None) => return None,
            Err(_) => Err(Stopped::Idle),
        };
        Some((next, pieces))
    })
}

fn refused(error: Error) -> ApiError {
    match error {
        Error::TooLarge { max } => too_large(max),
        Error::BrokenOff { after, source } => ApiError::new(
            Code::RequestTimeout,
            format!("{after} bytes came, and not the rest; nothing was kept"),
        )
        .caused_by(source),
        error => failed(error),
    }
}

/// What callers learn of bytes that could not be kept or read.
pub fn failed(error: Error) -> ApiError {
    match error {
        Error::NoSpace(_) => ApiError::new(
            Code::StoreReadOnly,
            "no space is left for artifacts; nothing was kept",
        )
        .retry_after_s(RETRY_FULL_S)
        .caused_by(error),
        Error::Database { .. } => ApiError::new(
            Code::StoreUnavailable,
            "the database of artifacts' bytes cannot be reached",
        )
        .retry_after_s(RETRY_UNREACHABLE_S)
        .caused_by(error),
        Error::Abandoned => ApiError::new(
            Code::RequestTimeout,
            "the upload stood still for too long; nothing was kept",
        ),
        Error::TooLarge { max } => too_large(max),
        error @ (Error::BrokenOff { .. } | Error::Missing | Error::Io { .. }) => {
            ApiError::internal(error)
        }
    }
}

fn too_large(max: u64) -> ApiError {
    ApiError::new(
        Code::ArtifactTooLarge,
        format!("an artifact has at most {max} bytes; nothing was kept"),
    )
}
