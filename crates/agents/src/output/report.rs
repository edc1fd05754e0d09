//! The report as data: what `report.json` holds and `report.html` shows.

use std::{collections::BTreeMap, io::Read};

use serde::Serialize;
use serde_json::{Value, json};

use super::split::{self, Splitter};
use crate::{
    bias::{
        self,
        measures::{BiasReport, measure},
    },
    job::{Job, role},
    metrics::{Histogram, LENGTH_BOUNDS, StageMetrics},
    record::ChatRecord,
    stage::{StageError, Summary},
    stages::{
        BIAS_DETECTION, DATA_INGESTION, OUTPUT_GENERATION, PREPROCESSING, TASK_TYPES, VALIDATION,
    },
};

/// Version of the report's shape.
const FORMAT: u32 = 1;

/// Everything a run has to say about its data. No times and no paths: the same run gives the same report.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of this shape.
    pub format: u32,
    /// The program's version.
    pub mcpanel: &'static str,
    /// The source files with format, encoding, columns.
    pub files: Value,
    /// The seed of the splits.
    pub seed: u64,
    /// Records in and out of every stage, and why some are missing.
    pub stages: Vec<StageFlow>,
    /// Personal identifiers replaced, by kind.
    pub identifiers: BTreeMap<String, u64>,
    /// Records in which at least one was replaced.
    pub records_with_identifiers: u64,
    /// Bias measures.
    pub bias: BiasReport,
    /// Who measured; with the number of records each where there were several.
    pub analyzer: String,
    /// Lengths of the records that were kept, in words.
    pub lengths: BTreeMap<String, Lengths>,
    /// Topics of the records that were kept.
    pub topics: BTreeMap<String, u64>,
    /// Languages of the records that were checked.
    pub languages: BTreeMap<String, u64>,
    /// Flags for human review, by kind, and the number of records with any.
    pub flags: BTreeMap<String, u64>,
    /// Records with at least one flag.
    pub records_to_review: u64,
    /// The splits.
    pub splits: BTreeMap<&'static str, SplitCount>,
    /// How tokens were counted.
    pub token_counting: String,
}

/// Records through one stage.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StageFlow {
    /// Task type of the stage.
    pub stage: String,
    /// Records read.
    pub records_in: u64,
    /// Records handed on.
    pub records_out: u64,
    /// Records not handed on, by their first reason.
    pub dropped: BTreeMap<String, u64>,
}

/// A histogram with its bounds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Lengths {
    /// Upper bounds of the buckets; the last bucket is open.
    pub bounds: Vec<u64>,
    /// Counts.
    pub histogram: Histogram,
    /// The mean.
    pub mean: f64,
}

/// What a split holds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct SplitCount {
    /// Records.
    pub records: u64,
    /// Approximate tokens.
    pub tokens: u64,
}

impl Report {
    /// Puts the metrics of all stages together; splits are counted later.
    pub fn gather(
        job: &dyn Job,
        splitter: &Splitter,
        metrics_bytes_max: u64,
    ) -> Result<Self, StageError> {
        let stages = read_metrics(job, metrics_bytes_max)?;
        let empty = StageMetrics::default();
        let of = |stage: &str| stages.get(stage).unwrap_or(&empty);
        let counter =
            |stage: &str, name: &str| of(stage).counters.get(name).cloned().unwrap_or_default();
        let sum = |stage: &str, name: &str| counter(stage, name).values().sum();
        let fact =
            |stage: &str, name: &str| of(stage).facts.get(name).cloned().unwrap_or(Value::Null);
        let lengths = of(VALIDATION)
            .histograms
            .iter()
            .map(|(name, histogram)| (name.clone(), Lengths::of(histogram)))
            .collect();
        let known = TASK_TYPES.iter().filter_map(|stage| stages.get(*stage));
        Ok(Self {
            format: FORMAT,
            mcpanel: env!("CARGO_PKG_VERSION"),
            files: fact(DATA_INGESTION, "files"),
            seed: splitter.seed,
            stages: known.map(StageFlow::of).collect(),
            identifiers: counter(PREPROCESSING, "pii"),
            records_with_identifiers: sum(PREPROCESSING, "pii_records"),
            bias: of(BIAS_DETECTION)
                .bias
                .as_ref()
                .map(measure)
                .unwrap_or_default(),
            analyzer: analyzers(of(BIAS_DETECTION)),
            lengths,
            topics: counter(VALIDATION, "topics"),
            languages: counter(VALIDATION, "languages"),
            flags: counter(VALIDATION, "flags"),
            records_to_review: sum(VALIDATION, "review"),
            splits: split::NAMES
                .into_iter()
                .map(|name| (name, SplitCount::default()))
                .collect(),
            token_counting: crate::standardize::tokens::METHOD.to_owned(),
        })
    }

