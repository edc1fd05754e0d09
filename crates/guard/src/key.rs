//! API keys: `mcp_`, 32 random bytes and a checksum, in URL-safe base64.
//!
//! The checksum lets a mistyped or truncated key be told apart from an unknown one without asking the
//! store, and lets secret scanners recognise a leaked one. A key has 256 random bits, so it is kept
//! as one round of SHA-256: a slow hash protects guessable secrets, and this is none.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::secret::Secret;

/// What every key begins with.
pub const PREFIX: &str = "mcp_";

/// Random bytes of a key.
pub const RANDOM_BYTES: usize = 32;

/// Bytes of the checksum: one mistyped key in 16 million slips through to the store.
const CHECKSUM_BYTES: usize = 3;

/// Characters of the whole text: the prefix and 35 bytes in base64.
const KEY_CHARS: usize = PREFIX.len() + (RANDOM_BYTES + CHECKSUM_BYTES) * 8 / 6 + 1;

/// Characters shown in lists to recognise a key by: the prefix and 24 of its 256 bits.
const HINT_CHARS: usize = PREFIX.len() + 4;

/// An API key as its holder has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeySecret(Secret);

/// The SHA-256 of an API key: what is kept of it.
#[derive(Debug, Clone, Copy)]
pub struct KeyDigest([u8; 32]);

/// Why a text is not an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// It does not look like one.
    #[error("is no API key: one has {KEY_CHARS} characters and begins with `{PREFIX}`")]
    Shape,
    /// It looks like one and its checksum is wrong.
    #[error("is an API key with a character wrong or missing")]
    Checksum,
}

impl ApiKeySecret {
    /// Makes a key of random bytes.
    pub fn of(random: [u8; RANDOM_BYTES]) -> Self {
        let mut bytes = random.to_vec();
        bytes.extend_from_slice(&checksum(&random));
        Self(Secret::new(format!(
            "{PREFIX}{}",
            BASE64_URL_SAFE_NO_PAD.encode(bytes)
        )))
    }

    /// Reads a key that a caller shows.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let encoded = text
            .strip_prefix(PREFIX)
            .filter(|_| text.len() == KEY_CHARS)
            .ok_or(InvalidKey::Shape)?;
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| InvalidKey::Shape)?;
        let (random, sum) = bytes.split_at(RANDOM_BYTES);
        if checksum(random) != sum {
            return Err(InvalidKey::Checksum);
        }
        Ok(Self(Secret::new(text)))
    }

    /// The text, to show it once.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// What is kept of it.
    pub fn digest(&self) -> KeyDigest {
        KeyDigest::of(self.reveal())
    }

    /// Its first characters, to recognise it by.
    pub fn hint(&self) -> &str {
        &self.reveal()[..HINT_CHARS]
    }
}

fn checksum(random: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = Sha256::digest(random);
    [hash[0], hash[1], hash[2]]
}

impl KeyDigest {
    /// The digest of any secret text.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// From the bytes that were kept.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to keep.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for KeyDigest {
    /// Compares without telling by its duration where the difference is.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyDigest {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_being_shown_and_read() {
        let key = ApiKeySecret::of([7; RANDOM_BYTES]);
        let read = ApiKeySecret::parse(key.reveal()).unwrap();
        assert_eq!(read.digest(), key.digest());
        assert_eq!(key.reveal().len(), KEY_CHARS);
        assert_eq!(key.hint(), "mcp_BwcH");
    }

    #[test]
    fn different_keys_have_different_digests() {
        assert_ne!(
            ApiKeySecret::of([1; 32]).digest(),
            ApiKeySecret::of([2; 32]).digest()
        );
    }

    #[test]
    fn a_mistyped_key_is_told_from_a_text_that_is_none() {
        let text = ApiKeySecret::of([7; RANDOM_BYTES]).reveal().to_owned();
        let mistyped = text.replacen("BwcH", "BwcI", 1);
        assert_eq!(ApiKeySecret::parse(&mistyped), Err(InvalidKey::Checksum));
        for other in [
            "",
            "mcp_",
            "sk-123",
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}A"),
            &text.replace('B', "ä"),
        ] {
            assert_eq!(
                ApiKeySecret::parse(other),
                Err(InvalidKey::Shape),
                "{other}"
            );
        }
    }

    #[test]
    fn debug_output_hides_the_key() {
        let key = ApiKeySecret::of([7; RANDOM_BYTES]);
        assert!(!format!("{key:?}").contains("Bwc"));
    }
}
