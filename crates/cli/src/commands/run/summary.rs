//! What a run has to say at its end.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use mcpanel_api::pipeline::Pipeline;
use serde::Serialize;
use serde_json::{Value, json};

use super::shown;
use crate::{
    Failure, Result,
    arguments::Format,
    output::{self, durations, listing::figures, numbers},
};

/// Reasons named for a stage; the report has them all.
const REASONS_SHOWN: usize = 3;

/// What came out, for people and programs.
#[derive(Debug, Serialize)]
pub struct Summary {
    pipeline_id: String,
    out: PathBuf,
    duration_ms: u64,
    records_in: u64,
    records_out: u64,
    stages: Value,
    splits: Value,
    files: Vec<Value>,
}

impl Summary {
    /// Reads it from the results.
    pub fn read(
        pipeline: &Pipeline,
        root: &Path,
        results: &Path,
        files: &[PathBuf],
    ) -> Result<Self> {
        let path = results.join("report.json");
        let report: Value = fs::read(&path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
            .map_err(|error| Failure::new(format!("the report cannot be read: {error}")))?;
        let stages = report["stages"].clone();
        let count = |stage: Option<&Value>, field: &str| {
            stage.and_then(|stage| stage[field].as_u64()).unwrap_or(0)
        };
        let all = stages.as_array();
        let ended = pipeline.completed_at.unwrap_or(pipeline.updated_at);
        let began = pipeline.started_at.unwrap_or(pipeline.created_at);
        Ok(Self {
            pipeline_id: pipeline.pipeline_id.to_string(),
            out: root.to_owned(),
            duration_ms: ended.ms_since(began),
            records_in: count(all.and_then(|all| all.first()), "records_in"),
            records_out: count(all.and_then(|all| all.last()), "records_out"),
            stages,
            splits: report["splits"].clone(),
            files: files
                .iter()
                .map(|file| {
                    let size = fs::metadata(results.join(file)).map_or(0, |about| about.len());
                    json!({ "path": file, "size_bytes": size })
                })
                .collect(),
        })
    }

    /// A table for people on stderr and the folder on stdout, or all of it as a document on stdout.
    pub fn show(&self, format: Format) -> Result<()> {
        match format {
            Format::Table | Format::Wide => self.tell(),
            // The name of a run is that of its folder.
            Format::Name => output::line(&self.out.display().to_string()),
            Format::Json => output::json(self),
            Format::Jsonl => output::jsonl(self),
            Format::Yaml => output::yaml::document(self),
        }
    }

    fn tell(&self) -> Result<()> {
        let rows = self.stages.as_array().into_iter().flatten().map(stage_row);
        let header = ["stage", "in", "out", "not handed on"];
        output::say(format_args!("\n{}", figures(&header, rows.collect())));
        output::say(format_args!("\n{}", figures(&[], self.split_rows())));
        output::say(format_args!(
            "\n{} of {} records in {}. Everything about them: {}",
            numbers::grouped(self.records_out),
            numbers::grouped(self.records_in),
            durations::show(Duration::from_millis(self.duration_ms)),
            shown(&self.out.join("report.html")),
        ));
        for (folder, what) in [
            ("rejects", "refused, with reasons"),
            ("drops", "left out (duplicates)"),
            ("review", "for a person to read"),
        ] {
            if self.has(folder) {
                output::say(format_args!("{what}: {}", shown(&self.out.join(folder))));
            }
        }
        output::line(&self.out.display().to_string())
    }

    fn has(&self, folder: &str) -> bool {
        self.files.iter().any(|file| {
            file["path"]
                .as_str()
                .is_some_and(|path| Path::new(path).starts_with(folder))
        })
    }

    fn split_rows(&self) -> Vec<Vec<String>> {
        ["train", "validation", "test"]
            .iter()
            .map(|split| {
                let count = |field: &str| self.splits[split][field].as_u64().unwrap_or(0);
                let path = format!("dataset/{split}.jsonl");
                let size = self
                    .files
                    .iter()
                    .find(|file| file["path"] == path.as_str())
                    .and_then(|file| file["size_bytes"].as_u64())
                    .unwrap_or(0);
                vec![
                    path,
                    format!("{} records", numbers::grouped(count("records"))),
                    format!("{} tokens", numbers::grouped(count("tokens"))),
                    numbers::bytes(size),
                ]
            })
            .collect()
    }
}

fn stage_row(stage: &Value) -> Vec<String> {
    let count = |field: &str| numbers::grouped(stage[field].as_u64().unwrap_or(0));
    let mut dropped: Vec<(u64, &str)> = stage["dropped"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(reason, count)| (count.as_u64().unwrap_or(0), reason.as_str()))
        .filter(|(count, _)| *count > 0)
        .collect();
    dropped.sort_by(|a, b| b.cmp(a));
    let more = dropped.len().saturating_sub(REASONS_SHOWN);
    let mut reasons: Vec<String> = dropped
        .iter()
        .take(REASONS_SHOWN)
        .map(|(count, reason)| format!("{} {}", numbers::grouped(*count), reason.replace('_', " ")))
        .collect();
    if more > 0 {
        reasons.push(format!("{more} more reasons"));
    }
    vec![
        stage["stage"].as_str().unwrap_or_default().to_owned(),
        count("records_in"),
        count("records_out"),
        reasons.join(", "),
    ]
}
