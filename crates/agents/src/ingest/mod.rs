//! Stage 1, `data_ingestion`: a file of any common shape becomes chunks of records.
//!
//! Format, compression, encoding and delimiter are detected from the content ([`sniff`]) unless parameters
//! name them; columns are found by name ([`columns`]). A file that cannot be read as a whole fails the task
//! with an error that says what would be right. A single row that cannot be read goes to the `rejects`
//! artifact with its line number and all reasons.
//!
//! Parameters: `format` (`csv`, `json`, `jsonl`), `encoding` (a WHATWG label), `delimiter` (one character),
//! `mapping` (role → column), `chunk_records`.

pub mod columns;
pub mod delimited;
pub mod json_array;
pub mod rows;
pub mod sniff;

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::{
    ingest::{
        columns::Mapping,
        rows::{Row, RowReader, Rows},
    },
    io::{
        chunks::{CHUNK_RECORDS, ChunkWriter, PROGRESS_EVERY},
        outputs::{JSONL, Output},
        source::classify,
    },
    job::{Input, Job, Level, role},
    metrics::StageMetrics,
    parameters::Parameters,
    record::{RawRecord, Reason, Reject, Source, record_id},
    stage::{Stage, StageError, Summary},
    stages::DATA_INGESTION,
};

/// The largest record that is read, in bytes of UTF-8. The largest honest answer seen in the wild is a page
/// with pictures pasted into it (224 KB); 8 MB leaves room and still bounds memory.
pub const RECORD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How much of a refused row is kept for whoever repairs the file.
const EXCERPT_BYTES: usize = 2000;

/// Rows refused for invalid UTF-8 before the whole file is called wrongly encoded, and the share of all
/// rows they must make up: below that, single rows are damaged; above, the file is something else.
const INVALID_UTF8_ROWS_MIN: u64 = 20;
const INVALID_UTF8_SHARE: f64 = 0.2;

/// The stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct DataIngestion;

impl Stage for DataIngestion {
    fn task_type(&self) -> &'static str {
        DATA_INGESTION
    }

    fn run(&self, job: &dyn Job) -> Result<Summary, StageError> {
        let parameters = Parameters(job.parameters());
        let chunk_records = parameters.count("chunk_records", CHUNK_RECORDS, 1, 100_000)?;
        let options = sniff::Options::from_parameters(parameters)?;
        let mapping = Mapping::from_parameters(parameters)?;
        let files: Vec<_> = job
            .inputs()
            .iter()
            .filter(|input| input.stage == 0)
            .collect();
        if files.is_empty() {
            return Err(StageError::bad_input(
                "no_input",
                "the run has no input file; upload one and name it as the input of the run",
            ));
        }

        let mut ingestion = Ingestion {
            job,
            chunks: ChunkWriter::new(job, chunk_records),
            rejects: Output::create(job, "rejects.jsonl", role::REJECTS, JSONL)?,
            metrics: StageMetrics::new(DATA_INGESTION),
            files: Vec::new(),
        };
        for file in files {
            ingestion.read_file(file, &options, &mapping)?;
        }
        ingestion.finish()
    }
}

struct Ingestion<'a> {
    job: &'a dyn Job,
    chunks: ChunkWriter<'a>,
    rejects: Output,
    metrics: StageMetrics,
    files: Vec<Value>,
}

