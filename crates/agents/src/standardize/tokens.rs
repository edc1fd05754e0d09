//! Approximate token counts.
//!
//! The true number depends on a model's vocabulary, which is large and differs from model to model. The
//! method here, `mcpanel-approx-1`, needs no vocabulary: a run of letters is one token per started 7 letters,
//! a run of digits one per started 3, every ideograph and every other visible character one. On English text
//! that stays close to the byte-pair vocabularies in use (about 1.3 tokens a word); elsewhere it is rougher.

use crate::record::Tokens;

/// The name of the method, for metadata and reports.
pub const METHOD: &str = "mcpanel-approx-1";

const LETTERS_PER_TOKEN: u64 = 7;
const DIGITS_PER_TOKEN: u64 = 3;

/// The tokens of a text.
pub fn count(text: &str) -> u64 {
    let (mut tokens, mut letters, mut digits) = (0, 0u64, 0u64);
    for letter in text.chars().chain([' ']) {
        let is_digit = letter.is_ascii_digit();
        let is_letter = !is_digit && letter.is_alphabetic() && !is_ideograph(letter);
        if !is_letter {
            tokens += letters.div_ceil(LETTERS_PER_TOKEN);
            letters = 0;
        }
        if !is_digit {
            tokens += digits.div_ceil(DIGITS_PER_TOKEN);
            digits = 0;
        }
        if is_letter {
            letters += 1;
        } else if is_digit {
            digits += 1;
        } else if !letter.is_whitespace() {
            tokens += 1;
        }
    }
    tokens
}

/// Scripts in which a character is about a word.
fn is_ideograph(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{3ffff}')
}

/// The tokens of a conversation of three turns.
pub fn of(system: &str, user: &str, assistant: &str) -> Tokens {
    let (system, user, assistant) = (count(system), count(user), count(assistant));
    Tokens {
        system,
        user,
        assistant,
        total: system + user + assistant,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_digits_and_signs_are_counted() {
        assert_eq!(count(""), 0);
        assert_eq!(count("I am here."), 4);
        assert_eq!(count("understanding"), 2);
        assert_eq!(count("1234 and 56"), 4);
        assert_eq!(count("心理学"), 3);
    }
}
