//! Finding tasks by a text in what they say: their id, their type, their error, their parameters.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Filter, Task};
use crate::Payload;

/// Which tasks, and a text that they must contain.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// What must hold.
    pub filter: Filter,
    /// What the id, the type, the error or the parameters must contain; case does not matter.
    pub text: Option<String>,
}

impl Search {
    /// Whether it asks for nothing in particular.
    pub fn is_empty(&self) -> bool {
        self.filter.is_empty() && self.text.is_none()
    }
}

impl From<Filter> for Search {
    fn from(filter: Filter) -> Self {
        Self { filter, text: None }
    }
}

/// A text that is looked for, prepared once for many tasks.
#[derive(Debug, Clone)]
pub struct Needle {
    /// In lower case.
    lower: String,
}

impl Needle {
    /// Prepares a text.
    pub fn new(text: &str) -> Self {
        Self {
            lower: text.to_lowercase(),
        }
    }

    /// Whether the task itself says it, without its parameters.
    pub fn is_in_task(&self, task: &Task) -> bool {
        self.is_in(task.id.as_str())
            || self.is_in(task.task_type.as_str())
            || task
                .error
                .as_ref()
                .is_some_and(|error| self.is_in(error.kind.as_str()) || self.is_in(&error.message))
    }

    /// Whether a payload says it, in a name or a value.
    pub fn is_in_payload(&self, payload: &Payload) -> bool {
        let json = payload.as_str();
        // Without escapes and beyond ASCII nothing, the text says what its values say, and
        // punctuation of JSON is found where nobody would mind.
        if json.is_ascii() && !json.contains('\\') {
            return self.is_in(json);
        }
        match payload.read::<Value>() {
            Ok(value) => self.is_in_value(&value),
            Err(_) => self.is_in(json),
        }
    }

    fn is_in_value(&self, value: &Value) -> bool {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => self.is_in(&value.to_string()),
            Value::String(text) => self.is_in(text),
            Value::Array(items) => items.iter().any(|item| self.is_in_value(item)),
            Value::Object(fields) => fields
                .iter()
                .any(|(name, value)| self.is_in(name) || self.is_in_value(value)),
        }
    }

    /// Whether a text says it.
    pub fn is_in(&self, text: &str) -> bool {
        if self.lower.is_ascii() && text.is_ascii() {
            return contains_ascii(text.as_bytes(), self.lower.as_bytes());
        }
        text.to_lowercase().contains(&self.lower)
    }
}

/// Whether `text` contains `needle`, which is in lower case, whatever the case of `text`.
fn contains_ascii(text: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else {
        return true;
    };
    let last = match text.len().checked_sub(needle.len()) {
        Some(last) => last,
        None => return false,
    };
    text[..=last].iter().enumerate().any(|(at, byte)| {
        byte.to_ascii_lowercase() == *first
            && text[at + 1..=at + rest.len()].eq_ignore_ascii_case(rest)
    })
}

/// Longest fingerprint: enough to tell errors apart, and short enough to be kept by the thousand.
const FINGERPRINT_CHARS_MAX: usize = 160;

/// What an error message says apart from what differs from one case to the next, so that equal errors are
/// counted together: figures, ids and quoted texts become `#`.
pub fn fingerprint(message: &str) -> String {
    let mut words = String::new();
    let mut rest = message.trim();
    while !rest.is_empty() && words.len() < FINGERPRINT_CHARS_MAX {
        let (token, after) = token(rest);
        rest = after;
        if token.starts_with(char::is_whitespace) {
            words.push(' ');
        } else if token.starts_with(['`', '"']) || token.bytes().any(|b| b.is_ascii_digit()) {
            words.push('#');
        } else {
            words.push_str(token);
        }
    }
    words.chars().take(FINGERPRINT_CHARS_MAX).collect()
}

/// Cuts off the first token of a text that is not empty: white space, a quotation, a mark or a word.
fn token(text: &str) -> (&str, &str) {
    let first = text.chars().next().unwrap_or(' ');
    let end = if first.is_whitespace() {
        text.find(|each: char| !each.is_whitespace())
    } else if matches!(first, '`' | '"') {
        text[1..].find(first).map(|end| end + 2)
    } else if is_edge(first) {
        Some(first.len_utf8())
    } else {
        text.find(is_edge)
    };
    text.split_at(end.unwrap_or(text.len()))
}

/// Where a word ends: what an id or a figure does not contain.
fn is_edge(each: char) -> bool {
    each.is_whitespace() || "`\"'()[]{},;=".contains(each)
}
