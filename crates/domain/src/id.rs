//! Identifiers: one type per kind of document, made by one macro.
//!
//! An id is 1 to 128 characters of `A-Z a-z 0-9 . _ : -` and does not begin with a dot, so that it
//! is safe in a path, a file name, a Redis key and a log line without any escaping.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::{ID_CHARS_MAX, NAME_CHARS_MAX};

/// Why a text is not an id or a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// The text has more characters than allowed.
    #[error("has {chars} characters; at most {max} are allowed")]
    TooLong { chars: usize, max: usize },
    /// A character outside the alphabet, or a leading dot.
    #[error(
        "has `{found}` at character {at}; allowed are letters, digits and `. _ : -`, not beginning with a dot"
    )]
    Character { found: char, at: usize },
}

fn check(text: &str, max: usize) -> Result<(), InvalidId> {
    if text.is_empty() {
        return Err(InvalidId::Empty);
    }
    if text.len() > max {
        return Err(InvalidId::TooLong {
            chars: text.chars().count(),
            max,
        });
    }
    for (at, found) in text.chars().enumerate() {
        let allowed = found.is_ascii_alphanumeric()
            || matches!(found, '_' | ':' | '-')
            || (found == '.' && at > 0);
        if !allowed {
            return Err(InvalidId::Character { found, at: at + 1 });
        }
    }
    Ok(())
}

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal, $max:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// What a generated id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Takes a text that came from outside; refuses what is not an id.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                check(text, $max)?;
                Ok(Self(Arc::from(text)))
            }

            /// Makes a new id that sorts by `now`: prefix, then the 26 characters of a ULID in
            /// lower case (48 bits of milliseconds, 80 of `random`;
            /// <https://github.com/ulid/spec>).
            pub fn generate(now: crate::Timestamp, random: u128) -> Self {
                Self(Arc::from(format!("{}{}", $prefix, ulid(now.as_ms(), random)).as_str()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )+};
}

id_types! {
    /// A unit of work.
    TaskId, "task_", ID_CHARS_MAX;
    /// A program that takes work.
    AgentId, "agent_", ID_CHARS_MAX;
    /// One run of a pipeline.
    PipelineId, "pipe_", ID_CHARS_MAX;
    /// One sign-on of an agent; a restarted agent under an old name has a new one.
    SessionId, "sess_", ID_CHARS_MAX;
    /// A stored file.
    ArtifactId, "art_", ID_CHARS_MAX;
    /// An API key (its public name, never its secret).
    KeyId, "key_", ID_CHARS_MAX;
    /// A pipeline template, all versions of it.
    TemplateId, "tmpl_", ID_CHARS_MAX;
    /// One wish about many tasks.
    OperationId, "op_", ID_CHARS_MAX;
    /// The tenant that a document belongs to.
    Namespace, "ns_", NAME_CHARS_MAX;
    /// A task type, a capability, an agent type: a short word that rules compare.
    Name, "", NAME_CHARS_MAX;
}

impl Namespace {
    /// The namespace of everybody who names none.
    pub fn default_namespace() -> Self {
        Self(Arc::from("default"))
    }
}

impl TaskId {
    /// The id of a stage's task, derived from where it belongs, so that starting a stage twice makes
    /// the same tasks. The index is padded so that ids sort as numbers up to a million.
    pub fn of_stage(pipeline: &PipelineId, run: u32, stage: u16, index: u32) -> Self {
        let text = if run <= 1 {
            format!("{pipeline}.s{stage}.{index:06}")
        } else {
            format!("{pipeline}.r{run}.s{stage}.{index:06}")
        };
        Self(Arc::from(text.as_str()))
    }
}

/// Crockford's base 32 in lower case, most significant first.
fn ulid(ms: i64, random: u128) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    const RANDOM_BITS: u32 = 80;
    let value =
        (u128::from(ms.max(0).unsigned_abs()) << RANDOM_BITS) | (random & ((1 << RANDOM_BITS) - 1));
    (0..26)
        .rev()
        .map(|digit| char::from(ALPHABET[((value >> (digit * 5)) & 31) as usize]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn refuses_what_could_leave_a_folder() {
        for text in ["", "../x", ".hidden", "a/b", "a b", "ä", "a\0b", "%2e%2e"] {
            assert!(TaskId::parse(text).is_err(), "{text:?}");
        }
        assert!(TaskId::parse(&"x".repeat(129)).is_err());
        assert!(TaskId::parse("a.b_c:d-E9").is_ok());
    }

    #[test]
    fn generated_ids_sort_by_time_and_parse() {
        let early = TaskId::generate(Timestamp::from_ms(1_000), u128::MAX);
        let late = TaskId::generate(Timestamp::from_ms(1_001), 0);
        assert!(early < late);
        assert_eq!(TaskId::parse(early.as_str()), Ok(early));
    }

    #[test]
    fn stage_ids_are_the_same_every_time() {
        let pipeline = PipelineId::parse("pipe_1").unwrap();
        let id = TaskId::of_stage(&pipeline, 1, 2, 3);
        assert_eq!(id.as_str(), "pipe_1.s2.000003");
        assert_ne!(id, TaskId::of_stage(&pipeline, 2, 2, 3));
    }
}
