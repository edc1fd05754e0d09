//! Entity tags: the revision of a document, in quotes.
//!
//! A change says with `If-Match` which revision its author saw, so two people who edit the same
//! document cannot overwrite each other without noticing (RFC 9110, section 13).

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    response::{AppendHeaders, IntoResponseParts},
};

use crate::{
    error::{ApiError, Code},
    limits::ETAGS_MAX,
};

/// The `ETag` header of a revision.
pub fn revision(revision: u64) -> impl IntoResponseParts {
    AppendHeaders([(header::ETAG, of_revision(revision))])
}

/// The entity tag of a revision, such as `"7"`.
pub fn of_revision(revision: u64) -> HeaderValue {
    of_text(&revision.to_string())
}

/// The entity tag of a text of visible ASCII characters without quotes, such as a digest.
pub fn of_text(text: &str) -> HeaderValue {
    HeaderValue::try_from(format!("\"{text}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// What a caller requires of the document that it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Nothing was said.
    Absent,
    /// Any revision.
    Any,
    /// One of these revisions.
    Revisions(Vec<u64>),
}

impl IfMatch {
    /// The revision that the change must be guarded by; `None` for any. Refuses a change that names
    /// no revision (428).
    pub fn required(&self) -> Result<Option<u64>, ApiError> {
        match self {
            Self::Absent => Err(ApiError::new(
                Code::PreconditionRequired,
                "send `If-Match` with the `ETag` that you read, or `If-Match: *` to change whatever is there",
            )),
            Self::Any => Ok(None),
            // A document has one revision at a time; a list is for caches, and its newest entry is what the caller saw.
            // A header without any revision of ours matches nothing, and revision 0 is nobody's.
            Self::Revisions(revisions) => Ok(Some(revisions.iter().copied().max().unwrap_or(0))),
        }
    }

    /// The same where a condition is welcome and not required.
    pub fn optional(&self) -> Option<u64> {
        match self {
            Self::Absent => None,
            given => given.required().ok().flatten(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(tags) = tags(&parts.headers, &header::IF_MATCH)? else {
            return Ok(Self::Absent);
        };
        if tags == ["*"] {
            return Ok(Self::Any);
        }
        // Weak tags and those of others match nothing: the comparison is the strong one.
        let ours = |tag: &&str| tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok();
        Ok(Self::Revisions(tags.iter().filter_map(ours).collect()))
    }
}

/// Whether the caller has this very thing already (`If-None-Match`), so that 304 is answer enough.
pub fn is_known(headers: &HeaderMap, current: &HeaderValue) -> bool {
    let Ok(Some(tags)) = tags(headers, &header::IF_NONE_MATCH) else {
        return false;
    };
    let weak = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).as_bytes().to_vec();
    tags.iter()
        .any(|tag| *tag == "*" || weak(tag) == current.as_bytes())
}

/// The entity tags of a header. None of ours holds a comma.
fn tags<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<Vec<&'h str>>, ApiError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let fault = |detail: &str| ApiError::fault(format!("/{name}"), "not_an_etag", detail);
    let text = value.to_str().map_err(|_| fault("must be ASCII"))?;
    let tags: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .collect();
    if tags.len() > ETAGS_MAX {
        return Err(fault(&format!(
            "has {} entity tags; at most {ETAGS_MAX}",
            tags.len()
        )));
    }
    let quoted = |tag: &str| {
        let strong = tag.strip_prefix("W/").unwrap_or(tag);
        strong.len() >= 2 && strong.starts_with('"') && strong.ends_with('"')
    };
    if tags.is_empty() || tags != ["*"] && !tags.iter().all(|tag| quoted(tag)) {
        return Err(fault(
            "must be `*` or entity tags in double quotes, such as `\"7\"`",
        ));
    }
    Ok(Some(tags))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn read(value: &'static str) -> Result<IfMatch, Code> {
        let (mut parts, ()) = Request::builder()
            .header("if-match", value)
            .body(())
            .unwrap()
            .into_parts();
        IfMatch::from_request_parts(&mut parts, &())
            .await
            .map_err(|error| error.code())
    }

    #[tokio::test]
    async fn reads_revisions() {
        assert_eq!(read("*").await, Ok(IfMatch::Any));
        assert_eq!(read("\"7\"").await, Ok(IfMatch::Revisions(vec![7])));
        assert_eq!(
            read(" \"7\" , \"8\"").await,
            Ok(IfMatch::Revisions(vec![7, 8]))
        );
    }

    #[tokio::test]
    async fn weak_tags_and_those_of_others_match_no_revision() {
        for value in ["W/\"7\"", "\"abc\"", "\"-7\"", "\"\""] {
            let matched = read(value).await.unwrap();
            assert_eq!(matched.required().unwrap(), Some(0), "{value}");
        }
    }

    #[tokio::test]
    async fn what_is_no_tag_is_refused() {
        for value in ["7", "", ",", "\"7", "*, \"7\""] {
            assert_eq!(read(value).await, Err(Code::Validation), "{value}");
        }
    }

    #[test]
    fn a_change_must_say_what_its_author_saw() {
        assert_eq!(
            IfMatch::Absent.required().unwrap_err().code(),
            Code::PreconditionRequired
        );
        assert_eq!(IfMatch::Absent.optional(), None);
        assert_eq!(IfMatch::Any.required().unwrap(), None);
    }

    #[test]
    fn a_known_thing_is_recognised_weakly_too() {
        let current = of_revision(7);
        let mut headers = HeaderMap::new();
        assert!(!is_known(&headers, &current));
        for (value, known) in [
            ("\"7\"", true),
            ("W/\"7\"", true),
            ("\"6\", \"7\"", true),
            ("*", true),
            ("\"8\"", false),
        ] {
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(value));
            assert_eq!(is_known(&headers, &current), known, "{value}");
        }
    }
}
