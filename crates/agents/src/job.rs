//! The seam between a stage and whoever runs it: artifacts in, artifacts out, progress, cancellation.

use std::io::{self, Read, Write};

use serde_json::Value;

/// What an artifact is for. Only [`role::CHUNK`] artifacts become tasks of a following map stage.
pub mod role {
    /// Records on their way through the pipeline, JSONL.
    pub const CHUNK: &str = "chunk";
    /// Records that were refused because something is wrong with them, with all reasons.
    pub const REJECTS: &str = "rejects";
    /// Records left out though nothing is wrong with them (duplicates), with the reason.
    pub const DROPS: &str = "drops";
    /// Records that stay in the dataset but that a person should read.
    pub const REVIEW: &str = "review";
    /// Counters of one task, mergeable, JSON.
    pub const METRICS: &str = "metrics";
    /// A split of the finished dataset.
    pub const DATASET: &str = "dataset";
    /// The dataset card.
    pub const CARD: &str = "card";
    /// The report for machines (JSON) or people (HTML).
    pub const REPORT: &str = "report";
    /// Digests of the finished files.
    pub const CHECKSUMS: &str = "checksums";
}

/// An artifact that a task may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The artifact's id.
    pub artifact_id: String,
    /// The file name given by the task that wrote it.
    pub name: String,
    /// One of [`role`], or whatever the uploader called the run's own file.
    pub role: String,
    /// The number of the stage that wrote it; 0 for the run's own input.
    pub stage: u32,
    /// The index of the task within its stage.
    pub index: u32,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Digest, `sha256:<hex>`.
    pub digest: String,
    /// How many records it holds, where that is known.
    pub records: Option<u64>,
}

/// An artifact about to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSpec {
    /// File name, unique among the outputs of the task.
    pub name: String,
    /// One of [`role`].
    pub role: &'static str,
    /// Media type, such as `application/jsonl`.
    pub media_type: &'static str,
}

/// An artifact that was written whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputRef {
    /// The artifact's id.
    pub artifact_id: String,
    /// The file name from the [`OutputSpec`].
    pub name: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Digest, `sha256:<hex>`.
    pub digest: String,
}

/// Where the bytes of one output go. An output that is dropped without [`OutputWriter::finish`] never existed.
pub trait OutputWriter: Write + Send {
    /// Makes the artifact complete and durable. `records` counts what it holds, where it holds records.
    fn finish(self: Box<Self>, records: Option<u64>) -> io::Result<OutputRef>;
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Somebody should look at it.
    Warn,
}

/// One task in the hands of a stage.
pub trait Job: Send + Sync {
    /// The artifacts this task may read.
    fn inputs(&self) -> &[Input];
    /// Opens an input from its beginning; an input may be opened several times.
    fn open(&self, input: &Input) -> io::Result<Box<dyn Read + Send>>;
    /// Begins an output.
    fn create(&self, spec: OutputSpec) -> io::Result<Box<dyn OutputWriter>>;
    /// Tells how far the task is, in records or bytes out of `total`; cheap to call often.
    fn progress(&self, done: u64, total: Option<u64>, message: &str);
    /// True when the task should stop at the next record.
    fn is_cancelled(&self) -> bool;
    /// The parameters of the task.
    fn parameters(&self) -> &Value;
    /// Writes a line to the task's log.
    fn log(&self, level: Level, message: &str);
}
