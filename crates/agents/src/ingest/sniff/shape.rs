//! Format and delimiter.

use super::Format;
use crate::ingest::json_array::ARRAY_KEYS;

/// The format of a text that begins like this.
pub(super) fn format_of(start: &[u8]) -> Format {
    let text = start.trim_ascii_start();
    match text.first() {
        Some(b'[') => Format::Json,
        Some(b'{') => {
            let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let complete = serde_json::from_slice::<serde_json::Map<_, serde_json::Value>>(line);
            match complete {
                Ok(object) => {
                    let alone = text[line.len()..].trim_ascii().is_empty();
                    let holds_array = object
                        .iter()
                        .any(|(key, value)| is_array_key(key) && value.is_array());
                    if alone && holds_array {
                        Format::Json
                    } else {
                        Format::Jsonl
                    }
                }
                Err(_) if begins_with_array(text) || line.len() < text.len() => Format::Json,
                Err(_) => Format::Jsonl,
            }
        }
        _ => Format::Csv,
    }
}

fn is_array_key(key: &str) -> bool {
    ARRAY_KEYS.contains(&key.to_lowercase().as_str())
}

/// `{"data": [` at the very beginning: one long line of JSON, not a line of JSONL.
fn begins_with_array(text: &[u8]) -> bool {
    let Some(rest) = text[1..].trim_ascii_start().strip_prefix(b"\"") else {
        return false;
    };
    let Some(end) = rest.iter().position(|byte| *byte == b'"') else {
        return false;
    };
    let key = String::from_utf8_lossy(&rest[..end]);
    let after = rest[end + 1..].trim_ascii_start();
    is_array_key(&key)
        && after
            .strip_prefix(b":")
            .is_some_and(|value| value.trim_ascii_start().starts_with(b"["))
}

/// The delimiter that the header uses most, outside quotes.
pub(super) fn delimiter_of(start: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if !quoted => {
                for (delimiter, count) in &mut counts {
                    *count += u32::from(delimiter == byte);
                }
            }
            _ => {}
        }
    }
    let best = counts
        .iter()
        .max_by_key(|(delimiter, count)| (*count, *delimiter == b','));
    best.map_or(b',', |(delimiter, _)| *delimiter)
}
