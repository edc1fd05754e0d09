//! Stage 6, `output_generation`: the dataset, its card, the report, the checksums.
//!
//! Records stream from the validated chunks into three splits. The split of a record follows from the seed
//! and its group alone, so the same question is never in two splits, and the same input with the same seed
//! gives the same bytes. The report is put together from the `metrics` artifacts of all stages.
//!
//! Parameters: `seed`, `validation_share`, `test_share`.

pub mod card;
pub mod html;
pub mod report;
pub mod split;

use std::collections::BTreeSet;

use self::{report::Report, split::Splitter};
use crate::{
    io::{
        chunks::{Pass, chunks_of, for_each_record},
        outputs::{Finished, JSON, JSONL, Output, write_bytes},
    },
    job::{Job, role},
    parameters::Parameters,
    record::ChatRecord,
    stage::{Stage, StageError, Summary},
    stages::OUTPUT_GENERATION,
};

/// The largest `metrics` artifact read back; one holds at most some counters with bounded values.
const METRICS_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutputGeneration;

impl Stage for OutputGeneration {
    fn task_type(&self) -> &'static str {
        OUTPUT_GENERATION
    }

    fn run(&self, job: &dyn Job) -> Result<Summary, StageError> {
        let splitter = Splitter::from_parameters(Parameters(job.parameters()))?;
        let mut report = Report::gather(job, &splitter, METRICS_BYTES_MAX)?;
        let mut finished = write_splits(job, &splitter, &mut report)?;
        report.complete();

        let card = card::render(&report, &finished);
        finished.push(write_bytes(
            job,
            "README.md",
            role::CARD,
            "text/markdown",
            card.as_bytes(),
        )?);
        let mut document = serde_json::to_vec_pretty(&report)
            .map_err(|error| StageError::io("encoding `report.json`")(error.into()))?;
        document.push(b'\n');
        finished.push(write_bytes(
            job,
            "report.json",
            role::REPORT,
            JSON,
            &document,
        )?);
        let page = html::page(&report);
        finished.push(write_bytes(
            job,
            "report.html",
            role::REPORT,
            "text/html",
            page.as_bytes(),
        )?);

        let checksums: String = finished
            .iter()
            .map(|file| format!("{}  {}\n", file.sha256, file.output.name))
            .collect();
        write_bytes(
            job,
            "checksums.sha256",
            role::CHECKSUMS,
            "text/plain",
            checksums.as_bytes(),
        )?;
        Ok(report.summary())
    }
}

/// Streams every record into its split; a first pass looks whether the dataset is small.
fn write_splits(
    job: &dyn Job,
    splitter: &Splitter,
    report: &mut Report,
) -> Result<Vec<Finished>, StageError> {
    let chunks = chunks_of(job)?;
    let mut points = BTreeSet::new();
    for_each_record(
        job,
        &chunks,
        "counting questions",
        Pass { number: 0, of: 2 },
        |record: ChatRecord| {
            if points.len() <= split::SMALL_GROUPS {
                points.insert(splitter.point(&record.metadata.group));
            }
            Ok(())
        },
    )?;
    let cuts = splitter.cuts(&points);

    let mut outputs = Vec::with_capacity(split::NAMES.len());
    for name in split::NAMES {
        outputs.push(Output::create(
            job,
            &format!("{name}.jsonl"),
            role::DATASET,
            JSONL,
        )?);
    }
    for_each_record(
        job,
        &chunks,
        "writing the dataset",
        Pass { number: 1, of: 2 },
        |record: ChatRecord| {
            let index = cuts.split(splitter.point(&record.metadata.group));
            report.count(split::NAMES[index], &record);
            outputs[index].line(&record)
        },
    )?;
    outputs
        .into_iter()
        .map(|output| output.finish(true))
        .collect()
}

#[cfg(test)]
mod tests;
