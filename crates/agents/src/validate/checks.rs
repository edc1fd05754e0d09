//! What is checked of a record.

use std::sync::LazyLock;

use jsonschema::Validator;
use regex::Regex;
use serde_json::Value;

use crate::{
    parameters::{Parameters, bad},
    pii::{self, people::People},
    record::{ChatRecord, Reason},
    stage::StageError,
    text::word_count,
};

/// Fewer words than this are no question one could answer.
pub const QUESTION_WORDS_MIN: u64 = 3;
/// Fewer words than this are no answer one could learn from.
pub const ANSWER_WORDS_MIN: u64 = 5;
/// More (approximate) tokens than this do not fit the common training window of 8,192.
pub const TOKENS_MAX: u64 = 8192;

/// Shorter texts are too little to tell the language by.
const LANGUAGE_CHARS_MIN: usize = 60;
/// The language is told by this much at each end of a text; more takes longer and says no more.
const LANGUAGE_BYTES: usize = 600;
/// Schema errors listed of one record; one broken record could have thousands.
const SCHEMA_ERRORS_MAX: usize = 20;

/// The schema of a record.
pub const SCHEMA: &str = include_str!("../../schemas/chat-record.schema.json");

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value =
        serde_json::from_str(SCHEMA).expect("the schema is part of the program and tested");
    jsonschema::validator_for(&schema).expect("the schema is part of the program and tested")
});

/// The checks with their bounds.
#[derive(Debug, Clone)]
pub struct Checks {
    languages: Vec<String>,
    question_words_min: u64,
    answer_words_min: u64,
    tokens_max: u64,
}

impl Checks {
    /// Reads `languages`, `question_words_min`, `answer_words_min`, `tokens_max`.
    pub fn from_parameters(parameters: Parameters<'_>) -> Result<Self, StageError> {
        let languages = parameters
            .texts("languages")?
            .unwrap_or_else(|| vec!["eng".to_owned()]);
        for code in &languages {
            if whatlang::Lang::from_code(code).is_none() {
                return Err(bad(
                    "languages",
                    format!("`{code}` is no known ISO 639-3 code, such as `eng` or `spa`"),
                ));
            }
        }
        Ok(Self {
            languages,
            question_words_min: parameters.count(
                "question_words_min",
                QUESTION_WORDS_MIN,
                0,
                10_000,
            )?,
            answer_words_min: parameters.count("answer_words_min", ANSWER_WORDS_MIN, 0, 10_000)?,
            tokens_max: parameters.count("tokens_max", TOKENS_MAX, 1, 10_000_000)?,
        })
    }

    /// What the JSON Schema has against a document.
    pub fn schema(&self, document: &Value) -> Vec<Reason> {
        VALIDATOR
            .iter_errors(document)
            .take(SCHEMA_ERRORS_MAX)
            // The message may quote the text, which is not for this file: where it is suffices.
            .map(|error| {
                let place = error.instance_path().to_string();
                let rule = error.schema_path().to_string();
                Reason::new("schema", format!("`{place}` breaks the rule `{rule}`"))
            })
            .collect()
    }

    /// The language of a record and what its content has against it.
    pub fn content(&self, record: &ChatRecord) -> (String, Vec<Reason>) {
        let mut reasons = Vec::new();
        for message in &record.messages {
            if bare(&message.content).is_empty() {
                let detail = format!("the {} turn holds nothing but placeholders", message.role);
                reasons.push(Reason::new("empty_turn", detail));
                continue;
            }
            let words = word_count(&message.content);
            let (min, code) = match message.role.as_str() {
                "user" => (self.question_words_min, "question_too_short"),
                "assistant" => (self.answer_words_min, "answer_too_short"),
                _ => continue,
            };
            if words < min {
                reasons.push(Reason::new(
                    code,
                    format!("{words} words, at least {min} are expected"),
                ));
            }
            reasons.extend(leftover(&message.role, &message.content));
        }
        let tokens = record.metadata.tokens.total;
        if tokens > self.tokens_max {
            let detail = format!(
                "about {tokens} tokens, at most {} are expected",
                self.tokens_max
            );
            reasons.push(Reason::new("too_long", detail));
        }
        let (language, reason) = self.language(record);
        reasons.extend(reason);
        (language, reasons)
    }

    /// The language of the turns, each judged on its own: a foreign answer under an English question counts.
    fn language(&self, record: &ChatRecord) -> (String, Option<Reason>) {
        let mut first = None;
        for message in record
            .messages
            .iter()
            .filter(|message| message.role != "system")
        {
            for code in languages_of(&bare(&message.content)) {
                if !self.languages.iter().any(|known| known == code) {
                    return (
                        code.to_owned(),
                        Some(self.wrong_language(&message.role, code)),
                    );
                }
                first.get_or_insert(code);
            }
        }
        (first.unwrap_or("undetermined").to_owned(), None)
    }

    fn wrong_language(&self, role: &str, code: &str) -> Reason {
        let expected: Vec<String> = self
            .languages
            .iter()
            .map(|known| format!("`{known}`"))
            .collect();
        let detail = format!(
            "the {role} turn is in `{code}`, wholly or in part; expected {}",
            expected.join(" or ")
        );
        Reason::new("language", detail)
    }
}

/// The languages at the beginning and at the end of a text, where they are sure. Some answers are given twice,
/// first in one language and then in another; a look at the whole would call them one or the other.
fn languages_of(text: &str) -> Vec<&'static str> {
    let start = &text[..text.floor_char_boundary(LANGUAGE_BYTES)];
    let end = &text[text.ceil_char_boundary(text.len().saturating_sub(LANGUAGE_BYTES))..];
    let parts = if text.len() > LANGUAGE_BYTES / 2 {
        vec![start, end]
    } else {
        vec![text]
    };
    parts
        .into_iter()
        .filter(|part| part.chars().count() >= LANGUAGE_CHARS_MIN)
        .filter_map(|part| whatlang::detect(part).filter(whatlang::Info::is_reliable))
        .map(|info| info.lang().code())
        .collect()
}

/// The text without placeholders.
fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in pii::patterns::placeholders(text) {
        out.push_str(&text[done..start]);
        done = end;
    }
    out.push_str(&text[done..]);
    out.trim_matches(|letter: char| !letter.is_alphanumeric())
        .to_owned()
}

/// Identifiers that are still there. The detail names kinds, never the text.
fn leftover(role: &str, text: &str) -> Option<Reason> {
    /// Independent of the removal's own rules: whatever looks like a mailbox or a long number.
    static RAW: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}|\d{9,}")
            .expect("the pattern is fixed and tested")
    });
    let mut kinds: Vec<&str> = pii::find(text, &People::none())
        .iter()
        .map(|span| span.kind.as_str())
        .collect();
    if kinds.is_empty() && RAW.is_match(text) {
        kinds.push("a mail address or a long number");
    }
    kinds.sort_unstable();
    kinds.dedup();
    (!kinds.is_empty()).then(|| {
        Reason::new(
            "leftover_identifier",
            format!("the {role} turn still holds {}", kinds.join(", ")),
        )
    })
}
