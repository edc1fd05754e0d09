//! Strings: how long they may be and what they look like.

use mcpanel_domain::{TaskId, Timestamp};

use super::shape::{Look, Text};
use crate::error::quoted;

/// What is wrong with a text: the code of the fault and its words.
pub(super) fn fault(text: &Text, value: &str) -> Option<(&'static str, String)> {
    // Bytes bound characters from above, so most texts are never counted.
    if value.len() > text.max {
        let chars = value.chars().count();
        if chars > text.max {
            return Some((
                "too_long",
                format!("has {chars} characters; at most {}", text.max),
            ));
        }
    }
    if value.len() < text.min || text.min > 1 && value.chars().count() < text.min {
        return Some(match text.min {
            1 => ("empty", "must not be empty".to_owned()),
            min => (
                "too_short",
                format!("has {} characters; at least {min}", value.chars().count()),
            ),
        });
    }
    match text.look {
        Look::Any => None,
        Look::Id => {
            let shown = || format!("is `{}`, which", quoted(value));
            TaskId::parse(value)
                .err()
                .map(|error| ("not_an_id", format!("{} {error}", shown())))
        }
        Look::Time => Timestamp::parse(value).err().map(|_| {
            (
                "not_a_time",
                format!(
                    "is `{}`; must be RFC 3339 such as `2026-01-02T03:04:05Z`, from 1970 to 9999",
                    quoted(value)
                ),
            )
        }),
        Look::Url => {
            let rest = value
                .strip_prefix("http://")
                .or_else(|| value.strip_prefix("https://"));
            let good = rest.is_some_and(|rest| {
                !rest.is_empty()
                    && !rest.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control())
            });
            (!good).then(|| ("not_a_url", format!("is `{}`; must begin with `http://` or `https://` and hold no spaces or credentials", quoted(value))))
        }
        Look::FileName => {
            let bad = value.starts_with('.')
                || value.contains(|c: char| c == '/' || c == '\\' || c.is_control());
            bad.then(|| {
                (
                    "not_a_file_name",
                    format!(
                        "is `{}`; must be a plain file name: no folder, no dot at the beginning",
                        quoted(value)
                    ),
                )
            })
        }
    }
}
