//! Removal of personal identifiers.
//!
//! Every kind that HIPAA's Safe Harbor rule (45 CFR 164.514(b)(2)) lists and a text can show is looked for:
//! names, geographic parts below a state, dates, phone and fax numbers, e-mail addresses, social security,
//! medical record, account, certificate, vehicle and device numbers, URLs, IP addresses, ages over 89, and
//! account handles. What is found is replaced with a typed placeholder such as `[NAME]`, so that a sentence
//! keeps its sense, and counted by kind.
//!
//! Numbers follow fixed forms ([`patterns`]); names need context ([`names`], [`people`]). Rules miss some and
//! take some too many: `docs/pii.md` publishes how often, on sentences the rules were not tuned on.

pub mod lexicon;
pub mod names;
pub mod patterns;
pub mod people;
pub mod score;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::people::People;

/// A kind of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// A person's name.
    Name,
    /// An e-mail address.
    Email,
    /// A phone or fax number.
    Phone,
    /// A web address.
    Url,
    /// A postal address.
    Address,
    /// A place below a state.
    Location,
    /// A date more exact than a year.
    Date,
    /// A social security number.
    Ssn,
    /// An IP address.
    Ip,
    /// A medical record or patient number.
    Mrn,
    /// A bank, card, insurance or member number.
    Account,
    /// An age over 89.
    Age,
    /// A handle in a social network.
    Handle,
    /// A number of a licence or certificate.
    License,
    /// A vehicle's number or plate.
    Vehicle,
    /// A device's serial number.
    Device,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Name,
        Self::Email,
        Self::Phone,
        Self::Url,
        Self::Address,
        Self::Location,
        Self::Date,
        Self::Ssn,
        Self::Ip,
        Self::Mrn,
        Self::Account,
        Self::Age,
        Self::Handle,
        Self::License,
        Self::Vehicle,
        Self::Device,
    ];

    /// The word between the brackets of the placeholder.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "NAME",
            Self::Email => "EMAIL",
            Self::Phone => "PHONE",
            Self::Url => "URL",
            Self::Address => "ADDRESS",
            Self::Location => "LOCATION",
            Self::Date => "DATE",
            Self::Ssn => "SSN",
            Self::Ip => "IP",
            Self::Mrn => "MRN",
            Self::Account => "ACCOUNT",
            Self::Age => "AGE",
            Self::Handle => "HANDLE",
            Self::License => "LICENSE",
            Self::Vehicle => "VEHICLE",
            Self::Device => "DEVICE",
        }
    }

    /// Which kind wins where two overlap (less is stronger): exact forms before contexts.
    fn strength(self) -> u8 {
        match self {
            Self::Email => 0,
            Self::Url => 1,
            Self::Ssn | Self::Ip | Self::Mrn | Self::License | Self::Vehicle | Self::Device => 2,
            Self::Account => 3,
            Self::Phone => 4,
            Self::Address => 5,
            Self::Date | Self::Age | Self::Handle => 6,
            Self::Location => 7,
            Self::Name => 8,
        }
    }
}

/// An identifier found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
}

/// A text without its identifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The text with placeholders.
    pub text: String,
    /// How many were replaced, by kind.
    pub counts: BTreeMap<Kind, u64>,
}

/// Finds identifiers; spans are in order and do not overlap. `people` are names known from elsewhere.
pub fn find(text: &str, people: &People) -> Vec<Span> {
    let mut taken = Taken::default();
    for (start, end) in patterns::placeholders(text)
        .into_iter()
        .chain(patterns::public_lines(text))
    {
        taken.take(start, end);
    }
    let mut spans = patterns::find(text);
    names::find(text, people, &mut spans);
    spans.sort_by_key(|span| {
        (
            span.kind.strength(),
            span.start,
            std::cmp::Reverse(span.end),
        )
    });
    spans.retain(|span| taken.take(span.start, span.end));
    spans.sort_by_key(|span| span.start);
    spans
}

/// Ranges that do not overlap, by their beginning.
#[derive(Default)]
struct Taken(BTreeMap<usize, usize>);

impl Taken {
    /// Takes a range, unless a part of it is taken already.
    fn take(&mut self, start: usize, end: usize) -> bool {
        let free = self
            .0
            .range(..end)
            .next_back()
            .is_none_or(|(_, last)| *last <= start);
        if free {
            self.0.insert(start, end);
        }
        free
    }
}

/// Rounds of removal. A removed name can make its neighbour recognisable (`Dear [NAME], … yours, Kim`), so the
/// text is looked at again until nothing is found; more than two rounds have not been seen to matter.
const ROUNDS_MAX: usize = 4;

/// Replaces every identifier with its placeholder.
pub fn redact(text: &str, people: &People) -> Redacted {
    let mut redacted = Redacted {
        text: text.to_owned(),
        counts: BTreeMap::new(),
    };
    for _ in 0..ROUNDS_MAX {
        let spans = find(&redacted.text, people);
        if spans.is_empty() {
            break;
        }
        replace(&mut redacted, &spans);
    }
    redacted
}

fn replace(redacted: &mut Redacted, spans: &[Span]) {
    let mut out = String::with_capacity(redacted.text.len());
    let mut done = 0;
    for span in spans {
        out.push_str(&redacted.text[done..span.start]);
        out.push('[');
        out.push_str(span.kind.as_str());
        out.push(']');
        done = span.end;
        *redacted.counts.entry(span.kind).or_default() += 1;
    }
    out.push_str(&redacted.text[done..]);
    redacted.text = out;
}

#[cfg(test)]
mod tests;
