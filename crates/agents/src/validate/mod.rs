//! Stage 5, `validation`: only records that keep every promise go on; the others leave with all reasons.
//!
//! Checked are the JSON Schema, empty turns, lengths, the language, and personal identifiers left behind.
//! Crisis content is no fault: such records stay, carry a flag, and are listed in the `review` artifact for
//! a person to read.
//!
//! Parameters: `languages` (ISO 639-3), `question_words_min`, `answer_words_min`, `tokens_max`.

pub mod checks;
pub mod crisis;

use serde_json::{Value, json};

use self::checks::Checks;
use crate::{
    io::{
        chunks::{beside, chunks_of, map_chunks},
        outputs::{JSONL, Output},
    },
    job::{Job, role},
    metrics::StageMetrics,
    parameters::Parameters,
    record::{ChatRecord, Reason, Reject},
    stage::{Stage, StageError, Summary},
    stages::VALIDATION,
    text::word_count,
};

/// The stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct Validation;

impl Stage for Validation {
    fn task_type(&self) -> &'static str {
        VALIDATION
    }

    fn run(&self, job: &dyn Job) -> Result<Summary, StageError> {
        let checks = Checks::from_parameters(Parameters(job.parameters()))?;
        let inputs = chunks_of(job)?;
        let mut rejects = Output::create(
            job,
            &beside("rejects", &inputs, "jsonl"),
            role::REJECTS,
            JSONL,
        )?;
        let mut review = Output::create(
            job,
            &beside("review", &inputs, "jsonl"),
            role::REVIEW,
            JSONL,
        )?;
        let mut metrics = StageMetrics::new(VALIDATION);
        let chunks = map_chunks(job, "checking", |document: Value| {
            metrics.records_in += 1;
            match check(&checks, &document, &mut metrics) {
                Err(reject) => {
                    metrics.drop_record(&reject.reasons[0].code);
                    for reason in &reject.reasons {
                        metrics.count("reasons", &reason.code, 1);
                    }
                    rejects.line(&reject)?;
                    Ok(None)
                }
                Ok(record) => {
                    metrics.records_out += 1;
                    if !record.metadata.flags.is_empty() {
                        review.line(&json!({
                            "id": record.id,
                            "row": record.metadata.source.row,
                            "line": record.metadata.source.line,
                            "flags": record.metadata.flags,
                        }))?;
                    }
                    count_kept(&mut metrics, &record);
                    Ok(Some(record))
                }
            }
        })?;
        rejects.finish(true)?;
        review.finish(true)?;
        metrics.publish(job, &beside("metrics", &chunks, "json"))
    }
}

/// All reasons against a record, or the record with its flags.
fn check(
    checks: &Checks,
    document: &Value,
    metrics: &mut StageMetrics,
) -> Result<ChatRecord, Reject> {
    let mut reasons = checks.schema(document);
    let record: Option<ChatRecord> = match serde_json::from_value(document.clone()) {
        Ok(record) => Some(record),
        Err(error) if reasons.is_empty() => {
            reasons.push(Reason::new("schema", error.to_string()));
            None
        }
        Err(_) => None,
    };
    if let Some(record) = &record {
        let (language, found) = checks.content(record);
        metrics.count("languages", &language, 1);
        reasons.extend(found);
    }
    match record {
        Some(mut record) if reasons.is_empty() => {
            record.metadata.flags = crisis::flags_of(&record);
            Ok(record)
        }
        _ => Err(reject(document, reasons)),
    }
}

fn reject(document: &Value, reasons: Vec<Reason>) -> Reject {
    let number = |name: &str| {
        let pointer = format!("/metadata/source/{name}");
        document
            .pointer(&pointer)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    };
    Reject {
        id: document
            .get("id")
            .and_then(Value::as_str)
            .map(str::to_owned),
        row: number("row"),
        line: number("line"),
        reasons,
        excerpt: None,
    }
}

fn count_kept(metrics: &mut StageMetrics, record: &ChatRecord) {
    for flag in &record.metadata.flags {
        metrics.count("flags", flag, 1);
    }
    if !record.metadata.flags.is_empty() {
        metrics.count("review", "records", 1);
    }
    for topic in &record.metadata.topics {
        metrics.count("topics", topic, 1);
    }
    for (kind, count) in &record.metadata.pii {
        metrics.count("pii", kind, *count);
    }
    for message in &record.messages {
        match message.role.as_str() {
            "user" => metrics.length("question_words", word_count(&message.content)),
            "assistant" => metrics.length("answer_words", word_count(&message.content)),
            _ => {}
        }
    }
    metrics.count("tokens", "total", record.metadata.tokens.total);
}

#[cfg(test)]
mod tests;
