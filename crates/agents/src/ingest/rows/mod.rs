//! Rows of any format as one thing: fields by meaning, the line, and what is wrong.

mod delimited;
mod object;

use std::{collections::BTreeMap, io::BufRead};

use self::{
    delimited::{delimited_row, read_header},
    object::object_row,
};
use super::{
    RECORD_BYTES_MAX, ReadError,
    columns::{Columns, Mapping, Meaning, expectation},
    delimited::{DelimitedReader, DelimitedRow},
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
