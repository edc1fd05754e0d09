//! One spelling for the same text: NFC, plain spaces, no invisible characters, tidy lines.

use unicode_normalization::UnicodeNormalization;

/// Normalises: NFC; every kind of space is a space; zero-width, control and private characters go; runs of
/// spaces are one, lines are trimmed, at most one empty line stays between paragraphs.
pub fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut newlines, mut space) = (0u32, false);
    // What is invisible goes first: it may stand between a letter and its accent.
    let visible = text
        .chars()
        .filter(|letter| !matches!(class(*letter), Class::Gone));
    for letter in visible.nfc() {
        match class(letter) {
            Class::Gone => {}
            Class::Newline => newlines += 1,
            Class::Space => space = true,
            Class::Text(letter) => {
                if out.is_empty() {
                    // nothing before the first letter
                } else if newlines > 0 {
                    out.push_str(if newlines > 1 { "\n\n" } else { "\n" });
                } else if space {
                    out.push(' ');
                }
                (newlines, space) = (0, false);
                out.push(letter);
            }
        }
    }
    out
}

enum Class {
    Gone,
    Newline,
    Space,
    Text(char),
}

fn class(letter: char) -> Class {
    match letter {
        '\n' | '\u{2028}' | '\u{2029}' | '\u{85}' => Class::Newline,
        // Soft hyphen, zero-width space and joiners, directional marks, variation selectors, word joiner, BOM.
        // The joiner U+200D is kept: emoji and several scripts need it.
        '\u{ad}'
        | '\u{200b}'
        | '\u{200c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}'
        | '\u{180e}' => Class::Gone,
        // Private use: icons of fonts that are not there.
        '\u{e000}'..='\u{f8ff}' => Class::Gone,
        _ if letter.is_whitespace() => Class::Space,
        _ if letter.is_control() => Class::Gone,
        _ => Class::Text(letter),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spaces_lines_and_invisible_characters_are_tidied() {
        assert_eq!(
            normalise(" a\u{a0}\u{2003} b\u{200b}c \r\n\r\n\n d\t\n e "),
            "a bc\n\nd\ne"
        );
        assert_eq!(normalise("cafe\u{301}"), "café");
        assert_eq!(normalise("x\u{0}\u{7}y\u{ad}z"), "xyz");
        assert_eq!(normalise(" \n\u{200b}"), "");
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,40}|[ a\n\r\t\u{a0}\u{200b}e\u{301}]{0,40}") {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once);
        }
    }
}
