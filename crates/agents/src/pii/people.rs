//! Names known from the dataset's own columns of people.

use std::collections::{HashMap, HashSet};

use super::lexicon::{AMBIGUOUS, NOT_NAMES};
use crate::text::words;

/// Different names remembered of one dataset. At some 40 bytes a name that is a few megabytes; beyond it the
/// names of the row itself and the other rules still apply, and the count of names left out is reported.
pub const NAMES_MAX: usize = 50_000;

/// Words of one name that are kept; a longer "name" is a sentence.
const NAME_WORDS_MAX: usize = 6;

/// Names of people, looked up by their words.
#[derive(Debug, Clone, Default)]
pub struct People {
    /// First word → the whole names beginning with it, in lower case.
    whole: HashMap<String, Vec<Vec<String>>>,
    /// Single words that stand for a person on their own when capitalised.
    single: HashSet<String>,
    count: usize,
    /// Names that did not fit.
    pub left_out: u64,
}

impl People {
    /// Nobody.
    pub fn none() -> Self {
        Self::default()
    }

    /// The people of one row.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut people = Self::default();
        for name in names {
            people.add(name);
        }
        people
    }

    /// Adds a name as it stands in a column: titles, degrees and what is in brackets is set aside.
    pub fn add(&mut self, column: &str) {
        let name: Vec<String> = name_words(column);
        let Some(first) = name.first() else {
            return;
        };
        if self
            .whole
            .get(first)
            .is_some_and(|known| known.contains(&name))
        {
            return;
        }
        if self.count >= NAMES_MAX {
            self.left_out += 1;
            return;
        }
        self.count += 1;
        for word in &name {
            let common = AMBIGUOUS.contains(word.as_str())
                || NOT_NAMES.contains(word.as_str())
                || SURNAMES_THAT_ARE_WORDS.contains(&word.as_str());
            if word.chars().count() >= SINGLE_CHARS_MIN && !common {
                self.single.insert(word.clone());
            }
        }
        if name.len() > 1 {
            self.whole.entry(first.clone()).or_default().push(name);
        }
    }

    /// How many names are known.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True without names.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many of the words (lower case) at the beginning of `words` are a whole name, middle initials
    /// included; 0 for none.
    pub fn whole_name_at(&self, words: &[&str]) -> usize {
        let Some(first) = words.first() else {
            return 0;
        };
        let names = self
            .whole
            .get(*first)
            .map(Vec::as_slice)
            .unwrap_or_default();
        names
            .iter()
            .map(|name| matched(name, words))
            .max()
            .unwrap_or(0)
    }

    /// True when this word (lower case) alone stands for a person.
    pub fn is_single(&self, word: &str) -> bool {
        self.single.contains(word)
    }
}

/// How many words the name takes up at the beginning of `words`; 0 when it does not stand there.
fn matched(name: &[String], words: &[&str]) -> usize {
    let mut used = 0;
    for part in name {
        while used > 0
            && words
                .get(used)
                .is_some_and(|word| word.chars().count() == 1)
            && words[used] != part
        {
            used += 1;
        }
        if words.get(used) != Some(&part.as_str()) {
            return 0;
        }
        used += 1;
    }
    used
}

/// A shorter part of a name ("Al", "Jo") is too often something else.
const SINGLE_CHARS_MIN: usize = 3;

/// Words of organisations: a column of people often holds some.
const ORGANISATION_WORDS: [&str; 22] = [
    "counseling",
    "counselling",
    "therapy",
    "therapist",
    "services",
    "service",
    "center",
    "centre",
    "clinic",
    "practice",
    "health",
    "wellness",
    "online",
    "provider",
    "associates",
    "group",
    "llc",
    "inc",
    "institute",
    "addiction",
    "chance",
    "psychotherapy",
];

/// Family names that stand in a dictionary: they are removed only with their given names.
const SURNAMES_THAT_ARE_WORDS: [&str; 64] = [
    "best", "bishop", "black", "bloom", "brown", "burns", "bush", "case", "church", "cook",
    "cross", "day", "field", "fields", "fisher", "fox", "free", "french", "gold", "good", "gray",
    "green", "hall", "hand", "hart", "head", "hill", "hood", "house", "key", "keys", "king",
    "knight", "lamb", "law", "light", "little", "long", "major", "marsh", "moon", "park", "pope",
    "price", "rice", "rivers", "sharp", "short", "small", "smart", "snow", "spring", "stark",
    "stones", "strong", "swan", "sweet", "waters", "weeks", "west", "white", "wise", "wood",
    "young",
];

/// The words of a name in lower case, without titles and degrees; empty for an organisation.
fn name_words(column: &str) -> Vec<String> {
    // What follows the first comma is degrees: `Jordan Sample, LCSW, PhD`.
    let name = column.split(',').next().unwrap_or_default();
    let name: String = name.split('(').next().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for word in words(&name) {
        let lower = word.text.to_lowercase();
        let letters = word
            .text
            .chars()
            .filter(|letter| letter.is_alphabetic())
            .count();
        let degree = (2..=5).contains(&letters)
            && found.len() >= 2
            && word.text.chars().all(char::is_uppercase);
        let title = matches!(
            lower.as_str(),
            "dr" | "mr" | "mrs" | "ms" | "miss" | "prof" | "rev" | "the"
        );
        if degree || title {
            continue;
        }
        if letters == 0 || ORGANISATION_WORDS.contains(&lower.as_str()) {
            return Vec::new();
        }
        // A middle initial is often left out in texts.
        let middle_initial = letters == 1 && !found.is_empty();
        if !middle_initial {
            found.push(lower);
        }
    }
    if found.len() > NAME_WORDS_MAX {
        found.clear();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(people: &People, text: &str) -> usize {
        people.whole_name_at(&words(text).map(|word| word.text).collect::<Vec<_>>())
    }

    #[test]
    fn degrees_titles_and_initials_are_no_part_of_a_name() {
        assert_eq!(
            name_words("Dr. Ada B. Example, LCSW, PhD"),
            ["ada", "example"]
        );
        assert_eq!(name_words("Sam Placeholder LPC"), ["sam", "placeholder"]);
        assert_eq!(name_words("JO FICTIONAL"), ["jo", "fictional"]);
        assert_eq!(
            name_words("2nd Chance Counseling Service"),
            Vec::<String>::new()
        );
        assert_eq!(name_words(""), Vec::<String>::new());
    }

    #[test]
    fn whole_names_and_single_words_are_found() {
        let people = People::of(["Ada Example, PhD", "Mark Young", "Ada Example"]);
        assert_eq!(people.len(), 2);
        assert_eq!(found(&people, "ada example says"), 2);
        assert_eq!(found(&people, "mark young"), 2);
        assert_eq!(found(&people, "ada b. example"), 3);
        assert_eq!(found(&people, "ada and example"), 0);
        assert!(people.is_single("example"));
        assert!(!people.is_single("mark") && !people.is_single("young"));
    }

    #[test]
    fn the_list_is_bounded_and_counts_what_it_left_out() {
        let mut people = People::none();
        for number in 0..NAMES_MAX + 7 {
            people.add(&format!("Given{number} Family{number}"));
        }
        assert_eq!((people.len(), people.left_out), (NAMES_MAX, 7));
    }
}
