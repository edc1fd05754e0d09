//! Names of people, by the words around them and by lists.
//!
//! A name is written with a capital, and so is much else. So a capitalised word is taken for a name only with
//! a reason: a title (`Dr.`), an introduction (`my name is`), a relation (`my sister`), a greeting or a
//! signature, a column of people in the same dataset, or a list of given and family names; words that are
//! also months, virtues or places need a capital within the sentence. Well-known cities are found here too,
//! because they are told from names by the same look at capitals.

mod reasons;
mod tokens;

use self::tokens::{Token, tokens};
use super::{
    Kind, Span,
    lexicon::{CITIES, EPONYMS, FOUNDERS, GIVEN, LOWER_WORDS, NOT_NAMES, SHORT_TITLES, SURNAMES},
    people::People,
};

/// Words of one name at most.
const NAME_WORDS_MAX: usize = 4;

/// Words looked at for a name from a column, middle initials included.
const WHOLE_NAME_WORDS_MAX: usize = 8;

/// Adds the names in `text` to `spans`.
pub fn find(text: &str, people: &People, spans: &mut Vec<Span>) {
    let tokens = tokens(text);
    let finder = Finder {
        text,
        tokens: &tokens,
        people,
    };
    let mut at = 0;
    while at < tokens.len() {
        let (length, kind) = match finder.city_at(at) {
            0 => (finder.name_at(at), Kind::Name),
            length => (length, Kind::Location),
        };
        if length > 0 {
            spans.push(Span {
                start: tokens[at].start,
                end: tokens[at + length - 1].end,
                kind,
            });
        }
        at += length.max(1);
    }
}

struct Finder<'a> {
    text: &'a str,
    tokens: &'a [Token],
    people: &'a People,
}

