//! Words as name detection looks at them.

use crate::{
    pii::lexicon::{SHORT_TITLES, TITLES},
    text::words,
};

/// A word and what its letters and its place say.
pub(super) struct Token {
    pub start: usize,
    /// The end of the word without a possessive `'s`.
    pub end: usize,
    /// The word without a possessive `'s`, lower case.
    pub lower: String,
    pub capital: bool,
    /// All letters are capitals, two at least.
    pub shouted: bool,
    /// The first word of a sentence or line.
    pub first: bool,
}

/// The words of a text.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut previous_end = 0;
    for word in words(text) {
        let bare = word
            .text
            .strip_suffix("'s")
            .or_else(|| word.text.strip_suffix("’s"))
            .unwrap_or(word.text);
        let gap = &text[previous_end..word.start];
        let after_title = tokens.last().is_some_and(is_title);
        let after_initial = tokens
            .last()
            .is_some_and(|token| token.capital && token.lower.chars().count() == 1);
        let stop = (gap.contains(['.', '!', '?', '\n', ':', ';', '"', '“', '•'])
            || gap.contains(" - ")
            || gap.contains(['–', '—']))
            && !((after_title || after_initial) && gap == ". ");
        tokens.push(Token {
            start: word.start,
            end: word.start + bare.len(),
            lower: bare.to_lowercase(),
            capital: word.is_capitalised(),
            shouted: bare.chars().filter(|letter| letter.is_alphabetic()).count() > 1
                && !bare.chars().any(char::is_lowercase),
            first: tokens.is_empty() || stop,
        });
        previous_end = word.end;
    }
    tokens
}

/// What follows is a name.
pub(super) fn is_title(token: &Token) -> bool {
    SHORT_TITLES.contains(token.lower.as_str())
        || (token.capital && TITLES.contains(token.lower.as_str()))
}
