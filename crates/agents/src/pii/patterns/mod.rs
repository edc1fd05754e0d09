//! Identifiers with a fixed form, or with a word before them that tells what they are.

mod contacts;
mod dates;
mod numbers;
mod places;
mod public_lines;

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

pub use self::public_lines::public_lines;
use super::{Kind, Span};

/// A pattern: the group `v` is the identifier, or the whole match without that group.
struct Pattern {
    kind: Kind,
    regex: Regex,
    check: fn(&str) -> bool,
}

fn pattern(kind: Kind, regex: &str, check: fn(&str) -> bool) -> Pattern {
    Pattern {
        kind,
        regex: compile(regex),
        check,
    }
}

/// Compiles a pattern. Identifiers are ASCII, and the Unicode forms of the classes would keep the library
/// from its fast automata on every text that holds as much as a curly quote.
fn compile(regex: &str) -> Regex {
    let ascii = regex
        .replace(r"\b", r"(?-u:\b)")
        .replace(r"\d", "[0-9]")
        .replace(r"\w", "[A-Za-z0-9_]")
        .replace(r"\s", r"[ \t\r\n]");
    Regex::new(&ascii).expect("the pattern is fixed and tested")
}

fn any(_: &str) -> bool {
    true
}

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let mut patterns = contacts::patterns();
    patterns.extend(numbers::patterns());
    patterns.extend(dates::patterns());
    patterns.extend(places::patterns());
    patterns
});
/// Identifiers with a fixed form, in no particular order, possibly overlapping.
pub fn find(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    for Pattern { kind, regex, check } in PATTERNS.iter() {
        if regex.captures_len() == 1 {
            for found in regex.find_iter(text) {
                push(text, *kind, found.range(), *check, &mut spans);
            }
            continue;
        }
        for found in regex.captures_iter(text) {
            if let Some(value) = found.name("v") {
                push(text, *kind, value.range(), *check, &mut spans);
            }
        }
    }
    spans
}

fn push(
    text: &str,
    kind: Kind,
    range: Range<usize>,
    check: fn(&str) -> bool,
    spans: &mut Vec<Span>,
) {
    let found = &text[range.clone()];
    // The full stop of a sentence is no part of an address or a link.
    let trimmed = found.trim_end_matches([
        '.', ',', ';', ':', '!', '?', ')', ']', '}', '"', '\'', '…', ' ',
    ]);
    let (start, end) = (range.start, range.start + trimmed.len());
    if start < end && check(trimmed) {
        spans.push(Span { start, end, kind });
    }
}

/// The placeholders that stand in a text already.
pub fn placeholders(text: &str) -> Vec<(usize, usize)> {
    static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
        let kinds = Kind::ALL.map(Kind::as_str).join("|");
        compile(&format!(r"\[(?:{kinds})\]"))
    });
    PLACEHOLDER
        .find_iter(text)
        .map(|found| (found.start(), found.end()))
        .collect()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}