    /// Counts a record of a split.
    pub fn count(&mut self, split: &'static str, record: &ChatRecord) {
        let count = self.splits.entry(split).or_default();
        count.records += 1;
        count.tokens += record.metadata.tokens.total;
    }

    /// Adds the last stage once all records are counted.
    pub fn complete(&mut self) {
        let records = self.records();
        self.stages.push(StageFlow {
            stage: OUTPUT_GENERATION.to_owned(),
            records_in: records,
            records_out: records,
            dropped: BTreeMap::new(),
        });
    }

    /// Records of the dataset.
    pub fn records(&self) -> u64 {
        self.splits.values().map(|split| split.records).sum()
    }

    /// Approximate tokens of the dataset.
    pub fn tokens(&self) -> u64 {
        self.splits.values().map(|split| split.tokens).sum()
    }

    /// Rows of the source files.
    pub fn rows(&self) -> u64 {
        self.stages.first().map_or(0, |stage| stage.records_in)
    }

    /// Identifiers replaced.
    pub fn identifiers_total(&self) -> u64 {
        self.identifiers.values().sum()
    }

    /// The counts for the task's result.
    pub fn summary(&self) -> Summary {
        let records = self.records();
        let mut summary = Summary::new();
        summary.insert("records_in".into(), records.into());
        summary.insert("records_out".into(), records.into());
        summary.insert("dropped".into(), json!({}));
        summary.insert("splits".into(), json!(self.splits));
        summary.insert("tokens".into(), self.tokens().into());
        summary.insert("rows".into(), self.rows().into());
        summary.insert("identifiers".into(), self.identifiers_total().into());
        summary.insert("records_to_review".into(), self.records_to_review.into());
        summary
    }
}

impl StageFlow {
    fn of(metrics: &StageMetrics) -> Self {
        Self {
            stage: metrics.stage.clone(),
            records_in: metrics.records_in,
            records_out: metrics.records_out,
            dropped: metrics.dropped.clone(),
        }
    }
}

impl Lengths {
    fn of(histogram: &Histogram) -> Self {
        Self {
            bounds: LENGTH_BOUNDS.to_vec(),
            histogram: histogram.clone(),
            mean: (histogram.mean() * 10.0).round() / 10.0,
        }
    }
}

/// Who measured bias. Several did when a service failed and the run allowed the built-in measures instead.
fn analyzers(stage: &StageMetrics) -> String {
    match stage.counters.get(bias::ANALYZERS) {
        Some(several) if several.len() > 1 => several
            .iter()
            .map(|(name, records)| format!("{name} ({records} records)"))
            .collect::<Vec<_>>()
            .join(" and "),
        Some(one) if !one.is_empty() => one.keys().cloned().collect(),
        // Without a record nobody measured; the tasks still say who would have.
        _ => stage
            .facts
            .get("analyzer")
            .and_then(Value::as_str)
            .unwrap_or("none")
            .to_owned(),
    }
}

/// The metrics of every stage, those of its tasks merged.
fn read_metrics(
    job: &dyn Job,
    bytes_max: u64,
) -> Result<BTreeMap<String, StageMetrics>, StageError> {
    let mut stages: BTreeMap<String, StageMetrics> = BTreeMap::new();
    for input in job
        .inputs()
        .iter()
        .filter(|input| input.role == role::METRICS)
    {
        let reader = job
            .open(input)
            .map_err(StageError::io(format!("opening `{}`", input.name)))?;
        let mut bytes = Vec::new();
        reader
            .take(bytes_max)
            .read_to_end(&mut bytes)
            .map_err(StageError::io(format!("reading `{}`", input.name)))?;
        let metrics: StageMetrics = serde_json::from_slice(&bytes).map_err(|error| {
            StageError::bad_input(
                "bad_metrics",
                format!("`{}` holds no metrics: {error}", input.name),
            )
        })?;
        let stage = stages
            .entry(metrics.stage.clone())
            .or_insert_with(|| StageMetrics::new(&metrics.stage));
        stage.merge(&metrics);
    }
    Ok(stages)
}
