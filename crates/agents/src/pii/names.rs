//! Names of people, by the words around them and by lists.
//!
//! A name is written with a capital, and so is much else. So a capitalised word is taken for a name only with
//! a reason: a title (`Dr.`), an introduction (`my name is`), a relation (`my sister`), a greeting or a
//! signature, a column of people in the same dataset, or a list of given and family names; words that are
//! also months, virtues or places need a capital within the sentence. Well-known cities are found here too,
//! because they are told from names by the same look at capitals.

use super::{
    Kind, Span,
    lexicon::{
        AMBIGUOUS, CITIES, EPONYMS, FOUNDERS, GIVEN, LOWER_WORDS, NOT_NAMES, RELATIONS,
        SHORT_TITLES, SURNAMES, TITLES,
    },
    people::People,
};
use crate::text::words;

/// Words of one name at most.
const NAME_WORDS_MAX: usize = 4;

/// Words looked at for a name from a column, middle initials included.
const WHOLE_NAME_WORDS_MAX: usize = 8;

/// Words looked at to see whether a text is written in capitals.
const SHOUTED_LOOK: usize = 12;

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

fn tokens(text: &str) -> Vec<Token> {
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

fn is_title(token: &Token) -> bool {
    SHORT_TITLES.contains(token.lower.as_str())
        || (token.capital && TITLES.contains(token.lower.as_str()))
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

    /// `X and I`, `between X and me`: whoever stands beside the writer is a person.
    fn beside_me(&self, at: usize) -> bool {
        let next = |offset: usize| {
            self.tokens
                .get(at + offset)
                .map_or("", |token| token.lower.as_str())
        };
        let beside = next(1) == "and" && matches!(next(2), "i" | "me" | "myself");
        beside && self.gap_before(at + 1) == " "
    }

    /// `at X's house`.
    fn host(&self, at: usize) -> bool {
        let next = self
            .tokens
            .get(at + 1)
            .map_or("", |token| token.lower.as_str());
        self.possessive_s(at)
            && !self.tokens[at].first
            && matches!(
                next,
                "house"
                    | "place"
                    | "apartment"
                    | "home"
                    | "room"
                    | "car"
                    | "party"
                    | "wedding"
                    | "funeral"
                    | "mom"
                    | "mother"
                    | "dad"
                    | "father"
                    | "family"
                    | "parents"
                    | "kids"
            )
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

    fn after_title(&self, at: usize) -> bool {
        at > 0 && is_title(&self.tokens[at - 1]) && matches!(self.gap_before(at), " " | ". " | ".")
    }

    /// `my name is X`, `named X`, `call me X`, `called our baby X`, `goes by X`, `I'm X,`.
    fn introduced(&self, at: usize) -> bool {
        if at == 0
            || !self
                .gap_before(at)
                .chars()
                .all(|letter| letter == ' ' || letter == '"' || letter == '“')
        {
            return false;
        }
        let (one, two, three) = (
            self.word_before(at, 1),
            self.word_before(at, 2),
            self.word_before(at, 3),
        );
        let named = |word: &str| {
            matches!(
                word,
                "named" | "call" | "called" | "calls" | "nicknamed" | "name"
            )
        };
        let object = |word: &str| {
            matches!(word, "me" | "him" | "her" | "us" | "it" | "them" | "myself")
                || RELATIONS.contains(word)
        };
        let possessive = |word: &str| matches!(word, "our" | "my" | "his" | "her" | "their");
        matches!(one, "named" | "nicknamed")
            || (matches!(one, "is" | "was") && two == "name")
            || (one == "name" && self.gap_before(at).contains(' ') && self.possessive_s(at - 1))
            || (one == "called" && self.listed(at))
            || (object(one) && (named(two) || (possessive(two) && named(three))))
            || (one == "by" && matches!(two, "go" | "goes" | "went" | "going"))
            || (matches!(one, "i'm" | "i’m")
                && self.followed_by_pause(at)
                && GIVEN.contains(self.tokens[at].lower.as_str()))
            || (one == "am"
                && two == "i"
                && self.tokens[at].capital
                && (self.followed_by_pause(at) || self.followed_by_and_i(at)))
    }

    /// The word was written with `'s`: `My name's Ada`.
    fn possessive_s(&self, at: usize) -> bool {
        let rest = &self.text[self.tokens[at].end..];
        rest.starts_with("'s") || rest.starts_with("’s")
    }

    fn followed_by_and_i(&self, at: usize) -> bool {
        let next = |offset: usize| {
            self.tokens
                .get(at + offset)
                .map_or("", |token| token.lower.as_str())
        };
        next(1) == "and" && matches!(next(2), "i" | "i'm" | "i’m" | "my")
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
            "my" | "his"
                | "her"
                | "our"
                | "their"
                | "your"
                | "the"
                | "best"
                | "ex"
                | "old"
                | "older"
                | "younger"
                | "little"
                | "big"
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
                "told"
                    | "asked"
                    | "married"
                    | "dated"
                    | "dating"
                    | "divorced"
                    | "kissed"
                    | "hugged"
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
            "best"
                | "regards"
                | "wishes"
                | "sincerely"
                | "warmly"
                | "care"
                | "blessings"
                | "cheers"
                | "thanks"
                | "namaste"
                | "respectfully"
                | "yours"
                | "truly"
                | "peace"
                | "luck"
        );
        let dash = gap.trim_end_matches(' ').ends_with(['-', '–', '—', '~']);
        (closing && gap.contains([',', '\n', '!']))
            || (dash && (gap.contains('\n') || gap.contains(". ")))
    }

    /// In the lists, or a single word from a column of people.
    fn listed(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let lower = token.lower.as_str();
        if AMBIGUOUS.contains(lower) {
            return self.ambiguous_is_name(at);
        }
        // Capitals all over: an abbreviation, unless the whole text shouts.
        if token.shouted
            && !self
                .tokens
                .iter()
                .take(SHOUTED_LOOK)
                .all(|token| token.shouted || token.lower.len() < 3)
        {
            return false;
        }
        // Hyphenated names: every part counts.
        let known = |part: &str| {
            GIVEN.contains(part) || SURNAMES.contains(part) || self.people.is_single(part)
        };
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
        let place = matches!(
            self.word_before(at, 1),
            "in" | "at" | "to" | "from" | "near" | "of" | "the" | "since" | "until"
        );
        let in_title = at > 0 && self.tokens[at - 1].capital && !self.tokens[at - 1].first;
        let before_title = self.tokens.get(at + 1).is_some_and(|next| {
            next.capital && self.gap_before(at + 1) == " " && !self.could_be_name(at + 1)
        });
        !token.first && !token.shouted && !place && !in_title && !before_title
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
