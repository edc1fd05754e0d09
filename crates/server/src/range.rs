//! Pieces of artifacts: the `Range` header (RFC 9110, section 14).

use axum::http::{HeaderMap, HeaderValue, header};

use crate::error::{ApiError, Code};

/// A piece of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The first byte, from 0.
    pub start: u64,
    /// How many bytes, at least one.
    pub length: u64,
}

impl Piece {
    /// The `Content-Range` header of the piece of a file of `size` bytes.
    pub fn content_range(self, size: u64) -> HeaderValue {
        let last = self.start + self.length - 1;
        HeaderValue::try_from(format!("bytes {}-{last}/{size}", self.start))
            .expect("letters and digits are a header value")
    }
}

/// The piece that the caller asks for, of a file of `size` bytes with this entity tag; `None` for the
/// whole file.
///
/// A range that makes no sense, is in another unit, or asks for several pieces is answered with the
/// whole file, as the RFC allows; one that lies outside the file with 416.
pub fn piece(
    headers: &HeaderMap,
    size: u64,
    etag: &HeaderValue,
) -> Result<Option<Piece>, ApiError> {
    let Some(text) = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
    else {
        return Ok(None);
    };
    // The file changed since the caller got its first piece: pieces of two files do not fit.
    if headers
        .get(header::IF_RANGE)
        .is_some_and(|seen| seen != etag)
    {
        return Ok(None);
    }
    let Some(wanted) = text.trim().strip_prefix("bytes=").and_then(Wanted::parse) else {
        return Ok(None);
    };
    match wanted.of(size) {
        Some(piece) => Ok(Some(piece)),
        None => Err(ApiError::new(
            Code::RangeNotSatisfiable,
            format!("the artifact has {size} bytes, and the range asks for none of them"),
        )
        .with_header(
            header::CONTENT_RANGE,
            HeaderValue::try_from(format!("bytes */{size}"))
                .expect("letters and digits are a header value"),
        )),
    }
}

#[derive(Debug, Clone, Copy)]
enum Wanted {
    Between(u64, u64),
    From(u64),
    Last(u64),
}

impl Wanted {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.trim().split_once('-')?;
        match (first.is_empty(), last.is_empty()) {
            (false, false) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::Between(first, last))
            }
            (false, true) => Some(Self::From(number(first)?)),
            (true, false) => Some(Self::Last(number(last)?)),
            (true, true) => None,
        }
    }

    fn of(self, size: u64) -> Option<Piece> {
        let (start, end) = match self {
            Self::Between(first, last) => (first, last.saturating_add(1).min(size)),
            Self::From(first) => (first, size),
            Self::Last(length) => (size.saturating_sub(length), size),
        };
        (start < end).then(|| Piece {
            start,
            length: end - start,
        })
    }
}

/// Digits only: `parse` alone would take a plus sign. What is too large for 64 bits lies outside every file.
fn number(text: &str) -> Option<u64> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(range: &str, size: u64) -> Result<Option<(u64, u64)>, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::try_from(range).unwrap());
        piece(&headers, size, &HeaderValue::from_static("\"a\""))
            .map(|piece| piece.map(|piece| (piece.start, piece.length)))
            .map_err(|error| error.code())
    }

    #[test]
    fn reads_the_three_forms() {
        assert_eq!(read("bytes=0-9", 100), Ok(Some((0, 10))));
        assert_eq!(read("bytes=90-", 100), Ok(Some((90, 10))));
        assert_eq!(read("bytes=-10", 100), Ok(Some((90, 10))));
        assert_eq!(read("bytes=90-1000", 100), Ok(Some((90, 10))));
        assert_eq!(read("bytes=-1000", 100), Ok(Some((0, 100))));
    }

    #[test]
    fn what_makes_no_sense_is_the_whole_file() {
        for range in [
            "bytes=9-0",
            "bytes=-",
            "bytes=a-b",
            "lines=0-9",
            "bytes=0-1,5-6",
            "bytes=+1-2",
            "",
        ] {
            assert_eq!(read(range, 100), Ok(None), "{range}");
        }
    }

    #[test]
    fn what_lies_outside_is_refused() {
        for (range, size) in [
            ("bytes=100-", 100),
            ("bytes=0-", 0),
            ("bytes=-0", 100),
            ("bytes=99999999999999999999-", 100),
        ] {
            assert_eq!(read(range, size), Err(Code::RangeNotSatisfiable), "{range}");
        }
    }

    #[test]
    fn a_piece_of_a_file_that_changed_is_the_whole_file() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-9"));
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"old\""));
        assert_eq!(
            piece(&headers, 100, &HeaderValue::from_static("\"new\"")).unwrap(),
            None
        );
    }

    #[test]
    fn writes_where_the_piece_belongs() {
        let piece = Piece {
            start: 90,
            length: 10,
        };
        assert_eq!(piece.content_range(100), "bytes 90-99/100");
    }
}
