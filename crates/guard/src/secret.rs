//! Values that print as stars, and how strong they are.

use std::fmt;

/// Fewest bytes of a secret on a public address: HS256 wants a key as long as its hash
/// (RFC 7518, section 3.2).
pub const SECRET_BYTES_MIN: usize = 32;

/// Fewest different bytes of a strong secret. Of 32 random hex digits, fewer than eight
/// different ones come up once in 10 million.
const DIFFERENT_BYTES_MIN: usize = 8;

/// Words of placeholders in sample configurations.
const PLACEHOLDERS: &[&str] = &[
    "changeme",
    "change-me",
    "change_me",
    "password",
    "secret",
    "example",
];

/// A value that must not be seen. It prints as stars.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, where it must be used.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Why it is too weak for a server that others can reach, if it is.
    pub fn weakness(&self) -> Option<Weakness> {
        let bytes = self.0.as_bytes();
        if bytes.len() < SECRET_BYTES_MIN {
            return Some(Weakness::Short { bytes: bytes.len() });
        }
        let different = bytes
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len();
        if different < DIFFERENT_BYTES_MIN {
            return Some(Weakness::Monotonous { different });
        }
        let lower = self.0.to_ascii_lowercase();
        PLACEHOLDERS
            .iter()
            .find(|word| lower.contains(**word))
            .map(|word| Weakness::Placeholder { word })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// Why a secret is weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// It can be guessed.
    #[error("it has {bytes} bytes; at least {SECRET_BYTES_MIN} are needed")]
    Short { bytes: usize },
    /// It repeats itself.
    #[error(
        "it is made of {different} different characters; a random one has at least {DIFFERENT_BYTES_MIN}"
    )]
    Monotonous { different: usize },
    /// It was copied from a sample configuration.
    #[error("it contains `{word}`, like the placeholders of sample configurations")]
    Placeholder { word: &'static str },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_stars() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "**** ****");
    }

    #[test]
    fn tells_weak_from_strong() {
        let weakness = |value: &str| Secret::new(value).weakness();
        assert_eq!(weakness(""), Some(Weakness::Short { bytes: 0 }));
        assert_eq!(weakness("short"), Some(Weakness::Short { bytes: 5 }));
        assert_eq!(
            weakness(&"ab".repeat(40)),
            Some(Weakness::Monotonous { different: 2 })
        );
        assert_eq!(
            weakness("Your-256-bit-SECRET-goes-here-please"),
            Some(Weakness::Placeholder { word: "secret" })
        );
        assert_eq!(weakness("9f86d081884c7d659a2feaa0c55ad015"), None);
    }
}
