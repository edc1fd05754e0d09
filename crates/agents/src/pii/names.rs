//! Names of people, by the words around them and by lists.
//!
//! A name is written with a capital, and so is much else. So a capitalised word is taken for a name only with
//! a reason: a title (`Dr.`), an introduction (`my name is`), a relation (`my sister`), a greeting or a
//! signature, a column of people in the same dataset, or a list of given and family names; words that are
//! also months, virtues or places need a capital within the sentence.

use super::{
    Kind, Span,
    lexicon::{AMBIGUOUS, GIVEN, NOT_NAMES, RELATIONS, SURNAMES, TITLES},
    people::People,
};
use crate::text::words;

/// Words of one name at most.
const NAME_WORDS_MAX: usize = 4;

struct Token {
    start: usize,
    /// The end of the word without a possessive `'s`.
    end: usize,
    /// The word without a possessive `'s`, lower case.
    lower: String,
    capital: bool,
    /// All letters are capitals, two at least.
    shouted: bool,
    /// The first word of a sentence or line.
    first: bool,
}

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
        let length = finder.name_at(at);
        if length > 0 {
            spans.push(Span {
                start: tokens[at].start,
                end: tokens[at + length - 1].end,
                kind: Kind::Name,
            });
        }
        at += length.max(1);
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut previous_end = 0;
    for word in words(text) {
        let bare = word.text.strip_suffix("'s").or_else(|| word.text.strip_suffix("’s")).unwrap_or(word.text);
        let gap = &text[previous_end..word.start];
        let after_title = tokens.last().is_some_and(|token| TITLES.contains(token.lower.as_str()));
        let stop = gap.contains(['.', '!', '?', '\n', ':', '"', '“', '•']) && !(after_title && gap == ". ");
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

struct Finder<'a> {
    text: &'a str,
    tokens: &'a [Token],
    people: &'a People,
}

