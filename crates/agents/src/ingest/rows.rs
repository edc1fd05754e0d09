//! Rows of any format as one thing: fields by meaning, the line, and what is wrong.

use std::{collections::BTreeMap, io::BufRead};

use serde_json::{Map, Value};

use super::{
    RECORD_BYTES_MAX, ReadError,
    columns::{Columns, Mapping, Meaning, expectation},
    delimited::{DelimitedReader, DelimitedRow, Ended},
    excerpt,
    json_array::{Element, JsonArrayReader},
    sniff::{Format, Opened},
};
use crate::{
    io::lines::{Line, LineReader},
    record::Reason,
    stage::StageError,
};

/// Topics kept of one row, and letters kept of one topic: they are labels, not text.
const TOPICS_MAX: usize = 50;
const TOPIC_CHARS_MAX: usize = 100;

/// Different member names of JSON objects remembered for messages and the report.
const KEYS_MAX: usize = 200;

/// The fields of a row by meaning; absent ones are empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// The question.
    pub question: String,
    /// Its title.
    pub title: String,
    /// The answer.
    pub answer: String,
    /// Topics.
    pub topics: Vec<String>,
    /// People named outside the text.
    pub people: Vec<String>,
    /// The source's id of the question.
    pub question_id: String,
    /// Votes.
    pub upvotes: Option<i64>,
}

/// One row.
#[derive(Debug)]
pub struct Row {
    /// The line on which it begins.
    pub line: u64,
    /// Its fields; incomplete when there are problems.
    pub fields: Fields,
    /// What is wrong with it.
    pub problems: Vec<Reason>,
    /// Its beginning, where there are problems or could be.
    pub excerpt: String,
}

/// Reads rows one at a time.
pub trait Rows {
    /// The next row.
    fn next_row(&mut self) -> Result<Option<Row>, ReadError>;
}

type Reader = Box<dyn BufRead + Send>;

/// The rows of an opened file.
pub struct RowReader {
    shape: Shape,
    mapping: Mapping,
    /// Whether text was decoded from another encoding: then U+FFFD stands for what could not be.
    decoded: bool,
    keys: BTreeMap<String, Option<Meaning>>,
}

enum Shape {
    Delimited {
        reader: DelimitedReader<Reader>,
        row: DelimitedRow,
        header: Vec<String>,
        columns: Columns,
    },
    Array(JsonArrayReader<Reader>),
    Lines(LineReader<Reader>),
}

impl RowReader {
    /// Reads the header, if the format has one.
    pub fn new(opened: Opened, name: &str, mapping: &Mapping) -> Result<Self, StageError> {
        let decoded = opened.facts.encoding != encoding_rs::UTF_8.name();
        let shape = match opened.facts.format {
            Format::Csv => {
                let delimiter = opened.facts.delimiter.unwrap_or(b',');
                let mut reader = DelimitedReader::new(opened.reader, delimiter, RECORD_BYTES_MAX);
                let mut row = DelimitedRow::default();
                let header = read_header(&mut reader, &mut row, name)?;
                let columns = mapping.resolve(&header, name)?;
                Shape::Delimited {
                    reader,
                    row,
                    header,
                    columns,
                }
            }
            Format::Json => Shape::Array(JsonArrayReader::new(opened.reader, RECORD_BYTES_MAX)),
            Format::Jsonl => Shape::Lines(LineReader::new(opened.reader, RECORD_BYTES_MAX)),
        };
        Ok(Self {
            shape,
            mapping: mapping.clone(),
            decoded,
            keys: BTreeMap::new(),
        })
    }

    /// Which column was taken for what, for the report: meaning → columns.
    pub fn columns(&self) -> BTreeMap<String, Vec<String>> {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut note = |meaning: Meaning, column: &str| {
            found
                .entry(format!("{meaning:?}").to_lowercase())
                .or_default()
                .push(column.to_owned());
        };
        match &self.shape {
            Shape::Delimited {
                header, columns, ..
            } => {
                for (meaning, index) in columns.all() {
                    note(meaning, &header[index]);
                }
            }
            Shape::Array(_) | Shape::Lines(_) => {
                for (key, meaning) in &self.keys {
                    if let Some(meaning) = meaning {
                        note(*meaning, key);
                    }
                }
            }
        }
        found
    }

    /// What would be right, for an error about a file without usable rows.
    pub fn expectation(&self) -> String {
        match &self.shape {
            Shape::Delimited { .. } => "expected rows with a question and an answer".to_owned(),
            Shape::Array(_) | Shape::Lines(_) => {
                let keys: Vec<String> = self.keys.keys().take(30).cloned().collect();
                format!(
                    "found the members {}; {}",
                    super::json_array::quoted(&keys),
                    expectation()
                )
            }
        }
    }
}

