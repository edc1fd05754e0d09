//! Idempotency keys: what makes creating repeatable.

/// Marks a creation, so that the same one sent again is answered with what the first made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Longest key that the API takes, in characters.
    const CHARS_MAX: usize = 255;

    /// A key of 128 random bits: this creation and its repetitions, no other.
    pub fn random() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }

    /// A key of the caller's own; none when it is not 1 to 255 visible ASCII characters.
    pub fn parse(text: &str) -> Option<Self> {
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        (is_visible && (1..=Self::CHARS_MAX).contains(&text.len())).then(|| Self(text.to_owned()))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
