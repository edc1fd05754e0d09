//! Requests that may be repeated without being done twice: the `Idempotency-Key` header
//! (draft-ietf-httpapi-idempotency-key-header).

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue},
};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::json::{self, JsonBody};
use crate::{body, error::ApiError, limits::IDEMPOTENCY_KEY_CHARS_MAX};

/// The key of a request, and what the request was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// What the caller calls the request. It means nothing without the caller.
    pub key: String,
    /// SHA-256 of method, path, query and body: the same key with another fingerprint is a mistake.
    pub fingerprint: [u8; 32],
}

/// A JSON body that may come with an `Idempotency-Key`.
#[derive(Debug)]
pub struct Idempotent<T> {
    /// The body.
    pub body: T,
    /// The key, if there is one.
    pub key: Option<IdempotencyKey>,
}

impl<S, T> FromRequest<S> for Idempotent<T>
where
    S: Send + Sync,
    T: DeserializeOwned + ToSchema + 'static,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let Some(key) = key(request.headers())? else {
            let JsonBody(body) = JsonBody::from_request(request, state).await?;
            return Ok(Self { body, key: None });
        };
        let hash = Sha256::new()
            .chain_update(request.method().as_str())
            .chain_update([0])
            .chain_update(
                request
                    .uri()
                    .path_and_query()
                    .map_or("", |path| path.as_str()),
            )
            .chain_update([0]);
        let (headers, bytes) = json::read(request).await?;
        json::check_media_type(&headers)?;
        let fingerprint = hash.chain_update(&bytes).finalize().into();
        Ok(Self {
            body: body::read(&bytes)?,
            key: Some(IdempotencyKey { key, fingerprint }),
        })
    }
}

/// The `Idempotency-Key` of a request, if there is one.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let fault = |code, detail| Err(ApiError::fault("/Idempotency-Key", code, detail));
    if values.next().is_some() {
        return fault("duplicate", "is there twice".to_owned());
    }
    match visible(value) {
        Some(key) if (1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.len()) => {
            Ok(Some(key.to_owned()))
        }
        Some("") => fault("empty", "must not be empty".to_owned()),
        Some(key) => fault(
            "too_long",
            format!(
                "has {} characters; at most {IDEMPOTENCY_KEY_CHARS_MAX}",
                key.len()
            ),
        ),
        None => fault("invalid", "must be visible ASCII characters".to_owned()),
    }
}

fn visible(value: &HeaderValue) -> Option<&str> {
    value
        .to_str()
        .ok()
        .filter(|text| text.bytes().all(|b| b.is_ascii_graphic()))
}
