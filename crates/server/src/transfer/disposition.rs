//! The `Content-Disposition` of a download: always a file to save, never a page to show.

use std::fmt::Write;

use axum::http::HeaderValue;

/// `attachment` with the file's name: once in plain ASCII for old clients, once as it is (RFC 6266).
pub fn attachment(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '%' | '/' => '_',
            c if c.is_ascii_graphic() || c == ' ' => c,
            _ => '_',
        })
        .collect();
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    let text = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_there_twice() {
        let value = attachment("Überblick 1.csv");
        let expected =
            "attachment; filename=\"_berblick 1.csv\"; filename*=UTF-8''%C3%9Cberblick%201.csv";
        assert_eq!(value.to_str().unwrap(), expected);
    }

    #[test]
    fn a_name_cannot_end_the_header_or_leave_a_folder() {
        for name in [
            "a\"; b=\"c",
            "a\r\nSet-Cookie: x",
            "..\\..\\x",
            "../x",
            "\u{0}",
        ] {
            let value = attachment(name);
            let text = value.to_str().unwrap();
            let quoted = text.split('"').nth(1).unwrap();
            assert_eq!(text.matches('"').count(), 2, "{text}");
            assert!(!quoted.contains(['/', '\\']), "{text}");
        }
    }
}
