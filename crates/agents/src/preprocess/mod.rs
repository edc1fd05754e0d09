//! Stage 2, `preprocessing`: clean text, no duplicates, no personal identifiers.
//!
//! One task reads all chunks in order, so that a duplicate is found wherever its twin stands. It reads them
//! twice: first to learn the names of people and which rows ask the same question, then to clean. What must
//! be remembered of every record is in a temporary database ([`scratch`]), not in memory.
//!
//! Parameters: `near_duplicate_threshold` (estimated Jaccard similarity of answers, 1 turns it off),
//! `chunk_records`.

pub mod html;
pub mod minhash;
pub mod normalise;
pub mod scratch;

use self::{html::to_text, normalise::normalise, scratch::Scratch};
use crate::{
    io::{
        chunks::{CHUNK_RECORDS, ChunkWriter, Pass, chunks_of, for_each_record},
        outputs::{JSONL, Output},
    },
    job::{Job, role},
    metrics::StageMetrics,
    parameters::Parameters,
    pii::{people::People, redact},
    record::{CleanRecord, RawRecord, Reason, Reject, short_hash},
    stage::{Stage, StageError, Summary},
    stages::PREPROCESSING,
    text::{word_count, words},
};

/// Answers at least this similar are the same answer. 0.85 is where copies with a changed greeting or name
/// still meet and two honest answers to one question never did in the data looked at.
pub const NEAR_DUPLICATE_THRESHOLD: f64 = 0.85;

/// Shorter answers ("Please call them today.") resemble each other honestly: only equal pairs of question
/// and answer count as duplicates.
pub const NEAR_DUPLICATE_WORDS_MIN: usize = 20;

/// The stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct Preprocessing;

impl Stage for Preprocessing {
    fn task_type(&self) -> &'static str {
        PREPROCESSING
    }

    fn run(&self, job: &dyn Job) -> Result<Summary, StageError> {
        let parameters = Parameters(job.parameters());
        let chunk_records = parameters.count("chunk_records", CHUNK_RECORDS, 1, 100_000)?;
        let threshold = parameters.number(
            "near_duplicate_threshold",
            NEAR_DUPLICATE_THRESHOLD,
            0.5,
            1.0,
        )?;
        let inputs = chunks_of(job)?;
        let scratch = Scratch::open()?;

        let mut people = People::none();
        for_each_record(
            job,
            &inputs,
            "learning names and questions",
            Pass { number: 0, of: 2 },
            |raw: RawRecord| {
                for name in &raw.people {
                    people.add(name);
                }
                let question = clean(&raw.question);
                let title = clean(&raw.title);
                scratch.same_question(&raw.question_id, &question_key(&title, &question))
            },
        )?;

        let mut preprocessing = Work {
            scratch: &scratch,
            people: &people,
            threshold,
            metrics: StageMetrics::new(PREPROCESSING),
        };
        let mut chunks = ChunkWriter::new(job, chunk_records);
        let mut drops = Output::create(job, "drops.jsonl", role::DROPS, JSONL)?;
        for_each_record(
            job,
            &inputs,
            "cleaning",
            Pass { number: 1, of: 2 },
            |raw: RawRecord| match preprocessing.process(&raw)? {
                Ok(record) => chunks.write(&record),
                Err(drop) => drops.line(&drop),
            },
        )?;

        let mut metrics = preprocessing.metrics;
        metrics
            .facts
            .insert("people_names".into(), people.len().into());
        metrics
            .facts
            .insert("people_names_left_out".into(), people.left_out.into());
        metrics
            .facts
            .insert("near_duplicate_threshold".into(), threshold.into());
        drops.finish(true)?;
        let count = chunks.finish()?;
        let mut summary = metrics.publish(job, "metrics.json")?;
        summary.insert("chunks".into(), count.into());
        Ok(summary)
    }
}

struct Work<'a> {
    scratch: &'a Scratch,
    people: &'a People,
    threshold: f64,
    metrics: StageMetrics,
}

