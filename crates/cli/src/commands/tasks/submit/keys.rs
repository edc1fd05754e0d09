//! Under which idempotency key each task of a file is sent.

use std::collections::HashMap;

use mcpanel_api::task::NewTask;
use mcpanel_client::{IdempotencyKey, transfer::Sha256Hex};

use crate::{Failure, Result};

/// How keys are made.
pub enum Keys {
    /// From what a task says, and how often the same was said before in this file: a line that is mended or moved
    /// changes no other line's key.
    Derived {
        /// How often each was said.
        said: HashMap<String, u64>,
    },
    /// From a key that was given, and the task's place in the file.
    Numbered {
        /// The given one.
        base: String,
        /// How many there were.
        count: u64,
    },
    /// New ones each time.
    Random,
}

impl Keys {
    /// Keys made of what tasks say.
    pub fn derived() -> Self {
        Self::Derived {
            said: HashMap::new(),
        }
    }

    /// Keys made of `base` and a number.
    pub fn numbered(base: &str) -> Result<Self> {
        // Room for the number and its dot.
        IdempotencyKey::parse(&format!("{base}.{}", u64::MAX))
            .map(|_| Self::Numbered {
                base: base.to_owned(),
                count: 0,
            })
            .ok_or_else(|| {
                Failure::usage(format!(
                    "`{base}` cannot begin idempotency keys: it has 1 to 234 visible ASCII characters"
                ))
            })
    }

    /// The key of the next task.
    pub fn next(&mut self, task: &NewTask) -> Result<IdempotencyKey> {
        let text = match self {
            Self::Random => return Ok(IdempotencyKey::random()),
            Self::Numbered { base, count } => {
                *count += 1;
                format!("{base}.{count}")
            }
            Self::Derived { said } => {
                let digest = digest(task)?;
                let times = said.entry(digest.clone()).or_default();
                *times += 1;
                format!("submit.{digest}.{times}")
            }
        };
        IdempotencyKey::parse(&text)
            .ok_or_else(|| Failure::new(format!("`{text}` cannot be sent as an idempotency key")))
    }

    /// Whether submitting the same file again makes nothing twice.
    pub fn are_repeatable(&self) -> bool {
        match self {
            Self::Derived { .. } | Self::Numbered { .. } => true,
            Self::Random => false,
        }
    }
}

fn digest(task: &NewTask) -> Result<String> {
    let text = serde_json::to_vec(task)
        .map_err(|error| Failure::new(format!("cannot write a task as JSON: {error}")))?;
    let mut sha = Sha256Hex::default();
    sha.update(&text);
    Ok(sha.finish())
}

#[cfg(test)]
mod tests {
    use mcpanel_api::Name;

    use super::*;

    fn keys(mut keys: Keys, types: &[&str]) -> Vec<String> {
        types
            .iter()
            .map(|name| {
                let task = NewTask::of_type(Name::parse(name).unwrap());
                keys.next(&task).unwrap().as_str().to_owned()
            })
            .collect()
    }

    #[test]
    fn the_same_file_has_the_same_keys_and_no_two_alike() {
        let first = keys(Keys::derived(), &["a", "b", "a"]);
        assert_eq!(first, keys(Keys::derived(), &["a", "b", "a"]));
        assert_ne!(first[0], first[2]);
        assert_ne!(first[0], first[1]);
    }

    #[test]
    fn mending_a_line_changes_no_other_key() {
        let before = keys(Keys::derived(), &["a", "wrogn", "b"]);
        let after = keys(Keys::derived(), &["a", "wrong", "b"]);
        assert_eq!((&before[0], &before[2]), (&after[0], &after[2]));
    }

    #[test]
    fn given_keys_are_numbered() {
        let given = Keys::numbered("night-7").unwrap();
        assert_eq!(keys(given, &["a", "a"]), ["night-7.1", "night-7.2"]);
        assert!(Keys::numbered("with space").is_err());
        assert!(Keys::numbered(&"x".repeat(255)).is_err());
    }
}
