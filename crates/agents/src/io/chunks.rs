//! Chunks: the JSONL artifacts in which records travel from stage to stage.

use std::io::BufReader;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    io::{
        lines::{Line, LineReader},
        outputs::{JSONL, Output},
    },
    job::{Input, Job, role},
    stage::StageError,
};

/// Records in a chunk unless `chunk_records` says otherwise: some hundred make a task of about a second.
pub const CHUNK_RECORDS: u64 = 500;
/// Bytes after which a chunk ends whatever its number of records.
pub const CHUNK_BYTES: u64 = 4 * 1024 * 1024;
/// The longest line a chunk may have: the largest record ingestion lets in (8 MB), escaped as JSON (`\u00XX`
/// for every byte in the worst case) with its metadata.
pub const LINE_BYTES_MAX: usize = 6 * crate::ingest::RECORD_BYTES_MAX + 64 * 1024;
/// Records between two looks at progress and cancellation: a look costs nothing, so this is about latency.
pub const PROGRESS_EVERY: u64 = 64;

/// Writes records into numbered chunk artifacts.
pub struct ChunkWriter<'a> {
    job: &'a dyn Job,
    records_per_chunk: u64,
    number: u32,
    current: Option<Output>,
    records: u64,
}

impl<'a> ChunkWriter<'a> {
    /// No chunk yet.
    pub fn new(job: &'a dyn Job, records_per_chunk: u64) -> Self {
        Self {
            job,
            records_per_chunk,
            number: 0,
            current: None,
            records: 0,
        }
    }

    /// Adds one record; begins a new chunk when the current one is full.
    pub fn write<T: Serialize>(&mut self, record: &T) -> Result<(), StageError> {
        let output = match &mut self.current {
            Some(output) => output,
            none => {
                self.number += 1;
                let name = chunk_name(self.number);
                none.insert(Output::create(self.job, &name, role::CHUNK, JSONL)?)
            }
        };
        output.line(record)?;
        self.records += 1;
        if output.records() >= self.records_per_chunk || output.bytes() >= CHUNK_BYTES {
            self.close()?;
        }
        Ok(())
    }

    /// Ends the last chunk; answers with the number of chunks. There is always at least one, so that a
    /// stage whose every record was refused still hands on something to count.
    pub fn finish(mut self) -> Result<u32, StageError> {
        if self.number == 0 {
            self.number = 1;
            self.current = Some(Output::create(
                self.job,
                &chunk_name(1),
                role::CHUNK,
                JSONL,
            )?);
        }
        self.close()?;
        Ok(self.number)
    }

    fn close(&mut self) -> Result<(), StageError> {
        if let Some(output) = self.current.take() {
            output.finish(true)?;
        }
        Ok(())
    }
}

/// The name of chunk `number`, from 1; names sort like numbers.
pub fn chunk_name(number: u32) -> String {
    format!("chunk-{number:06}.jsonl")
}

/// The chunks handed to this task, in the order in which they were written.
///
/// A reduce task gets the artifacts of the whole run: the chunks that count are those of the latest stage.
pub fn chunks_of(job: &dyn Job) -> Result<Vec<Input>, StageError> {
    let chunks = || {
        job.inputs()
            .iter()
            .filter(|input| input.role == role::CHUNK)
    };
    let Some(stage) = chunks().map(|input| input.stage).max() else {
        return Err(StageError::bad_input(
            "no_input",
            format!(
                "the task has {} inputs, none with the role `chunk`",
                job.inputs().len()
            ),
        ));
    };
    let mut latest: Vec<_> = chunks()
        .filter(|input| input.stage == stage)
        .cloned()
        .collect();
    latest.sort_by(|a, b| (&a.name, a.index).cmp(&(&b.name, b.index)));
    Ok(latest)
}

/// Which pass over the same records this is, so that progress runs once from nothing to all.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    /// Number of the pass, from 0.
    pub number: u64,
    /// How many passes there are.
    pub of: u64,
}

impl Pass {
    /// The only pass.
    pub const ONLY: Self = Self { number: 0, of: 1 };
}