impl Finder<'_> {
    /// How many words from `at` on are a name; 0 for none.
    fn name_at(&self, at: usize) -> usize {
        let whole = self.whole_name(at);
        if whole > 0 {
            return whole;
        }
        let token = &self.tokens[at];
        let close = self.after_relation(at);
        if !token.capital {
            let introduced = close || self.introduced(at);
            return usize::from(introduced && GIVEN.contains(token.lower.as_str()));
        }
        if !self.could_be_name(at) {
            return 0;
        }
        let reason = self.after_title(at)
            || self.introduced(at)
            || close
            || self.after_verb(at)
            || self.greeted(at)
            || self.signed(at)
            || self.listed(at);
        if reason { self.extend(at) } else { 0 }
    }

    /// A whole name from the dataset's columns of people, whatever its case.
    fn whole_name(&self, at: usize) -> usize {
        if self.people.is_empty() {
            return 0;
        }
        let end = self.tokens.len().min(at + 6);
        let lower: Vec<String> = self.tokens[at..end].iter().map(|token| token.lower.clone()).collect();
        self.people.whole_name_at(&lower)
    }

    fn could_be_name(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let letters = token.lower.chars().filter(|letter| letter.is_alphabetic()).count();
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
        at.checked_sub(back).map_or("", |index| self.tokens[index].lower.as_str())
    }

    fn after_title(&self, at: usize) -> bool {
        at > 0
            && TITLES.contains(self.word_before(at, 1))
            && matches!(self.gap_before(at), " " | ". " | ".")
            // `my doctor Prozac` never, `Doctor Smith` yes: the longer titles need their own capital.
            && (self.tokens[at - 1].capital || self.word_before(at, 1).len() <= 4)
    }

    /// `my name is X`, `named X`, `call me X`, `called our baby X`, `goes by X`, `I'm X,`.
    fn introduced(&self, at: usize) -> bool {
        if at == 0 || !self.gap_before(at).chars().all(|letter| letter == ' ' || letter == '"' || letter == '“') {
            return false;
        }
        let (one, two, three) = (self.word_before(at, 1), self.word_before(at, 2), self.word_before(at, 3));
        let named = |word: &str| matches!(word, "named" | "call" | "called" | "calls" | "nicknamed" | "name");
        let object = |word: &str| {
            matches!(word, "me" | "him" | "her" | "us" | "it" | "them" | "myself") || RELATIONS.contains(word)
        };
        let possessive = |word: &str| matches!(word, "our" | "my" | "his" | "her" | "their");
        matches!(one, "named" | "nicknamed")
            || (matches!(one, "is" | "was") && two == "name")
            || (one == "name" && self.gap_before(at).contains(' ') && self.possessive_s(at - 1))
            || (one == "called" && self.listed(at))
            || (object(one) && (named(two) || (possessive(two) && named(three))))
            || (one == "by" && matches!(two, "go" | "goes" | "went" | "going"))
            || (matches!(one, "i'm" | "i’m") && self.followed_by_pause(at) && GIVEN.contains(self.tokens[at].lower.as_str()))
            || (one == "am" && two == "i" && self.followed_by_pause(at) && GIVEN.contains(self.tokens[at].lower.as_str()))
    }

    /// The word was written with `'s`: `My name's Ada`.
    fn possessive_s(&self, at: usize) -> bool {
        let rest = &self.text[self.tokens[at].end..];
        rest.starts_with("'s") || rest.starts_with("’s")
    }

    fn followed_by_pause(&self, at: usize) -> bool {
        self.text[self.tokens[at].end..]
            .trim_start_matches([' '])
            .chars()
            .next()
            .is_none_or(|letter| matches!(letter, ',' | '.' | '!' | ';' | '\n'))
    }

    /// `my sister Zofia`, `my son, Tyler,`, `the pastor, Amos`.
    fn after_relation(&self, at: usize) -> bool {
        if at < 2 || !RELATIONS.contains(self.word_before(at, 1)) {
            return false;
        }
        let owner = self.word_before(at, 2);
        let owned = matches!(
            owner,
            "my" | "his" | "her" | "our" | "their" | "your" | "the" | "best" | "ex" | "old" | "older" | "younger" | "little" | "big"
        );
        match self.gap_before(at) {
            " " => owned,
            ", " | " (" => owned && self.followed_by_closing(at),
            _ => false,
        }
    }

    fn followed_by_closing(&self, at: usize) -> bool {
        let end = self.tokens[at + self.extend(at).max(1) - 1].end;
        self.text[end..].starts_with([',', ')', '.'])
    }

    /// `I told X`, `married X`: verbs whose object with a capital is a person.
    fn after_verb(&self, at: usize) -> bool {
        at > 0
            && self.gap_before(at) == " "
            && matches!(
                self.word_before(at, 1),
                "told" | "asked" | "married" | "dated" | "dating" | "divorced" | "kissed" | "hugged"
            )
    }

    /// `Hello X,` and `Dear X,`.
    fn greeted(&self, at: usize) -> bool {
        at > 0
            && self.gap_before(at) == " "
            && matches!(self.word_before(at, 1), "hello" | "hi" | "hey" | "dear")
            && self.tokens[at - 1].first
            && self.followed_by_pause(at + self.extend(at).max(1) - 1)
    }

    /// `Best wishes, X` and `- X` at the end of the text.
    fn signed(&self, at: usize) -> bool {
        let last = at + self.extend(at).max(1) - 1;
        if last + 1 != self.tokens.len() || at == 0 {
            return false;
        }
        let gap = self.gap_before(at);
        let closing = matches!(
            self.word_before(at, 1),
            "best" | "regards" | "wishes" | "sincerely" | "warmly" | "care" | "blessings" | "cheers" | "thanks"
                | "namaste" | "respectfully" | "yours" | "truly" | "peace" | "luck"
        );
        let dash = gap.trim_end_matches(' ').ends_with(['-', '–', '—', '~']);
        (closing && gap.contains([',', '\n', '!'])) || (dash && (gap.contains('\n') || gap.contains(". ")))
    }

    /// In the lists, or a single word from a column of people.
    fn listed(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let lower = token.lower.as_str();
        if AMBIGUOUS.contains(lower) {
            return self.ambiguous_is_name(at);
        }
        // Hyphenated names: every part counts.
        let known = |part: &str| GIVEN.contains(part) || SURNAMES.contains(part) || self.people.is_single(part);
        known(lower) || (lower.contains('-') && lower.split('-').all(known))
    }

    /// Within a sentence, and not where a place would stand; or before a family name.
    fn ambiguous_is_name(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let before_surname = self.tokens.get(at + 1).is_some_and(|next| {
            next.capital && SURNAMES.contains(next.lower.as_str()) && self.gap_before(at + 1) == " "
        });
        if before_surname {
            return true;
        }
        let place = matches!(self.word_before(at, 1), "in" | "at" | "to" | "from" | "near" | "of" | "the" | "since" | "until");
        let in_title = at > 0 && self.tokens[at - 1].capital && !self.tokens[at - 1].first;
        let before_title = self.tokens.get(at + 1).is_some_and(|next| next.capital && self.gap_before(at + 1) == " " && !self.could_be_name(at + 1));
        !token.first && !token.shouted && !place && !in_title && !before_title
    }

    /// The length of the name that begins at `at`: following capitalised words and initials belong to it.
    fn extend(&self, at: usize) -> usize {
        let mut length = 1;
        while length < NAME_WORDS_MAX && at + length < self.tokens.len() {
            let next = at + length;
            let initial = self.tokens[next].capital && self.tokens[next].lower.chars().count() == 1 && self.tokens[next].lower != "i";
            let gap = self.gap_before(next);
            let after_initial = self.tokens[next - 1].lower.chars().count() == 1;
            let joined = gap == " " || (after_initial && gap == ". ");
            let possessive = self.possessive_s(next - 1);
            if !joined || possessive || !(initial || self.could_be_name(next)) {
                break;
            }
            length += 1;
        }
        length
    }
}
