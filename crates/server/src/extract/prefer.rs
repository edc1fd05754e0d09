//! What a caller would like: the `Prefer` header (RFC 7240).

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, request::Parts},
    response::{AppendHeaders, IntoResponseParts},
};

/// What a caller would like. Wishes that are not known are passed over, as the RFC says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prefer {
    /// `return=minimal`: only what the caller cannot know, without the documents.
    pub minimal: bool,
}

impl Prefer {
    /// The header that tells which wishes were granted.
    pub fn applied(self) -> impl IntoResponseParts {
        let applied = self.minimal.then_some((
            HeaderName::from_static("preference-applied"),
            HeaderValue::from_static("return=minimal"),
        ));
        applied.map(|header| AppendHeaders([header]))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Prefer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let minimal = parts
            .headers
            .get_all("prefer")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split([',', ';']))
            .map(|wish| wish.trim().replace(['"', ' '], "").to_ascii_lowercase())
            // The first of two contrary wishes counts.
            .find(|wish| wish.starts_with("return="))
            .is_some_and(|wish| wish == "return=minimal");
        Ok(Self { minimal })
    }
}
