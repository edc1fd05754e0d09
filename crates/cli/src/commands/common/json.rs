//! JSON that an option holds: written out on the command line, or in the file after an `@`.

use std::{fs::File, io::Read};

use mcpanel_api::Payload;
use serde::de::DeserializeOwned;

use crate::{Failure, Result};

/// Largest file that an option names, in bytes: what the server takes as one payload.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

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
    let place = given.strip_prefix('@').unwrap_or("the command line");
    Failure::usage(format!("`{place}` does not hold a JSON object: {why}")).hint(format!(
        "write it like `{like}`, or name a file with `@FILE`"
    ))
}

fn text(given: &str) -> Result<String> {
    let Some(path) = given.strip_prefix('@') else {
        return Ok(given.to_owned());
    };
    let unreadable = |error: std::io::Error| Failure::new(format!("cannot read `{path}`: {error}"));
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