impl Finder<'_> {
    /// How many words from `at` on are a well-known city; 0 for none.
    fn city_at(&self, at: usize) -> usize {
        if !self.tokens[at].capital {
            return 0;
        }
        (1..=3)
            .rev()
            .filter(|length| at + length <= self.tokens.len())
            .find(|length| {
                let words = &self.tokens[at..at + length];
                let joined =
                    (1..*length).all(|next| matches!(self.gap_before(at + next), " " | ". "));
                let name: Vec<&str> = words.iter().map(|token| token.lower.as_str()).collect();
                joined
                    && words.iter().all(|token| token.capital)
                    && CITIES.contains(name.join(" ").as_str())
            })
            .filter(|length| !self.names_a_thing(at + length))
            .unwrap_or(0)
    }

    /// How many words from `at` on are a name; 0 for none.
    fn name_at(&self, at: usize) -> usize {
        let whole = self.whole_name(at);
        if whole > 0 {
            return whole;
        }
        let token = &self.tokens[at];
        if !token.capital {
            return self.lower_name(at);
        }
        if self.initials_lead(at) {
            return self.extend(at);
        }
        if !self.could_be_name(at) {
            return 0;
        }
        let length = self.extend(at);
        let certain = self.after_title(at) || self.introduced(at) || self.after_relation(at);
        if certain {
            return length;
        }
        let reason = self.after_verb(at)
            || self.greeted(at)
            || self.signed(at)
            || self.listed(at)
            || self.beside_me(at)
            || self.host(at)
            || (length > 1 && self.leads_to_name(at, length));
        if reason && !self.names_a_thing(at + length) {
            length
        } else {
            0
        }
    }

    /// `J. R. Hollis`, `J. Smith`: initials before a name.
    fn initials_lead(&self, at: usize) -> bool {
        let initial =
            |token: &Token| token.capital && token.lower.chars().count() == 1 && token.lower != "i";
        let ahead = self.tokens[at..]
            .iter()
            .take(NAME_WORDS_MAX - 1)
            .take_while(|token| initial(token))
            .count();
        let dotted = (1..=ahead).all(|next| {
            self.tokens.len() > at + next && self.gap_before(at + next).starts_with('.')
        });
        let Some(last) = self.tokens.get(at + ahead) else {
            return false;
        };
        ahead > 0
            && dotted
            && self.could_be_name(at + ahead)
            && (ahead > 1
                || SURNAMES.contains(last.lower.as_str())
                || self.people.is_single(&last.lower))
    }

    /// A name written in lower case: after a word that announces it, or one that is no other word.
    fn lower_name(&self, at: usize) -> usize {
        let lower = self.tokens[at].lower.as_str();
        if SHORT_TITLES.contains(self.word_before(at, 1)) && self.gap_before(at) == ". " {
            return 1;
        }
        let announced = self.after_relation(at) || self.introduced(at);
        let known = GIVEN.contains(lower) && (announced || !LOWER_WORDS.contains(lower));
        usize::from(known)
    }

    /// The word at `at` makes the name before it the name of a thing: `the Baker Act`.
    fn names_a_thing(&self, at: usize) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|next| EPONYMS.contains(next.lower.as_str()) && self.gap_before(at) == " ")
    }

    /// An unknown capitalised word within a sentence that runs into a known name or behind an initial:
    /// `Kellie Jo Holly`, `Robin J. Sample`.
    fn leads_to_name(&self, at: usize, length: usize) -> bool {
        let initial = self.tokens[at + 1].lower.chars().count() == 1 && length > 2;
        let known = self.tokens[at + 1..at + length].iter().any(|token| {
            let lower = token.lower.as_str();
            GIVEN.contains(lower) || SURNAMES.contains(lower) || self.people.is_single(lower)
        });
        initial || (known && !self.tokens[at].first)
    }

    /// A whole name from the dataset's columns of people, whatever its case.
    fn whole_name(&self, at: usize) -> usize {
        if self.people.is_empty() {
            return 0;
        }
        let end = self.tokens.len().min(at + WHOLE_NAME_WORDS_MAX);
        let mut words = [""; WHOLE_NAME_WORDS_MAX];
        for (word, token) in words.iter_mut().zip(&self.tokens[at..end]) {
            *word = token.lower.as_str();
        }
        self.people.whole_name_at(&words[..end - at])
    }

    fn could_be_name(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let letters = token
            .lower
            .chars()
            .filter(|letter| letter.is_alphabetic())
            .count();
        token.capital
            && letters >= 2
            && !token.lower.contains(|letter: char| letter.is_ascii_digit())
            && !NOT_NAMES.contains(token.lower.as_str())
            // `I'll`, `We've`: contractions are no names, O'Brien is one.
            && !["'m", "'ll", "'ve", "'re", "'d", "n't", "’m", "’ll", "’ve", "’re", "’d", "n’t"]
                .iter()
                .any(|ending| token.lower.ends_with(ending))
    }

    fn gap_before(&self, at: usize) -> &str {
        if at == 0 {
            return "";
        }
        &self.text[self.tokens[at - 1].end..self.tokens[at].start]
    }

    fn word_before(&self, at: usize, back: usize) -> &str {
        at.checked_sub(back)
            .map_or("", |index| self.tokens[index].lower.as_str())
    }

    /// The length of the name that begins at `at`: following capitalised words and initials belong to it.
    fn extend(&self, at: usize) -> usize {
        let mut length = 1;
        while length < NAME_WORDS_MAX && at + length < self.tokens.len() {
            let next = at + length;
            let initial = self.tokens[next].capital
                && self.tokens[next].lower.chars().count() == 1
                && self.tokens[next].lower != "i";
            let gap = self.gap_before(next);
            let after_initial = self.tokens[next - 1].lower.chars().count() == 1;
            let joined = gap == " " || (after_initial && matches!(gap, ". " | "."));
            let possessive = self.possessive_s(next - 1);
            let founder =
                self.tokens[next].capital && FOUNDERS.contains(self.tokens[next].lower.as_str());
            if !joined || possessive || !(initial || founder || self.could_be_name(next)) {
                break;
            }
            length += 1;
        }
        length
    }
}