/// Calls `each` with every record of the chunks, in order; stops when the task is cancelled.
pub fn for_each_record<T: DeserializeOwned>(
    job: &dyn Job,
    chunks: &[Input],
    message: &str,
    pass: Pass,
    mut each: impl FnMut(T) -> Result<(), StageError>,
) -> Result<u64, StageError> {
    let total = chunks
        .iter()
        .map(|chunk| chunk.records)
        .sum::<Option<u64>>();
    let overall = |done: u64| (pass.number * total.unwrap_or(done) + done) / pass.of;
    let mut done = 0;
    for chunk in chunks {
        let reader = job
            .open(chunk)
            .map_err(StageError::io(format!("opening `{}`", chunk.name)))?;
        let mut lines =
            LineReader::new(BufReader::with_capacity(64 * 1024, reader), LINE_BYTES_MAX);
        loop {
            let number = lines.number() + 1;
            let line = lines
                .next_line()
                .map_err(StageError::io(format!("reading `{}`", chunk.name)))?;
            let bytes = match line {
                None => break,
                Some(Line::Whole(bytes)) => bytes,
                Some(Line::TooLong(_)) => return Err(bad_chunk(chunk, number, "line too long")),
            };
            if done % PROGRESS_EVERY == 0 {
                if job.is_cancelled() {
                    return Err(StageError::Cancelled);
                }
                job.progress(overall(done), total, message);
            }
            let record = serde_json::from_slice(bytes)
                .map_err(|error| bad_chunk(chunk, number, &error.to_string()))?;
            each(record)?;
            done += 1;
        }
    }
    job.progress(overall(done), total, message);
    Ok(done)
}

/// Passes every record of this task's chunks through `each`; what it answers with goes into a chunk of the
/// same name, so that chunks keep their order from stage to stage.
pub fn map_chunks<I: DeserializeOwned, O: Serialize>(
    job: &dyn Job,
    message: &str,
    mut each: impl FnMut(I) -> Result<Option<O>, StageError>,
) -> Result<Vec<Input>, StageError> {
    let chunks = chunks_of(job)?;
    for chunk in &chunks {
        let mut output = Output::create(job, &chunk.name, role::CHUNK, JSONL)?;
        for_each_record(
            job,
            std::slice::from_ref(chunk),
            message,
            Pass::ONLY,
            |record| match each(record)? {
                Some(record) => output.line(&record),
                None => Ok(()),
            },
        )?;
        output.finish(true)?;
    }
    Ok(chunks)
}

/// How much [`map_batches`] takes at once: until one of the two is reached.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    /// Records.
    pub records: usize,
    /// Bytes, as the caller weighs them. A single record may be heavier.
    pub bytes: usize,
}

/// Like [`map_chunks`], several records at a time. As many go out as come in, in the same order.
pub fn map_batches<T: DeserializeOwned + Serialize>(
    job: &dyn Job,
    message: &str,
    batch: Batch,
    weigh: impl Fn(&T) -> usize,
    mut each: impl FnMut(Vec<T>) -> Result<Vec<T>, StageError>,
) -> Result<Vec<Input>, StageError> {
    let chunks = chunks_of(job)?;
    for chunk in &chunks {
        let mut output = Output::create(job, &chunk.name, role::CHUNK, JSONL)?;
        let mut waiting = Vec::new();
        let mut bytes = 0;
        let mut flush = |waiting: &mut Vec<T>| -> Result<(), StageError> {
            if waiting.is_empty() {
                return Ok(());
            }
            for record in each(std::mem::take(waiting))? {
                output.line(&record)?;
            }
            Ok(())
        };
        for_each_record(
            job,
            std::slice::from_ref(chunk),
            message,
            Pass::ONLY,
            |record| {
                bytes += weigh(&record);
                waiting.push(record);
                if waiting.len() >= batch.records || bytes >= batch.bytes {
                    bytes = 0;
                    flush(&mut waiting)?;
                }
                Ok(())
            },
        )?;
        flush(&mut waiting)?;
        output.finish(true)?;
    }
    Ok(chunks)
}

/// A name for what a map task writes beside its chunk: `metrics-000007.json` beside `chunk-000007.jsonl`.
pub fn beside(kind: &str, chunks: &[Input], extension: &str) -> String {
    let stem = chunks.first().map_or("", |chunk| chunk.name.as_str());
    let stem = stem.split('.').next().unwrap_or_default();
    let number = stem.strip_prefix("chunk-").unwrap_or(stem);
    format!("{kind}-{number}.{extension}")
}

fn bad_chunk(chunk: &Input, line: u64, problem: &str) -> StageError {
    StageError::bad_input(
        "bad_chunk",
        format!(
            "line {line} of chunk `{}` is not a record: {problem}",
            chunk.name
        ),
    )
}
