//! JSON that an option holds: written out on the command line, or in the file after an `@`.

use std::{fs::File, io::Read};

use mcpanel_api::Payload;
use mcpanel_server::ApiResult;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Failure, Result, exit::Exit, output::unwritable};

/// Largest file that an option names, in bytes: what the server takes as one payload.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Longest part of what was typed that is shown again, in characters: enough to see what the shell made of it.
const SHOWN_CHARS_MAX: usize = 64;

/// How an object is written where there is nothing more to say about it.
const ANY: &str = "{\"text\": \"…\"}";

/// Reads a JSON object of any fields.
pub fn payload(given: &str) -> Result<Payload> {
    let text = text(given)?;
    serde_json::from_str::<serde_json::Map<_, _>>(&text)
        .map_err(|error| wrong(given, &error, ANY))?;
    Payload::parse(&text).map_err(|error| wrong(given, &error, ANY))
}

/// Reads a JSON object of certain fields; `like` shows how one is written.
pub fn object<T: DeserializeOwned>(given: &str, like: &str) -> Result<T> {
    let text = text(given)?;
    // Of its fields in their order serde would take an array, too.
    serde_json::from_str::<serde_json::Map<_, _>>(&text)
        .map_err(|error| wrong(given, &error, like))?;
    serde_json::from_str(&text).map_err(|error| wrong(given, &error, like))
}

fn wrong(given: &str, why: &dyn std::fmt::Display, like: &str) -> Failure {
    let failure = match given.strip_prefix('@') {
        Some(path) => Failure::usage(format!("`{path}` does not hold a JSON object: {why}")),
        None => {
            let mut shown: String = given.chars().take(SHOWN_CHARS_MAX).collect();
            if shown.len() < given.len() {
                shown.push('…');
            }
            // As it came through the shell, which may have taken its quotes away.
            Failure::usage(format!("`{shown}` is not a JSON object: {why}"))
        }
    };
    failure.hint(format!(
        "write it like '{like}', or name a file with `@FILE`"
    ))
}

fn text(given: &str) -> Result<String> {
    let Some(path) = given.strip_prefix('@') else {
        return Ok(given.to_owned());
    };
    let unreadable = |error: std::io::Error| {
        Failure::new(format!("cannot read `{path}`: {error}"))
            .hint("name a file that holds a JSON object after the `@`")
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(Failure::new(format!(
            "`{path}` is longer than {FILE_BYTES_MAX} bytes, the largest payload of a task"
        ))
        .hint("upload it with `mcpanel artifacts upload`, and name the artifact"));
    }
    Ok(text)
}

/// What would be sent, as `reader` of a server reads it; what that refuses is a wrong command line.
pub fn tried<T: Serialize>(body: &T, reader: impl FnOnce(&[u8]) -> ApiResult<T>) -> Result<T> {
    let json = serde_json::to_vec(body).map_err(unwritable)?;
    reader(&json).map_err(|error| Failure::refused(&error.problem()).exit(Exit::Usage))
}

/// What is taken away: sent as null.
pub fn or_none<T>(is_taken_away: bool) -> Option<Option<T>> {
    is_taken_away.then_some(None)
}

#[cfg(test)]
mod tests {
    use mcpanel_api::RetryConfig;

    use super::*;

    #[test]
    fn a_payload_is_an_object() {
        assert!(payload("{\"a\": [1]}").is_ok());
        for text in ["", "[1]", "1", "{", "{} {}", "@/nonexistent/file"] {
            assert!(payload(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_object_has_the_fields_it_should() {
        let like = "{\"maxRetries\": 3}";
        let config: RetryConfig = object(like, like).unwrap();
        assert_eq!(config.max_retries, 3);
        for text in ["{\"maxretries\": 3}", "[3]", "{\"maxRetries\": -1}"] {
            let failure = object::<RetryConfig>(text, like).unwrap_err();
            assert!(failure.hint.unwrap().contains(like), "{text}");
        }
    }
}
