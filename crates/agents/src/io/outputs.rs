//! Writing of whole artifacts: JSON documents, JSONL files, texts.

use std::io::{BufWriter, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    job::{Job, OutputRef, OutputSpec, OutputWriter},
    record::hex,
    stage::StageError,
};

/// Media type of a JSON document.
pub const JSON: &str = "application/json";
/// Media type of a file with one JSON document per line.
pub const JSONL: &str = "application/jsonl";

/// Buffer before every output; 64 KiB is where larger writes stop being faster on common disks.
const BUFFER_BYTES: usize = 64 * 1024;

/// An artifact being written, which counts and digests what goes through it.
pub struct Output {
    name: String,
    writer: BufWriter<Box<dyn OutputWriter>>,
    hasher: Sha256,
    bytes: u64,
    records: u64,
}

/// A finished output and its digest as this side computed it.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The artifact.
    pub output: OutputRef,
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
    /// Lines written with [`Output::line`].
    pub records: u64,
}

impl Output {
    /// Begins an artifact.
    pub fn create(
        job: &dyn Job,
        name: &str,
        role: &'static str,
        media_type: &'static str,
    ) -> Result<Self, StageError> {
        let spec = OutputSpec {
            name: name.to_owned(),
            role,
            media_type,
        };
        let inner = job
            .create(spec)
            .map_err(StageError::io(format!("creating `{name}`")))?;
        Ok(Self {
            name: name.to_owned(),
            writer: BufWriter::with_capacity(BUFFER_BYTES, inner),
            hasher: Sha256::new(),
            bytes: 0,
            records: 0,
        })
    }

    /// Writes bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StageError> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.writer
            .write_all(bytes)
            .map_err(|error| StageError::io(format!("writing `{}`", self.name))(error))
    }

    /// Writes one record as a line of JSON.
    pub fn line<T: Serialize>(&mut self, record: &T) -> Result<(), StageError> {
        let mut line = serde_json::to_vec(record).map_err(|error| {
            StageError::io(format!("encoding a record of `{}`", self.name))(error.into())
        })?;
        line.push(b'\n');
        self.records += 1;
        self.write(&line)
    }

    /// Lines written so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes the artifact complete; `records` is passed on when it has lines.
    pub fn finish(self, has_records: bool) -> Result<Finished, StageError> {
        let doing = || StageError::io(format!("finishing `{}`", self.name));
        let inner = self
            .writer
            .into_inner()
            .map_err(|error| doing()(error.into_error()))?;
        let output = inner
            .finish(has_records.then_some(self.records))
            .map_err(doing())?;
        Ok(Finished {
            output,
            sha256: hex(&self.hasher.finalize()),
            records: self.records,
        })
    }
}

/// Writes a JSON document as one artifact, indented, with a line end.
pub fn write_json<T: Serialize>(
    job: &dyn Job,
    name: &str,
    role: &'static str,
    document: &T,
) -> Result<Finished, StageError> {
    let mut bytes = serde_json::to_vec_pretty(document)
        .map_err(|error| StageError::io(format!("encoding `{name}`"))(error.into()))?;
    bytes.push(b'\n');
    write_bytes(job, name, role, JSON, &bytes)
}

/// Writes bytes as one artifact.
pub fn write_bytes(
    job: &dyn Job,
    name: &str,
    role: &'static str,
    media_type: &'static str,
    bytes: &[u8],
) -> Result<Finished, StageError> {
    let mut output = Output::create(job, name, role, media_type)?;
    output.write(bytes)?;
    output.finish(false)
}
