//! A download: headers, and a piece of the file as a stream.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use mcpanel_adapters::artifacts::Reader;
use mcpanel_domain::artifact::Artifact;
use tokio::sync::OwnedSemaphorePermit;

use super::{digest, disposition, pace, upload::failed};
use crate::{
    app::App,
    error::{ApiError, ApiResult},
    etag,
    range::{self, Piece},
};

/// A downloaded page is nothing but a file: if a browser shows it after all, it runs nothing and loads nothing.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
);

/// Answers with the bytes of an artifact, or with what the headers ask for of them.
pub async fn download(app: &App, artifact: &Artifact, headers: &HeaderMap) -> ApiResult<Response> {
    let etag = etag::of_text(&artifact.sha256);
    if etag::is_known(headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let size = artifact.size_bytes;
    let wanted = range::piece(headers, size, &etag)?;
    let place = app.transfers.download().await?;
    let reader = open(app, artifact).await?;
    let piece = wanted.unwrap_or(Piece {
        start: 0,
        length: size,
    });
    let mut response = body(reader, piece, place).into_response();
    let fields = response.headers_mut();
    fields.extend(describe(artifact, etag));
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(piece.length));
    if wanted.is_some() {
        fields.insert(header::CONTENT_RANGE, piece.content_range(size));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// Opens the file. One that is missing, or of another length than was recorded, is not served.
async fn open(app: &App, artifact: &Artifact) -> ApiResult<Reader> {
    let reader = app
        .files
        .open(&artifact.namespace, &artifact.id)
        .await
        .map_err(failed)?;
    if reader.size_bytes() != artifact.size_bytes {
        return Err(ApiError::internal(format!(
            "the file of artifact `{}` has {} bytes; {} were recorded",
            artifact.id,
            reader.size_bytes(),
            artifact.size_bytes
        )));
    }
    Ok(reader)
}

fn body(reader: Reader, piece: Piece, place: OwnedSemaphorePermit) -> Body {
    Body::from_stream(
        pace::keep(reader.stream(piece.start, piece.length), piece.length)
            // The place is free again when the body is dropped.
            .inspect(move |_| {
                let _held = &place;
            }),
    )
}

fn describe(artifact: &Artifact, etag: HeaderValue) -> HeaderMap {
    let mut fields = HeaderMap::new();
    let kind = HeaderValue::try_from(&artifact.media_type);
    let bytes = HeaderValue::from_static("application/octet-stream");
    fields.insert(header::CONTENT_TYPE, kind.unwrap_or(bytes));
    fields.insert(header::ETAG, etag);
    fields.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let disposition = disposition::attachment(&artifact.name);
    fields.insert(header::CONTENT_DISPOSITION, disposition);
    fields.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    if let Some(digest) = digest::from_hex(&artifact.sha256) {
        fields.insert(digest::REPR_DIGEST, digest::header(&digest));
    }
    fields
}
