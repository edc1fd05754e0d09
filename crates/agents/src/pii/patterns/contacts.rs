//! Mail, web, phone, handles.

use super::{Pattern, any, digits, pattern};
use crate::pii::Kind;

/// The patterns.
pub(super) fn patterns() -> Vec<Pattern> {
    vec![
        pattern(
            Kind::Email,
            r"(?i)[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}",
            any,
        ),
        pattern(
            Kind::Email,
            r"(?i)[a-z0-9._]+(?:\s*[(\[]dot[)\]]\s*[a-z0-9]+)*\s*(?:[(\[]at[)\]]|\bat\b)\s*[a-z0-9-]+(?:\s*(?:[(\[]dot[)\]]|\bdot\b)\s*[a-z0-9-]+)+",
            any,
        ),
        pattern(
            Kind::Url,
            r#"(?i)\b(?:https?://|ftp://|www\.)[^\s<>"']+"#,
            any,
        ),
        pattern(
            Kind::Url,
            r"\b[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.(?:com|org|net|edu|gov|info|io|co\.uk|org\.uk|ac\.uk|com\.au|org\.au)\b(?:/[^\s<>]*)?",
            any,
        ),
        pattern(
            Kind::Url,
            r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,12}/[^\s<>]+",
            any,
        ),
        pattern(Kind::Phone, r"\(\d{3}\)[\s.-]?\d{3}[\s.-]?\d{4}\b", any),
        pattern(Kind::Phone, r"\b0\d{2,4}[\s-]\d{3,4}[\s-]\d{3,4}\b", any),
        pattern(
            Kind::Phone,
            r"(?i)\b(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)[\s,.-]+){6,}(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)\b",
            any,
        ),
        pattern(
            Kind::Phone,
            r"(?:\+?\b1[\s.-]?)?(?:\(\d{3}\)\s?|\b\d{3}[\s.-])\d{3}[\s.-]\d{4}\b(?:\s?(?:x|ext\.?)\s?\d{1,6}\b)?",
            any,
        ),
        pattern(Kind::Phone, r"\b\d{3}[.-]\d{4}\b", any),
        pattern(Kind::Phone, r"\b1-8\d\d-[A-Z0-9]{3}-?[A-Z0-9]{4}\b", any),
        pattern(
            Kind::Phone,
            r"\+\d{1,3}(?:[\s.-]?\(?\d{1,5}\)?){2,5}",
            |text| digits(text).len() >= 8,
        ),
        pattern(
            Kind::Phone,
            r"(?i:\b(?:phone|call|cell|mobile|tel|text|fax|number|whatsapp|ring|dial)\b)[^\d\n]{0,25}(?P<v>\d{3}\s\d{4}|\d{10}|\d{11})\b",
            any,
        ),
        pattern(Kind::Handle, r"\bu/[A-Za-z0-9_-]{3,}", any),
        pattern(
            Kind::Handle,
            r"(?:^|[\s(,:;])(?P<v>@[A-Za-z0-9_](?:[A-Za-z0-9_.]*[A-Za-z0-9_]))",
            any,
        ),
    ]
}
