//! Bytes that are no JSON, and what to tell about them.

use crate::error::{ApiError, Code};

/// The bytes as text, or why they are none.
pub(super) fn text(bytes: &[u8]) -> Result<&str, ApiError> {
    let malformed = |detail: String| ApiError::new(Code::MalformedJson, detail);
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(malformed(
            "the body begins with a byte order mark; send UTF-8 without one".to_owned(),
        ));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(malformed("the body is UTF-16; send UTF-8".to_owned()));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        malformed(format!(
            "the body is not UTF-8: byte {} is wrong",
            error.valid_up_to()
        ))
    })?;
    if text.trim_ascii().is_empty() {
        return Err(malformed(
            "the body is empty; send a JSON object".to_owned(),
        ));
    }
    Ok(text)
}

/// What is wrong with a text that is no JSON.
pub(super) fn malformed(text: &str, error: &serde_json::Error) -> ApiError {
    let (line, column) = (error.line(), error.column());
    let hint = hint(text, line, column);
    ApiError::new(Code::MalformedJson, format!("{error}{hint}"))
}

/// What people and programs commonly write that JSON does not know.
fn hint(text: &str, line: usize, column: usize) -> &'static str {
    let rest = text
        .split('\n')
        .nth(line.saturating_sub(1))
        .and_then(|line| line.get(column.saturating_sub(1)..))
        .unwrap_or("");
    if ["NaN", "Infinity", "-Infinity", "nfinity"]
        .iter()
        .any(|word| rest.starts_with(word))
    {
        "; JSON has no NaN and no infinity, send null or leave the field out"
    } else if rest.starts_with('\'') {
        "; JSON strings are in double quotes"
    } else if rest.starts_with("None") || rest.starts_with("True") || rest.starts_with("False") {
        "; JSON writes null, true and false"
    } else if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') {
        "; JSON has no comments"
    } else {
        ""
    }
}