impl Work<'_> {
    fn process(&mut self, raw: &RawRecord) -> Result<Result<CleanRecord, Reject>, StageError> {
        self.metrics.records_in += 1;
        let title = clean(&raw.title);
        let question = clean(&raw.question);
        let answer = clean(&raw.answer);
        if let Some(reason) = self.reason_to_drop(raw, &title, &question, &answer)? {
            self.metrics.drop_record(&reason.code);
            return Ok(Err(Reject {
                id: Some(raw.id.clone()),
                row: raw.source.row,
                line: raw.source.line,
                reasons: vec![reason],
                excerpt: None,
            }));
        }
        let group = self
            .scratch
            .group(&raw.question_id, &question_key(&title, &question))?;
        let mut record = CleanRecord {
            id: raw.id.clone(),
            source: raw.source.clone(),
            group,
            title,
            question,
            answer,
            topics: raw.topics.clone(),
            upvotes: raw.upvotes,
            pii: Default::default(),
            bias: None,
        };
        self.remove_identifiers(&mut record, &raw.people);
        self.metrics.records_out += 1;
        self.metrics.length(
            "question_words",
            word_count(&record.title) + word_count(&record.question),
        );
        self.metrics
            .length("answer_words", word_count(&record.answer));
        Ok(Ok(record))
    }

    fn reason_to_drop(
        &self,
        raw: &RawRecord,
        title: &str,
        question: &str,
        answer: &str,
    ) -> Result<Option<Reason>, StageError> {
        if title.is_empty() && question.is_empty() {
            let detail = "question and title hold no text once markup is removed";
            return Ok(Some(Reason::new("empty_question", detail)));
        }
        if answer.is_empty() {
            let detail = "the answer holds no text once markup is removed";
            return Ok(Some(Reason::new("empty_answer", detail)));
        }
        let pair = short_hash(&[&letters(title), &letters(question), &letters(answer)]);
        if let Some(first) = self.scratch.exact_duplicate(&pair, &raw.id)? {
            let detail = format!("question and answer equal those of `{first}`");
            return Ok(Some(Reason::new("exact_duplicate", detail)));
        }
        if self.threshold >= 1.0 {
            return Ok(None);
        }
        let twin = self
            .scratch
            .near_duplicate(answer, &raw.id, self.threshold)?;
        Ok(twin.map(|twin| {
            let detail = format!(
                "the answer is {:.2} similar to that of `{}`",
                twin.similarity, twin.id
            );
            Reason::new("near_duplicate", detail)
        }))
    }

    fn remove_identifiers(&mut self, record: &mut CleanRecord, own_people: &[String]) {
        // When the dataset has more names than are remembered, the row's own are looked for apart.
        let own =
            (self.people.left_out > 0).then(|| People::of(own_people.iter().map(String::as_str)));
        for text in [&mut record.title, &mut record.question, &mut record.answer] {
            for people in [Some(self.people), own.as_ref()].into_iter().flatten() {
                let redacted = redact(text, people);
                *text = redacted.text;
                for (kind, count) in redacted.counts {
                    *record.pii.entry(kind.as_str().to_owned()).or_default() += count;
                    self.metrics.count("pii", kind.as_str(), count);
                }
            }
        }
        if !record.pii.is_empty() {
            self.metrics.count("pii_records", "with_identifiers", 1);
        }
    }
}

fn clean(html: &str) -> String {
    normalise(&to_text(html))
}

/// Lower-case words only: case, punctuation and spaces make no other text.
fn letters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in words(text) {
        out.extend(
            word.text
                .chars()
                .flat_map(char::to_lowercase)
                .filter(|letter| letter.is_alphanumeric()),
        );
        out.push(' ');
    }
    out
}

/// Equal for equal questions; empty when there is no text.
fn question_key(title: &str, question: &str) -> String {
    if title.is_empty() && question.is_empty() {
        return String::new();
    }
    short_hash(&[&letters(title), &letters(question)])
}

#[cfg(test)]
mod tests;
