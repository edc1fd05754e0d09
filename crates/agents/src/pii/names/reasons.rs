//! The reasons to take a capitalised word for a name.

use super::{Finder, tokens::is_title};
use crate::pii::lexicon::{AMBIGUOUS, GIVEN, RELATIONS, SURNAMES};

/// Words looked at to see whether a text is written in capitals.
const SHOUTED_LOOK: usize = 12;

impl Finder<'_> {
    /// `X and I`, `between X and me`: whoever stands beside the writer is a person.
    pub(super) fn beside_me(&self, at: usize) -> bool {
        let next = |offset: usize| {
            self.tokens
                .get(at + offset)
                .map_or("", |token| token.lower.as_str())
        };
        let beside = next(1) == "and" && matches!(next(2), "i" | "me" | "myself");
        beside && self.gap_before(at + 1) == " "
    }

    /// `at X's house`.
    pub(super) fn host(&self, at: usize) -> bool {
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

    pub(super) fn after_title(&self, at: usize) -> bool {
        at > 0 && is_title(&self.tokens[at - 1]) && matches!(self.gap_before(at), " " | ". " | ".")
    }

    /// `my name is X`, `named X`, `call me X`, `called our baby X`, `goes by X`, `I'm X,`.
    pub(super) fn introduced(&self, at: usize) -> bool {
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
    pub(super) fn possessive_s(&self, at: usize) -> bool {
        let rest = &self.text[self.tokens[at].end..];
        rest.starts_with("'s") || rest.starts_with("’s")
    }

    pub(super) fn followed_by_and_i(&self, at: usize) -> bool {
        let next = |offset: usize| {
            self.tokens
                .get(at + offset)
                .map_or("", |token| token.lower.as_str())
        };
        next(1) == "and" && matches!(next(2), "i" | "i'm" | "i’m" | "my")
    }

    pub(super) fn followed_by_pause(&self, at: usize) -> bool {
        self.text[self.tokens[at].end..]
            .trim_start_matches([' '])
            .chars()
            .next()
            .is_none_or(|letter| matches!(letter, ',' | '.' | '!' | ';' | '\n'))
    }

    /// `my sister Zofia`, `my son, Tyler,`, `the pastor, Amos`.
    pub(super) fn after_relation(&self, at: usize) -> bool {
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

    pub(super) fn followed_by_closing(&self, at: usize) -> bool {
        let end = self.tokens[at + self.extend(at).max(1) - 1].end;
        self.text[end..].starts_with([',', ')', '.'])
    }

    /// `I told X`, `married X`: verbs whose object with a capital is a person.
    pub(super) fn after_verb(&self, at: usize) -> bool {
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
    pub(super) fn greeted(&self, at: usize) -> bool {
        at > 0
            && self.gap_before(at) == " "
            && matches!(self.word_before(at, 1), "hello" | "hi" | "hey" | "dear")
            && self.tokens[at - 1].first
            && self.followed_by_pause(at + self.extend(at).max(1) - 1)
    }

    /// `Best wishes, X` and `- X` at the end of the text, `~X` anywhere.
    pub(super) fn signed(&self, at: usize) -> bool {
        if self.gap_before(at).ends_with('~') {
            return true;
        }
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
    pub(super) fn listed(&self, at: usize) -> bool {
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
    pub(super) fn ambiguous_is_name(&self, at: usize) -> bool {
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
}
