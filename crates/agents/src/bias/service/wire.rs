//! The shapes of `POST /analyze`, and the check of what comes back.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::record::{BiasNotes, CleanRecord};

/// The version of the shapes, in every request.
pub const VERSION: u32 = 1;

/// Groups, or kinds of advice, in the notes about one record: more than a text can mean.
pub const WORDS_PER_RECORD_MAX: usize = 50;

/// Characters of a kind of advice, of a dimension, and of a group: what a column of the report has room for.
pub const WORD_CHARS_MAX: usize = 50;

/// Characters of the analyzer's name.
pub const NAME_CHARS_MAX: usize = 100;

#[derive(Serialize)]
struct Request<'a> {
    version: u32,
    records: Vec<Asked<'a>>,
}

/// What the service sees of a record: the text without personal identifiers, and its id to answer with. Not where it
/// came from.
#[derive(Serialize)]
struct Asked<'a> {
    id: &'a str,
    title: &'a str,
    question: &'a str,
    answer: &'a str,
    topics: &'a [String],
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    analyzer: Option<String>,
    results: Vec<Noted>,
}

#[derive(Deserialize)]
struct Noted {
    id: String,
    groups: Vec<String>,
    sentiment: f64,
    advice: Vec<String>,
}

/// An answer that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The name that the service gives itself.
    pub analyzer: Option<String>,
    /// Notes, in the order of the records.
    pub notes: Vec<BiasNotes>,
}

/// What is wrong with an answer. Says where, and never repeats more of it than a word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// It is not JSON of the shape.
    #[error("{0}")]
    Shape(String),
    /// A record has no result, or several.
    #[error("expected one result for each of {expected} records, found {found}")]
    Number {
        /// Records asked about.
        expected: usize,
        /// Results.
        found: usize,
    },
    /// A result is about a record that was not asked about, or that has one already.
    #[error("`results[{at}].id` is not one of the ids asked about, or is there twice")]
    Id {
        /// Which result, from 0.
        at: usize,
    },
    /// A value is out of range.
    #[error("`results[{at}].{field}` is wrong: {wanted}")]
    Value {
        /// Which result, from 0.
        at: usize,
        /// Which field.
        field: &'static str,
        /// What would be right.
        wanted: &'static str,
    },
    /// The name of the analyzer is not one.
    #[error("`analyzer` is wrong: expected 1 to {NAME_CHARS_MAX} printable characters")]
    Name,
}

/// The body that asks about records.
pub fn request(records: &[CleanRecord]) -> serde_json::Result<Vec<u8>> {
    let records = records
        .iter()
        .map(|record| Asked {
            id: &record.id,
            title: &record.title,
            question: &record.question,
            answer: &record.answer,
            topics: &record.topics,
        })
        .collect();
    serde_json::to_vec(&Request {
        version: VERSION,
        records,
    })
}

/// Reads an answer about `records`; all of it is right, or none of it is taken.
pub fn read(body: &[u8], records: &[CleanRecord]) -> Result<Answer, BadAnswer> {
    let response: Response =
        serde_json::from_slice(body).map_err(|error| BadAnswer::Shape(shape(&error)))?;
    if response.results.len() != records.len() {
        return Err(BadAnswer::Number {
            expected: records.len(),
            found: response.results.len(),
        });
    }
    let mut open: HashMap<&str, usize> = records
        .iter()
        .enumerate()
        .map(|(place, record)| (record.id.as_str(), place))
        .collect();
    let mut notes = vec![BiasNotes::default(); records.len()];
    for (at, noted) in response.results.into_iter().enumerate() {
        let place = open.remove(noted.id.as_str()).ok_or(BadAnswer::Id { at })?;
        notes[place] = check(at, noted)?;
    }
    Ok(Answer {
        analyzer: response.analyzer.map(name).transpose()?,
        notes,
    })
}

/// Where the JSON is not of the shape. Serde's own message may quote a value, which may be somebody's words.
fn shape(error: &serde_json::Error) -> String {
    let what = if error.is_data() {
        "not of the shape `{\"results\": [{\"id\", \"groups\", \"sentiment\", \"advice\"}]}`"
    } else {
        "not JSON"
    };
    format!("{what}, line {} column {}", error.line(), error.column())
}

fn name(text: String) -> Result<String, BadAnswer> {
    let long = text.chars().count() > NAME_CHARS_MAX;
    if text.trim().is_empty() || long || text.chars().any(char::is_control) {
        return Err(BadAnswer::Name);
    }
    Ok(text)
}

fn check(at: usize, noted: Noted) -> Result<BiasNotes, BadAnswer> {
    let wrong = |field, wanted| BadAnswer::Value { at, field, wanted };
    if !(-1.0..=1.0).contains(&noted.sentiment) {
        return Err(wrong("sentiment", "expected a number from -1 to 1"));
    }
    let groups = words(noted.groups, |word| {
        word.split_once('/')
            .is_some_and(|(dimension, group)| is_word(dimension) && is_word(group))
    })
    .ok_or_else(|| {
        wrong(
            "groups",
            "expected up to 50 texts like `gender/female`, of a-z, 0-9 and _",
        )
    })?;
    let advice = words(noted.advice, is_word).ok_or_else(|| {
        wrong(
            "advice",
            "expected up to 50 texts like `self_help`, of a-z, 0-9 and _",
        )
    })?;
    Ok(BiasNotes {
        groups,
        // Within ±1000: checked above.
        sentiment_milli: (noted.sentiment * 1000.0).round() as i64,
        advice,
    })
}

/// Each word once, sorted: a record counts once for a group however often it is named.
fn words(found: Vec<String>, good: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let right = found.len() <= WORDS_PER_RECORD_MAX && found.iter().all(|word| good(word));
    right.then(|| {
        let each_once: BTreeSet<String> = found.into_iter().collect();
        each_once.into_iter().collect()
    })
}

fn is_word(text: &str) -> bool {
    (1..=WORD_CHARS_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}
