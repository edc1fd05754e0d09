//! Cursors: where a page ended, as an opaque text.
//!
//! A cursor holds the sort key and the id of the last item, so items that are created or deleted
//! meanwhile neither repeat nor hide others. It is bound to its list by a checksum: a cursor of another
//! list, or one that was altered, is refused instead of showing a wrong page. It is no secret and
//! grants nothing, so the checksum needs no key.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use mcpanel_domain::limits::ID_CHARS_MAX;
use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// The form described here. A later form gets another number, and both are read for a while.
const VERSION: u8 = 1;

/// Bytes of the checksum: an altered cursor passes once in 4 billion.
const CHECKSUM_BYTES: usize = 4;

/// Where a page ended: the key that the list is sorted by, and the id among equal keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Milliseconds, or a sequence number.
    pub key: i64,
    /// The id of the last item; empty where the key alone tells items apart.
    pub id: String,
}

impl Cursor {
    /// The cursor after an item.
    pub fn after(key: i64, id: impl Into<String>) -> Self {
        Self { key, id: id.into() }
    }

    /// The text for `next_cursor` of the list called `list`.
    pub fn encode(&self, list: &str) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.key.to_be_bytes());
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.extend_from_slice(&checksum(list, &bytes));
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of the list called `list`; a fault at `/cursor` when it is none.
    pub fn decode(text: &str, list: &str) -> Result<Self, ApiError> {
        Self::read(text, list).ok_or_else(|| {
            ApiError::fault(
                "/cursor",
                "not_a_cursor",
                "is no cursor of this list; send `next_cursor` of the page before as it came",
            )
        })
    }

    fn read(text: &str, list: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
        if checksum(list, body) != sum {
            return None;
        }
        let (version, rest) = body.split_first()?;
        let (key, id) = rest.split_first_chunk::<8>()?;
        if *version != VERSION || id.len() > ID_CHARS_MAX {
            return None;
        }
        Some(Self {
            key: i64::from_be_bytes(*key),
            id: String::from_utf8(id.to_vec()).ok()?,
        })
    }
}

fn checksum(list: &str, bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = Sha256::new()
        .chain_update(list.as_bytes())
        .chain_update([0])
        .chain_update(bytes)
        .finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn a_cursor_survives_the_round() {
        for (key, id) in [
            (0, ""),
            (i64::MIN, "a"),
            (1_767_323_045_678, "task_01jgk3v8f2q4x6z8b0d2f4h6j8"),
        ] {
            let cursor = Cursor::after(key, id);
            assert_eq!(
                Cursor::decode(&cursor.encode("tasks"), "tasks").unwrap(),
                cursor
            );
        }
    }

    #[test]
    fn every_single_altered_character_is_noticed() {
        let text = Cursor::after(42, "task_1").encode("tasks");
        for at in 0..text.len() {
            let other = if &text[at..=at] == "A" { "B" } else { "A" };
            let altered = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert!(Cursor::decode(&altered, "tasks").is_err(), "{altered}");
        }
    }

    #[test]
    fn rubbish_and_cursors_of_another_list_are_refused_at_the_cursor() {
        let other = Cursor::after(42, "task_1").encode("agents");
        for text in ["", "!", "AAAA", "ä", &"A".repeat(10_000), &other] {
            let error = Cursor::decode(text, "tasks").unwrap_err();
            assert_eq!(error.code(), Code::Validation);
            assert_eq!(error.problem().errors[0].pointer, "/cursor");
        }
    }
}
