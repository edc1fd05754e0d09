//! What stands in a table: text, a status, a moment.
//!
//! On a terminal a status has its colour and a moment is an age; in a pipe both are what the API writes. Text comes
//! from other people's programs, so nothing in it may steer the terminal.

use std::time::{SystemTime, UNIX_EPOCH};

use anstyle::AnsiColor;
use mcpanel_api::Timestamp;
use serde::Serialize;

use super::listing::word;

/// Longest free-form text in a row on a terminal, in characters; more would break the row.
const ROW_CHARS_MAX: usize = 60;

/// Longest free-form text among the fields of one thing on a terminal, in characters; `-o json` has it whole.
const FIELD_CHARS_MAX: usize = 400;

/// One value of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A word or a name, cut only where a table has no room for it.
    Text(String),
    /// Text of any length, which people are shown the beginning of.
    Long(String),
    /// A word that says how something is.
    Status(String),
    /// When something was or will be.
    Moment(Timestamp),
    /// Nothing.
    Empty,
}

impl Cell {
    /// How something is, in the API's words.
    pub fn status<T: Serialize>(status: T) -> Self {
        Self::Status(word(status))
    }

    /// Text of any length.
    pub fn long(text: &str) -> Self {
        match text {
            "" => Self::Empty,
            text => Self::Long(text.to_owned()),
        }
    }

    /// Words one after the other.
    pub fn words<T: ToString>(words: &[T]) -> Self {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        Self::long(&words.join(","))
    }

    /// The value for programs: whole, in the API's own words.
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::Long(text) | Self::Status(text) => harmless(text),
            Self::Moment(time) => time.to_string(),
            Self::Empty => "-".to_owned(),
        }
    }

    /// The value for people who look at it `now`.
    pub fn shown(&self, now: Timestamp) -> String {
        match self {
            Self::Moment(time) => age(*time, now),
            Self::Long(text) => beginning(text, ROW_CHARS_MAX),
            other => other.plain(),
        }
    }

    /// The value for people who look at nothing else: a moment with its age.
    pub fn told(&self, now: Timestamp) -> String {
        match self {
            Self::Moment(time) => format!("{time} ({})", age(*time, now)),
            Self::Long(text) => beginning(text, FIELD_CHARS_MAX),
            other => other.plain(),
        }
    }

    /// The colour that fits, for statuses.
    pub fn colour(&self) -> Option<AnsiColor> {
        match self {
            Self::Status(word) => colour(word),
            Self::Text(_) | Self::Long(_) | Self::Moment(_) | Self::Empty => None,
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        if text.is_empty() {
            Self::Empty
        } else {
            Self::Text(text)
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<Timestamp> for Cell {
    fn from(time: Timestamp) -> Self {
        Self::Moment(time)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

/// Makes cells of what has a display form.
pub fn text<T: ToString>(value: T) -> Cell {
    Cell::from(value.to_string())
}

/// The beginning of a text, cut between characters.
fn beginning(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", harmless(&text[..end])),
        None => harmless(text),
    }
}

/// Text that is one line and means nothing to a terminal.
pub fn harmless(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// The colour of a status, of a log level, of an outcome.
pub fn colour(word: &str) -> Option<AnsiColor> {
    match word {
        "completed" | "active" | "healthy" | "open" => Some(AnsiColor::Green),
        "running" | "assigned" | "busy" | "info" => Some(AnsiColor::Cyan),
        "retry" | "suspect" | "draining" | "warn" | "timed_out" | "lease_lost" | "degraded" => {
            Some(AnsiColor::Yellow)
        }
        "failed" | "error" | "critical" | "unhealthy" => Some(AnsiColor::Red),
        "cancelled" | "inactive" | "disabled" | "released" | "revoked" | "debug" => {
            Some(AnsiColor::BrightBlack)
        }
        _ => None,
    }
}

/// The present moment.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// `3s ago`, `2m ago`, `in 5h`.
pub fn age(time: Timestamp, now: Timestamp) -> String {
    let (ms, is_past) = if time <= now {
        (now.ms_since(time), true)
    } else {
        (time.ms_since(now), false)
    };
    let seconds = ms / 1_000;
    let span = match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    };
    if is_past {
        format!("{span} ago")
    } else {
        format!("in {span}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_the_unit_that_fits() {
        let now = Timestamp::from_ms(1_000_000_000);
        let shown: Vec<String> = [0, 59_999, 60_000, 3_600_000, 90_000_000]
            .map(|ms| age(now.minus_ms(ms), now))
            .into();
        assert_eq!(shown, ["0s ago", "59s ago", "1m ago", "1h ago", "1d ago"]);
        assert_eq!(age(now.plus_ms(300_000), now), "in 5m");
    }

    #[test]
    fn a_moment_is_whole_for_programs() {
        let moment = Cell::from(Timestamp::from_ms(1_767_323_045_678));
        assert_eq!(moment.plain(), "2026-01-02T03:04:05.678Z");
        assert_eq!(
            moment.told(Timestamp::from_ms(1_767_323_048_678)),
            "2026-01-02T03:04:05.678Z (3s ago)"
        );
    }

    #[test]
    fn text_cannot_steer_the_terminal() {
        let cell = Cell::from("a\u{1b}[31mb\tc\nd\u{9b}2J");
        assert_eq!(cell.plain(), "a [31mb c d 2J");
    }

    #[test]
    fn people_see_the_beginning_of_a_long_text_and_programs_all_of_it() {
        let text = "ä".repeat(FIELD_CHARS_MAX + 1);
        let cell = Cell::long(&text);
        let now = Timestamp::ZERO;
        assert_eq!(cell.plain(), text);
        assert_eq!(cell.shown(now).chars().count(), ROW_CHARS_MAX + 1);
        assert_eq!(cell.told(now).chars().count(), FIELD_CHARS_MAX + 1);
        assert!(cell.told(now).ends_with('…'));
    }
}
