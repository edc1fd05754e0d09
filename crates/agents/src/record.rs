//! The records that travel between the stages, one per line of a chunk.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Where a record came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Digest of the uploaded file, `sha256:<hex>`.
    pub file: String,
    /// The record's number in the file, from 1; a header is not counted.
    pub row: u64,
    /// The line on which the record begins, from 1.
    pub line: u64,
}

/// A record as ingestion read it: nothing cleaned, people still named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawRecord {
    /// Id of the record, derived from file and row.
    pub id: String,
    /// Provenance.
    pub source: Source,
    /// The id the source gives to the question, if any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub question_id: String,
    /// Title of the question, may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The question, may be empty when there is a title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub question: String,
    /// The answer.
    pub answer: String,
    /// Topics, in the order of the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
    /// People the row names outside the text: authors, therapists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// Votes or score, where the source has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upvotes: Option<i64>,
}

/// A record after preprocessing: plain text without personal identifiers, later annotated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanRecord {
    /// Id of the record.
    pub id: String,
    /// Provenance.
    pub source: Source,
    /// All records with the same question share a group, so that a split never parts them.
    pub group: String,
    /// Title of the question, may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The question, may be empty when there is a title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub question: String,
    /// The answer.
    pub answer: String,
    /// Topics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
    /// Votes or score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upvotes: Option<i64>,
    /// Personal identifiers replaced in this record, by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pii: BTreeMap<String, u64>,
    /// What bias detection saw; absent before that stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<BiasNotes>,
}

/// What bias detection notes about one record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BiasNotes {
    /// Demographic groups the question mentions, such as `gender/female`.
    pub groups: Vec<String>,
    /// Sentiment of the answer in thousandths, -1000 to 1000.
    pub sentiment_milli: i64,
    /// Kinds of advice the answer gives, such as `therapy_referral`.
    pub advice: Vec<String>,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// The text.
    pub content: String,
}

/// A record of the dataset, as `schemas/chat-record.schema.json` defines it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatRecord {
    /// Id of the record.
    pub id: String,
    /// The turns.
    pub messages: Vec<Message>,
    /// Everything about the turns.
    pub metadata: Metadata,
}

/// Everything a dataset record says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// All records with the same question share a group.
    pub group: String,
    /// Topics.
    pub topics: Vec<String>,
    /// Provenance.
    pub source: Source,
    /// Approximate token counts, see `standardize::tokens`.
    pub tokens: Tokens,
    /// Personal identifiers replaced, by kind.
    pub pii: BTreeMap<String, u64>,
    /// What bias detection noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<BiasNotes>,
    /// Votes or score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upvotes: Option<i64>,
    /// What a person should look at, such as `crisis`.
    #[serde(default)]
    pub flags: Vec<String>,
}

/// Approximate token counts of a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// In system turns.
    pub system: u64,
    /// In user turns.
    pub user: u64,
    /// In assistant turns.
    pub assistant: u64,
    /// In all turns.
    pub total: u64,
}

/// A line of a `rejects` or `drops` artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Id of the record, where it got so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The record's number in the file, from 1.
    pub row: u64,
    /// The line on which it begins.
    pub line: u64,
    /// All reasons, at least one.
    pub reasons: Vec<Reason>,
    /// The beginning of the row as it was read; only ingestion gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

/// One reason against a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable code, such as `empty_answer`.
    pub code: String,
    /// What is wrong, for people.
    pub detail: String,
}

impl Reason {
    /// A reason from its code and a sentence.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            detail: detail.into(),
        }
    }
}

/// The id of row `row` of the file with this digest: the same row of the same file has the same id in every run.
pub fn record_id(file_digest: &str, row: u64) -> String {
    format!("rec_{}", short_hash(&[file_digest, &row.to_string()]))
}

/// 20 hex digits (80 bits: no collision to expect below a thousand million items) of SHA-256 over the parts.
pub fn short_hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize()[..10])
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
    }
    text
}
