//! Digests in headers: `Content-Digest` and `Repr-Digest` (RFC 9530).

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::{Engine, prelude::BASE64_STANDARD};

use crate::error::{ApiError, ApiResult};

/// The digest of the bytes on the line.
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// The digest of the whole file, also when a piece of it is on the line.
pub const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// The `Repr-Digest` of a file with this SHA-256.
pub fn header(sha256: &[u8; 32]) -> HeaderValue {
    HeaderValue::try_from(format!("sha-256=:{}:", BASE64_STANDARD.encode(sha256)))
        .expect("letters and signs of base64 are a header value")
}

/// The SHA-256 that the caller says its upload has. Uploads are not compressed on the way, so both headers mean the
/// same. A digest that could not be checked is refused rather than ignored.
pub fn expected(headers: &HeaderMap) -> ApiResult<Option<[u8; 32]>> {
    let mut found = None;
    for name in [CONTENT_DIGEST, REPR_DIGEST] {
        for value in headers.get_all(&name) {
            let digest = value.to_str().ok().and_then(sha256);
            let Some(digest) = digest else {
                let detail = "must be `sha-256=:<base64>:`; other digests are not checked";
                let pointer = format!("/{name}");
                return Err(ApiError::fault(pointer, "not_a_digest", detail));
            };
            if found.is_some_and(|before| before != digest) {
                let pointer = format!("/{name}");
                return Err(ApiError::fault(
                    pointer,
                    "contradiction",
                    "names two digests",
                ));
            }
            found = Some(digest);
        }
    }
    Ok(found)
}

/// The `sha-256` member of a dictionary (RFC 8941): `sha-256=:…:, sha-512=:…:`. Base64 has neither comma nor semicolon.
fn sha256(text: &str) -> Option<[u8; 32]> {
    let member = text
        .split(',')
        .find_map(|member| member.trim().strip_prefix("sha-256="))?;
    let value = member.split(';').next()?.trim();
    let base64 = value.strip_prefix(':')?.strip_suffix(':')?;
    BASE64_STANDARD.decode(base64).ok()?.try_into().ok()
}

/// A digest in lower-case hex, as documents show it.
pub fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A digest from lower-case hex.
pub fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, at) in digest.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(HeaderName, &str)]) -> Result<Option<[u8; 32]>, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::try_from(*value).unwrap());
        }
        expected(&headers).map_err(|error| error.problem().errors[0].pointer.clone())
    }

    #[test]
    fn reads_what_it_writes_beside_other_digests() {
        let digest = [7; 32];
        let ours = header(&digest);
        let ours = ours.to_str().unwrap();
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[(CONTENT_DIGEST, ours)]), Ok(Some(digest)));
        assert_eq!(read(&[(REPR_DIGEST, ours)]), Ok(Some(digest)));
        let many = format!("sha-512=:AAAA:, {ours};a=b");
        assert_eq!(read(&[(CONTENT_DIGEST, &many)]), Ok(Some(digest)));
        assert_eq!(from_hex(&hex(&digest)), Some(digest));
    }

    #[test]
    fn what_cannot_be_checked_is_refused() {
        for text in [
            "",
            "sha-512=:AAAA:",
            "sha-256=:AAAA:",
            "sha-256=AAAA",
            "sha-256=:!:",
            "abc",
        ] {
            let refused = read(&[(CONTENT_DIGEST, text)]);
            assert_eq!(refused, Err("/content-digest".to_owned()), "{text}");
        }
    }

    #[test]
    fn two_different_digests_contradict_each_other() {
        let (one, other) = (header(&[1; 32]), header(&[2; 32]));
        let pair = [
            (CONTENT_DIGEST, one.to_str().unwrap()),
            (REPR_DIGEST, other.to_str().unwrap()),
        ];
        assert_eq!(read(&pair), Err("/repr-digest".to_owned()));
    }
}
