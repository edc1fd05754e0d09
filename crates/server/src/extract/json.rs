//! JSON bodies, read within their bounds.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::{
    body,
    error::{ApiError, Code, quoted},
    limits::{BODY_BYTES_MAX, BODY_READ_MS_MAX},
};

/// A JSON body, checked against the schema of `T`.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

/// A JSON body that may be left out, which means the same as `{}`.
#[derive(Debug)]
pub struct JsonBodyOrDefault<T>(pub T);

impl<S, T> FromRequest<S> for JsonBody<T>
where
    S: Send + Sync,
    T: DeserializeOwned + ToSchema + 'static,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (headers, bytes) = read(request).await?;
        check_media_type(&headers)?;
        body::read(&bytes).map(Self)
    }
}

impl<S, T> FromRequest<S> for JsonBodyOrDefault<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Default + ToSchema + 'static,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (headers, bytes) = read(request).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        check_media_type(&headers)?;
        body::read(&bytes).map(Self)
    }
}

/// Reads a whole body, or refuses it as soon as it is known to be too large.
pub(super) async fn read(request: Request) -> Result<(HeaderMap, Bytes), ApiError> {
    let (parts, body) = request.into_parts();
    let announced = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > BODY_BYTES_MAX as u64) {
        return Err(too_large());
    }
    if let Some(encoding) = parts.headers.get(header::CONTENT_ENCODING)
        && encoding != "identity"
    {
        return Err(ApiError::new(
            Code::UnsupportedMediaType,
            "compressed bodies are not read; send the JSON as it is",
        ));
    }
    Ok((parts.headers, collect(body).await?))
}

async fn collect(body: Body) -> Result<Bytes, ApiError> {
    let whole = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(Duration::from_millis(BODY_READ_MS_MAX), whole).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Ok(Err(error)) => Err(ApiError::new(
            Code::MalformedJson,
            "the body broke off before its end",
        )
        .caused_by(error)),
        Err(_) => Err(ApiError::new(
            Code::RequestTimeout,
            format!("the body was not here after {BODY_READ_MS_MAX} ms"),
        )),
    }
}

fn too_large() -> ApiError {
    ApiError::new(
        Code::BodyTooLarge,
        format!(
            "the body has more than {BODY_BYTES_MAX} bytes; larger data travels as an artifact"
        ),
    )
}

/// `application/json`, or another media type in JSON such as `application/merge-patch+json`; always in UTF-8.
pub(super) fn check_media_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Err(unsupported(
            "the body has no `Content-Type`; send `application/json`".to_owned(),
        ));
    };
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let is_json =
        kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json");
    if !is_json {
        return Err(unsupported(format!(
            "`{}` is not read here; send `application/json`",
            quoted(kind)
        )));
    }
    let charset = parts.find_map(|part| part.strip_prefix("charset="));
    match charset.map(|charset| charset.trim_matches('"')) {
        None | Some("utf-8" | "utf8") => Ok(()),
        Some(other) => Err(unsupported(format!(
            "the charset `{}` is not read; send UTF-8",
            quoted(other)
        ))),
    }
}

fn unsupported(detail: String) -> ApiError {
    ApiError::new(Code::UnsupportedMediaType, detail)
}
