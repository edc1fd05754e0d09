//! Names of contexts.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest name, in characters: people type it.
const CHARS_MAX: usize = 64;

/// The name of a context, such as `local`: letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ContextName(String);

impl ContextName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContextName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ContextName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if !(1..=CHARS_MAX).contains(&text.len()) || !text.chars().all(is_plain) {
            let shown = text.escape_debug();
            return Err(format!(
                "`{shown}` is no name of a context: it has 1 to {CHARS_MAX} letters, digits, `.`, `_` or `-`"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ContextName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        for text in ["local", "eu-1.prod", "A_b", &"x".repeat(64)] {
            assert!(text.parse::<ContextName>().is_ok(), "{text}");
        }
        for text in ["", " ", "a b", "ä", "a/b", "a\n", &"x".repeat(65)] {
            assert!(text.parse::<ContextName>().is_err(), "{text}");
        }
    }
}
