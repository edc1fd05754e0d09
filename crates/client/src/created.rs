//! What a creation answers.

/// What a creation answers: a document, which an equal request with the same key may have made before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created<T> {
    /// What was made.
    pub document: T,
    /// Whether an equal request made it before (header `Idempotent-Replayed`): one of another time, or this one,
    /// when its first answer got lost on the way and it was sent again.
    pub is_replayed: bool,
}