fn read_header(
    reader: &mut DelimitedReader<Reader>,
    row: &mut DelimitedRow,
    name: &str,
) -> Result<Vec<String>, StageError> {
    let ended = reader
        .read(row)
        .map_err(|error| crate::io::source::classify(error, name))?;
    match ended {
        Some(Ended::Whole) => {}
        None => {
            return Err(StageError::bad_input(
                "empty_file",
                format!("`{name}` holds only empty lines"),
            ));
        }
        Some(Ended::TooLarge | Ended::UnclosedQuote) => {
            return Err(StageError::bad_input(
                "bad_header",
                format!(
                    "the first row of `{name}` does not end; expected a header of column names, is a quote unclosed?"
                ),
            ));
        }
    }
    row.fields()
        .map(|field| {
            std::str::from_utf8(field)
                .map(|text| text.trim().to_owned())
                .map_err(|_| super::sniff::wrong_encoding(name, "a column name holds other bytes"))
        })
        .collect()
}

impl Rows for RowReader {
    fn next_row(&mut self) -> Result<Option<Row>, ReadError> {
        let row = match &mut self.shape {
            Shape::Delimited {
                reader,
                row,
                header,
                columns,
            } => {
                let Some(ended) = reader.read(row)? else {
                    return Ok(None);
                };
                delimited_row(row, ended, header, columns)
            }
            Shape::Array(reader) => {
                let (whole, bytes) = match reader.next_element()? {
                    None => return Ok(None),
                    Some(Element::Whole(bytes)) => (true, bytes.to_vec()),
                    Some(Element::TooLarge(bytes)) => (false, bytes.to_vec()),
                };
                object_row(
                    &bytes,
                    whole,
                    reader.element_line(),
                    &self.mapping,
                    &mut self.keys,
                )
            }
            Shape::Lines(reader) => loop {
                let (whole, bytes) = match reader.next_line()? {
                    None => return Ok(None),
                    Some(Line::Whole(bytes)) if bytes.trim_ascii().is_empty() => continue,
                    Some(Line::Whole(bytes)) => (true, bytes.to_vec()),
                    Some(Line::TooLong(bytes)) => (false, bytes.to_vec()),
                };
                break object_row(
                    &bytes,
                    whole,
                    reader.number(),
                    &self.mapping,
                    &mut self.keys,
                );
            },
        };
        Ok(Some(self.check_decoded(row)))
    }
}

impl RowReader {
    fn check_decoded(&self, mut row: Row) -> Row {
        let fields = &row.fields;
        let broken = [&fields.title, &fields.question, &fields.answer];
        if self.decoded && broken.iter().any(|text| text.contains('\u{fffd}')) {
            let detail = "the row holds bytes that the encoding of the file does not know";
            row.problems.push(Reason::new("invalid_encoding", detail));
        }
        row
    }
}

fn too_large(line: u64, kept: &[u8], hint: &str) -> Row {
    let detail = format!("the record is larger than {RECORD_BYTES_MAX} bytes{hint}");
    problem_row(line, kept, Reason::new("record_too_large", detail))
}

fn problem_row(line: u64, bytes: &[u8], reason: Reason) -> Row {
    Row {
        line,
        fields: Fields::default(),
        problems: vec![reason],
        excerpt: excerpt(bytes),
    }
}

fn delimited_row(row: &DelimitedRow, ended: Ended, header: &[String], columns: &Columns) -> Row {
    match ended {
        Ended::TooLarge => {
            return too_large(
                row.line,
                row.bytes(),
                "; is a quote unclosed on its first line?",
            );
        }
        Ended::UnclosedQuote => {
            let detail = "the file ends inside quotes that were opened in this row";
            return problem_row(row.line, row.bytes(), Reason::new("unclosed_quote", detail));
        }
        Ended::Whole if row.len() != header.len() => {
            let detail = format!(
                "the row has {} columns, the header has {}",
                row.len(),
                header.len()
            );
            return problem_row(row.line, row.bytes(), Reason::new("column_count", detail));
        }
        Ended::Whole => {}
    }
    let raw: Vec<&[u8]> = row.fields().collect();
    let mut problems = Vec::new();
    let mut text = |index: Option<usize>| -> String {
        let Some(index) = index else {
            return String::new();
        };
        match std::str::from_utf8(raw[index]) {
            Ok(text) => text.to_owned(),
            Err(error) => {
                let detail = format!(
                    "column `{}` is not valid UTF-8 at its byte {}",
                    header[index],
                    error.valid_up_to()
                );
                problems.push(Reason::new("invalid_utf8", detail));
                String::new()
            }
        }
    };
    let fields = Fields {
        question: text(columns.question),
        title: text(columns.title),
        answer: text(columns.answer),
        topics: split_topics(&text(columns.topics)),
        question_id: text(columns.question_id).trim().to_owned(),
        upvotes: text(columns.upvotes).trim().parse().ok(),
        people: columns
            .people
            .iter()
            .map(|index| text(Some(*index)).trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect(),
    };
    Row {
        line: row.line,
        fields,
        problems,
        excerpt: excerpt(row.bytes()),
    }
}

fn object_row(
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

fn split_topics(text: &str) -> Vec<String> {
    tidy_topics(text.split([',', ';', '|']))
}

fn tidy_topics<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut topics: Vec<String> = Vec::new();
    for name in names {
        let name: String = name.trim().chars().take(TOPIC_CHARS_MAX).collect();
        if !name.is_empty() && !topics.contains(&name) && topics.len() < TOPICS_MAX {
            topics.push(name);
        }
    }
    topics
}
