//! Answers that several families give alike.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use mcpanel_guard::Permission;
use serde::Serialize;

use crate::{
    error::{ApiError, ApiResult, Code},
    etag,
    extract::Caller,
};

/// Tells that the answer is the one of an earlier, equal request.
pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A document with its entity tag.
pub fn document<T: Serialize>(revision: u64, body: T) -> Response {
    (etag::revision(revision), Json(body)).into_response()
}

/// Something that was created, now or when the same request first came.
pub fn created<T: Serialize>(replayed: bool, body: T) -> Response {
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    if replayed {
        let headers = response.headers_mut();
        headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// A document that was created, with its entity tag and its place.
pub fn created_at<T: Serialize>(path: &str, revision: u64, replayed: bool, body: T) -> Response {
    let mut response = created(replayed, body);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag::of_revision(revision));
    // Ids are letters, digits and a few signs, none of which means something in a header.
    if let Ok(path) = HeaderValue::try_from(path) {
        headers.insert(header::LOCATION, path);
    }
    response
}

/// Refuses a caller without the permission, in the words for a document that does not exist.
pub fn require(caller: &Caller, permission: Permission, what: &str, id: &str) -> ApiResult<()> {
    if caller.may(permission) {
        Ok(())
    } else {
        Err(ApiError::not_found(what, id))
    }
}

/// A refusal whose reason is no secret.
pub fn forbidden(detail: impl Into<std::borrow::Cow<'static, str>>) -> ApiError {
    ApiError::new(Code::Forbidden, detail)
}
