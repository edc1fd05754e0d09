//! What was measured: rates, latencies, and what it cost.

use hdrhistogram::Histogram;
use serde::Serialize;

use super::usage::Usage;
use crate::{
    arguments::Format,
    output::{
        self,
        listing::figures,
        numbers::{bytes, grouped},
    },
};

/// A measurement.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was measured, in words.
    pub what: String,
    /// When an answer is given: what an acknowledged change has behind it.
    pub durability: String,
    /// Cores of this machine, which the generator shares with a server in this process.
    pub cores: usize,
    /// Servers that shared the load.
    pub instances: usize,
    /// Tasks through their whole life, per second.
    pub per_second: f64,
    pub elapsed_s: f64,
    /// By kind of request.
    pub rows: Vec<Row>,
    /// Commits of the store meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commits: Option<u64>,
    /// Flushes of the store meanwhile; one serves all commits that waited for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flushes: Option<u64>,
    /// What each process used that was looked at.
    pub processes: Vec<Used>,
}

/// What a process used.
#[derive(Debug, Serialize)]
pub struct Used {
    pub process: String,
    /// Processor time for each task.
    pub cpu_ms_per_task: f64,
    pub resident_before_bytes: u64,
    pub resident_after_bytes: u64,
}

/// One kind of request.
#[derive(Debug, Serialize)]
pub struct Row {
    pub name: &'static str,
    pub requests: u64,
    #[serde(flatten)]
    pub percentiles: Percentiles,
}

/// Latencies in short, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Percentiles {
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl Row {
    /// Of latencies in microseconds.
    pub fn new(name: &'static str, latencies: &Histogram<u64>) -> Self {
        Self {
            name,
            requests: latencies.len(),
            percentiles: Percentiles::of(latencies),
        }
    }
}

impl Percentiles {
    /// Of latencies in microseconds.
    pub fn of(latencies: &Histogram<u64>) -> Self {
        let ms = |quantile| latencies.value_at_quantile(quantile) as f64 / 1_000.0;
        Self {
            p50_ms: ms(0.5),
            p95_ms: ms(0.95),
            p99_ms: ms(0.99),
            max_ms: latencies.max() as f64 / 1_000.0,
        }
    }
}

impl Used {
    fn cells(&self) -> Vec<String> {
        vec![
            self.process.clone(),
            format!("{:.3} ms", self.cpu_ms_per_task),
            bytes(self.resident_before_bytes),
            bytes(self.resident_after_bytes),
        ]
    }
}

impl Report {
    /// A report without figures yet.
    pub fn new(what: String) -> Self {
        Self {
            what,
            durability: String::new(),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            instances: 1,
            per_second: 0.0,
            elapsed_s: 0.0,
            rows: Vec::new(),
            commits: None,
            flushes: None,
            processes: Vec::new(),
        }
    }

    /// Adds what a process used meanwhile.
    pub fn used(&mut self, process: &str, before: &Usage, after: &Usage, tasks: u64) {
        self.processes.push(Used {
            process: process.to_owned(),
            cpu_ms_per_task: (after.cpu_s - before.cpu_s) * 1_000.0 / tasks.max(1) as f64,
            resident_before_bytes: before.resident_bytes,
            resident_after_bytes: after.resident_bytes,
        });
    }

    /// Writes it to stdout.
    pub fn write(&self, format: Format) -> anyhow::Result<()> {
        match format {
            Format::Json => output::json(self)?,
            Format::Jsonl => output::jsonl(self)?,
            Format::Name => output::line(&format!("{:.0}", self.per_second))?,
            Format::Yaml => output::yaml::document(self)?,
            Format::Table | Format::Wide => output::line(&self.table())?,
        }
        Ok(())
    }

    fn table(&self) -> String {
        let ms = |value: f64| format!("{value:.2} ms");
        let rows = self.rows.iter().map(|row| {
            let Percentiles {
                p50_ms,
                p95_ms,
                p99_ms,
                max_ms,
            } = row.percentiles;
            let mut cells = vec![row.name.to_owned(), grouped(row.requests)];
            cells.extend([p50_ms, p95_ms, p99_ms, max_ms].map(ms));
            cells
        });
        let header = ["", "requests", "p50", "p95", "p99", "max"];
        let mut text = format!(
            "{}\n{} tasks/s over {:.1} s\n\n{}\n",
            self.what,
            grouped(self.per_second as u64),
            self.elapsed_s,
            figures(&header, rows.collect()),
        );
        if let (Some(commits), Some(flushes)) = (self.commits, self.flushes) {
            let shared = commits as f64 / flushes.max(1) as f64;
            text.push_str(&format!(
                "\nstore: {} commits, {} flushes, {shared:.1} commits a flush",
                grouped(commits),
                grouped(flushes)
            ));
        }
        if !self.processes.is_empty() {
            let rows = self.processes.iter().map(Used::cells).collect();
            let header = ["", "processor a task", "memory before", "after"];
            text.push_str(&format!("\n{}\n", figures(&header, rows)));
        }
        text.push_str(&format!(
            "\ndurability: {}; instances: {}; {} cores",
            self.durability, self.instances, self.cores
        ));
        text
    }
}