impl Ingestion<'_> {
    fn read_file(
        &mut self,
        file: &Input,
        options: &sniff::Options,
        mapping: &Mapping,
    ) -> Result<(), StageError> {
        let reader = self
            .job
            .open(file)
            .map_err(StageError::io(format!("opening `{}`", file.name)))?;
        let opened = sniff::open(reader, &file.name, options)?;
        let facts = opened.facts.clone();
        let bytes_read = opened.bytes_read.clone();
        let mut rows = RowReader::new(opened, &file.name, mapping)?;
        let (mut number, mut written, mut invalid_utf8) = (0u64, 0u64, 0u64);
        let mut first_problem = None;

        loop {
            if number % PROGRESS_EVERY == 0 {
                if self.job.is_cancelled() {
                    return Err(StageError::Cancelled);
                }
                let read = bytes_read.load(Ordering::Relaxed).max(1);
                // The number of rows is not known before the end; the bytes read so far tell it roughly.
                let total = (number > 0).then(|| {
                    (u128::from(number) * u128::from(file.size_bytes.max(read)) / u128::from(read))
                        as u64
                });
                self.job
                    .progress(number, total, &format!("reading {}", file.name));
            }
            let Some(row) = rows
                .next_row()
                .map_err(|error| error.classify(&file.name))?
            else {
                break;
            };
            number += 1;
            match into_record(row, number, &file.digest) {
                Ok(record) => {
                    written += 1;
                    for topic in &record.topics {
                        self.metrics.count("topics", topic, 1);
                    }
                    self.chunks.write(&record)?;
                }
                Err(reject) => {
                    invalid_utf8 += u64::from(
                        reject
                            .reasons
                            .iter()
                            .any(|reason| reason.code == "invalid_utf8"),
                    );
                    first_problem.get_or_insert_with(|| reject.reasons[0].detail.clone());
                    self.metrics.drop_record(&reject.reasons[0].code);
                    self.rejects.line(&reject)?;
                }
            }
        }
        self.metrics.records_in += number;
        self.metrics.records_out += written;
        if invalid_utf8 >= INVALID_UTF8_ROWS_MIN
            && invalid_utf8 as f64 > INVALID_UTF8_SHARE * number as f64
        {
            return Err(sniff::wrong_encoding(
                &file.name,
                &format!("{invalid_utf8} of {number} rows are not valid UTF-8"),
            ));
        }
        if written == 0 {
            let because = first_problem.map_or_else(
                || "it holds no rows".to_owned(),
                |problem| format!("all {number} rows were refused, the first because {problem}"),
            );
            return Err(StageError::bad_input(
                "no_records",
                format!(
                    "`{}` has no usable record: {because}; {}",
                    file.name,
                    rows.expectation()
                ),
            ));
        }
        self.job
            .progress(number, Some(number), &format!("read {}", file.name));
        let rejected = number - written;
        if rejected > 0 {
            let message = format!(
                "{rejected} of {number} rows of `{}` were refused",
                file.name
            );
            self.job.log(Level::Warn, &message);
        }
        self.files.push(json!({
            "name": file.name,
            "digest": file.digest,
            "size_bytes": file.size_bytes,
            "format": facts.format.as_str(),
            "encoding": facts.encoding,
            "compression": facts.compression,
            "delimiter": facts.delimiter.map(|byte| char::from(byte).to_string()),
            "columns": rows.columns(),
            "rows": number,
        }));
        Ok(())
    }

    fn finish(mut self) -> Result<Summary, StageError> {
        self.metrics
            .facts
            .insert("files".into(), Value::Array(self.files));
        let chunks = self.chunks.finish()?;
        self.rejects.finish(true)?;
        let mut summary = self.metrics.publish(self.job, "metrics.json")?;
        summary.insert("chunks".into(), chunks.into());
        Ok(summary)
    }
}

/// Checks a row; every reason against it is listed.
fn into_record(row: Row, number: u64, file_digest: &str) -> Result<RawRecord, Reject> {
    let mut reasons = row.problems;
    let fields = row.fields;
    if reasons.is_empty() {
        if fields.question.trim().is_empty() && fields.title.trim().is_empty() {
            reasons.push(Reason::new(
                "empty_question",
                "question and title are empty",
            ));
        }
        if fields.answer.trim().is_empty() {
            reasons.push(Reason::new("empty_answer", "the answer is empty"));
        }
    }
    if !reasons.is_empty() {
        return Err(Reject {
            id: None,
            row: number,
            line: row.line,
            reasons,
            excerpt: Some(row.excerpt),
        });
    }
    Ok(RawRecord {
        id: record_id(file_digest, number),
        source: Source {
            file: file_digest.to_owned(),
            row: number,
            line: row.line,
        },
        question_id: fields.question_id,
        title: fields.title,
        question: fields.question,
        answer: fields.answer,
        topics: fields.topics,
        people: fields.people,
        upvotes: fields.upvotes,
    })
}

/// The beginning of a row as text, for the rejects artifact.
fn excerpt(bytes: &[u8]) -> String {
    let end = bytes.len().min(EXCERPT_BYTES);
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// How reading rows fails: the file is damaged or wrongly built, or the machine could not read it.
pub enum ReadError {
    /// An I/O error from the readers below.
    Io(std::io::Error),
    /// The file's structure is broken.
    Bad(StageError),
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl ReadError {
    /// The stage's error, for the file of this name.
    fn classify(self, name: &str) -> StageError {
        match self {
            Self::Io(error) => classify(error, name),
            Self::Bad(error) => error,
        }
    }
}

#[cfg(test)]
mod tests;
