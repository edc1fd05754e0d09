//! Numbers, durations and long texts as people read them.

use std::fmt::Write;

/// The beginning of a text, at most so many characters.
pub fn short(text: &str, chars: usize) -> String {
    let mut short: String = text
        .chars()
        .take(chars)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(chars).is_some() {
        short.push('…');
    }
    short
}

/// A long id by its beginning and its end, which tell it apart.
pub fn middle(id: &str) -> String {
    const HEAD: usize = 9;
    const TAIL: usize = 6;
    // A stage's task: its pipeline's beginning, then its stage and place.
    if let Some((pipeline, place)) = id.split_once(".s")
        && pipeline.len() > HEAD + 1
    {
        let head: String = pipeline.chars().take(HEAD).collect();
        return format!("{head}….s{}", short(place, 24));
    }
    let chars: Vec<char> = id.chars().collect();
    if chars.len() <= HEAD + TAIL + 5 {
        return id.to_owned();
    }
    let head: String = chars[..HEAD].iter().collect();
    let tail: String = chars[chars.len() - TAIL..].iter().collect();
    format!("{head}…{tail}")
}

/// A text with a capital first.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// A text as a sentence: a capital first, a full stop last.
pub fn sentence(text: &str) -> String {
    let mut sentence = capital(text);
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

/// A count with thin groups of three: `12,345`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its word: `1 task`, `3 tasks`.
pub fn counted(number: u64, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {word}{plural}", count(number))
}

/// A duration in the two units that matter: `850 ms`, `3.2 s`, `4 m 10 s`, `2 h 5 m`, `3 d 4 h`.
pub fn duration(ms: u64) -> String {
    const SECOND: u64 = 1_000;
    const MINUTE: u64 = 60 * SECOND;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let two = |big: u64, unit: &str, rest: u64, lower: &str| {
        let mut text = format!("{big} {unit}");
        if rest > 0 {
            // Writing to a string cannot fail.
            let _ = write!(text, " {rest} {lower}");
        }
        text
    };
    match ms {
        0..SECOND => format!("{ms} ms"),
        SECOND..MINUTE if ms < 10 * SECOND => format!("{}.{} s", ms / SECOND, ms % SECOND / 100),
        SECOND..MINUTE => format!("{} s", ms / SECOND),
        MINUTE..HOUR => two(ms / MINUTE, "m", ms % MINUTE / SECOND, "s"),
        HOUR..DAY => two(ms / HOUR, "h", ms % HOUR / MINUTE, "m"),
        _ => two(ms / DAY, "d", ms % DAY / HOUR, "h"),
    }
}

/// How long ago: `just now` within the second, `3.2 s ago`.
pub fn ago(ms: u64) -> String {
    match ms {
        0..1_000 => "just now".to_owned(),
        _ => format!("{} ago", duration(ms)),
    }
}

/// A size: `512 B`, `14.2 kB`, `3.1 MB`.
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if size < 1_000 {
        return format!("{size} B");
    }
    // Tenths are all that is shown, so the loss of digits beyond 2^53 is not.
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let mut value = size as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 999.95 {
            break;
        }
        value /= 1_000.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

/// A part of a whole in per cent, 0 to 100; zero of nothing.
#[expect(clippy::cast_precision_loss, reason = "a bar has a few hundred pixels")]
pub fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        (part as f64 / whole as f64 * 100.0).clamp(0.0, 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "task"), "1 task");
        assert_eq!(counted(2_000, "task"), "2,000 tasks");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(14_249), "14.2 kB");
        assert_eq!(bytes(999_950_000), "1.0 GB");
        assert_eq!(percent(1, 0), 0.0);
        assert_eq!(ago(0), "just now");
        assert_eq!(ago(1_000), "1.0 s ago");
    }

    #[test]
    fn a_sentence_begins_with_a_capital_and_ends() {
        assert_eq!(sentence("no task `x`"), "No task `x`.");
        assert_eq!(sentence("Done."), "Done.");
        assert_eq!(sentence(""), ".");
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (ms, text) in [
            (0, "0 ms"),
            (3_200, "3.2 s"),
            (59_999, "59 s"),
            (60_000, "1 m"),
            (250_000, "4 m 10 s"),
            (7_500_000, "2 h 5 m"),
            (273_600_000, "3 d 4 h"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(short("äöü\n€", 4), "äöü …");
        assert_eq!(
            middle("task_01jgk3v8f2q4x6z8b0d2f4h6j8"),
            "task_01jg…f4h6j8"
        );
        assert_eq!(middle("short"), "short");
        assert_eq!(
            middle("pipe_01m82eferdh6jmsjbpfpm8cmca.s2.000003"),
            "pipe_01m8….s2.000003"
        );
    }
}
