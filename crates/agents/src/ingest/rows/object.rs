//! Rows that are JSON objects.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Fields, Row, problem_row, split_topics, tidy_topics, too_large};
use crate::{
    ingest::{
        columns::{Mapping, Meaning},
        excerpt,
    },
    record::Reason,
};

/// Different member names of JSON objects remembered for messages and the report.
const KEYS_MAX: usize = 200;

/// A row by the meaning of its members; their names are noted in `keys`.
pub(super) fn object_row(
    bytes: &[u8],
    whole: bool,
    line: u64,
    mapping: &Mapping,
    keys: &mut BTreeMap<String, Option<Meaning>>,
) -> Row {
    if !whole {
        return too_large(line, bytes, "");
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        let detail = format!(
            "the record is not valid UTF-8 at its byte {}",
            error.valid_up_to()
        );
        return problem_row(line, bytes, Reason::new("invalid_utf8", detail));
    }
    let object: Map<String, Value> = match serde_json::from_slice(bytes) {
        Ok(object) => object,
        Err(error) => {
            let detail = format!("the record is no JSON object: {error}");
            return problem_row(line, bytes, Reason::new("bad_json", detail));
        }
    };
    let mut row = Row {
        line,
        fields: Fields::default(),
        problems: Vec::new(),
        excerpt: excerpt(bytes),
    };
    let mut ranks: BTreeMap<Meaning, usize> = BTreeMap::new();
    for (key, value) in object {
        let found = mapping.meaning_of(&key);
        if keys.len() < KEYS_MAX && !keys.contains_key(&key) {
            keys.insert(key.clone(), found.map(|(meaning, _)| meaning));
        }
        let Some((meaning, rank)) = found else {
            continue;
        };
        let surer = ranks.get(&meaning).is_none_or(|known| rank < *known);
        if meaning != Meaning::Person && !surer {
            continue;
        }
        ranks.insert(meaning, rank);
        set_field(&mut row, meaning, &key, value);
    }
    row
}

fn set_field(row: &mut Row, meaning: Meaning, key: &str, value: Value) {
    let fields = &mut row.fields;
    if let (Meaning::Topics, Value::Array(items)) = (meaning, &value) {
        fields.topics = tidy_topics(items.iter().filter_map(Value::as_str));
        return;
    }
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Array(_) | Value::Object(_) => {
            let detail = format!("member `{key}` is a list or an object; expected a text");
            row.problems.push(Reason::new("unexpected_type", detail));
            return;
        }
    };
    match meaning {
        Meaning::Question => fields.question = text,
        Meaning::Title => fields.title = text,
        Meaning::Answer => fields.answer = text,
        Meaning::Topics => fields.topics = split_topics(&text),
        Meaning::QuestionId => fields.question_id = text.trim().to_owned(),
        Meaning::Upvotes => fields.upvotes = text.trim().parse().ok(),
        Meaning::Person => {
            let name = text.trim();
            if !name.is_empty() {
                fields.people.push(name.to_owned());
            }
        }
    }
}
