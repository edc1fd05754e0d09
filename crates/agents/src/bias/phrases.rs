//! Looking for many phrases at once in a text.

use std::collections::HashMap;

use crate::text::words;

/// Phrases of one to [`PHRASE_WORDS_MAX`] words, each with a label. A phrase ending in `*` stands for every
/// word with that beginning (only the last word of a phrase).
#[derive(Debug, Default)]
pub struct Phrases {
    by_first: HashMap<String, Vec<Phrase>>,
    prefixes: Vec<(String, usize)>,
}

#[derive(Debug)]
struct Phrase {
    rest: Vec<String>,
    label: usize,
}

/// The longest phrase.
pub const PHRASE_WORDS_MAX: usize = 5;

impl Phrases {
    /// Phrases from lists `(label, "one, two words, begin*")`; labels are numbered in the order given.
    pub fn new<'a>(lists: impl IntoIterator<Item = &'a str>) -> Self {
        let mut phrases = Self::default();
        for (label, list) in lists.into_iter().enumerate() {
            for phrase in list
                .split(',')
                .map(str::trim)
                .filter(|phrase| !phrase.is_empty())
            {
                phrases.add(phrase, label);
            }
        }
        phrases
    }

    fn add(&mut self, phrase: &str, label: usize) {
        if let Some(prefix) = phrase
            .strip_suffix('*')
            .filter(|prefix| !prefix.contains(' '))
        {
            self.prefixes.push((prefix.to_owned(), label));
            return;
        }
        let mut parts = phrase.split_whitespace().map(str::to_owned);
        let Some(first) = parts.next() else {
            return;
        };
        let rest = parts.collect();
        self.by_first
            .entry(first)
            .or_default()
            .push(Phrase { rest, label });
    }

    /// Calls `found` with the label of every phrase in the text and the number of the word where it begins.
    pub fn find(&self, words: &[String], mut found: impl FnMut(usize, usize)) {
        for (at, word) in words.iter().enumerate() {
            for phrase in self
                .by_first
                .get(word)
                .map(Vec::as_slice)
                .unwrap_or_default()
            {
                if matches(&phrase.rest, &words[at + 1..]) {
                    found(phrase.label, at);
                }
            }
            for (prefix, label) in &self.prefixes {
                if word.starts_with(prefix.as_str()) {
                    found(*label, at);
                }
            }
        }
    }
}

fn matches(rest: &[String], words: &[String]) -> bool {
    rest.len() <= words.len()
        && rest
            .iter()
            .zip(words)
            .all(|(wanted, word)| match wanted.strip_suffix('*') {
                Some(prefix) => word.starts_with(prefix),
                None => wanted == word,
            })
}

/// The words of a text in lower case, with plain apostrophes.
pub fn lower_words(text: &str) -> Vec<String> {
    words(text)
        .map(|word| word.text.to_lowercase().replace('’', "'"))
        .collect()
}
