//! What was measured with sockets.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{
    arguments::Format,
    commands::bench::report::Percentiles,
    output::{
        self,
        listing::figures,
        numbers::{bytes, grouped},
    },
};

/// A measurement.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// How long it took to connect so many sockets.
    pub connected: Vec<Connected>,
    pub rows: Vec<Row>,
    /// The server's memory with idle sockets, where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
}

/// Sockets that connected.
#[derive(Debug, Serialize)]
pub struct Connected {
    pub sockets: u32,
    pub elapsed_s: f64,
}

/// Latencies of one kind.
#[derive(Debug, Serialize)]
pub struct Row {
    pub name: &'static str,
    pub count: u64,
    #[serde(flatten)]
    pub percentiles: Percentiles,
}

/// What idle sockets cost.
#[derive(Debug, Serialize)]
pub struct Memory {
    pub sockets: u32,
    pub before_bytes: u64,
    pub after_bytes: u64,
    pub bytes_per_socket: u64,
}

impl Row {
    /// Of latencies in microseconds.
    pub fn of(name: &'static str, latencies: &Histogram<u64>) -> Self {
        Self {
            name,
            count: latencies.len(),
            percentiles: Percentiles::of(latencies),
        }
    }
}

impl Report {
    pub fn connected(&mut self, sockets: u32, elapsed: Duration) {
        self.connected.push(Connected {
            sockets,
            elapsed_s: elapsed.as_secs_f64(),
        });
    }

    pub fn memory(&mut self, sockets: u32, before: Option<u64>, after: Option<u64>) {
        if let (Some(before_bytes), Some(after_bytes)) = (before, after) {
            self.memory = Some(Memory {
                sockets,
                before_bytes,
                after_bytes,
                bytes_per_socket: after_bytes.saturating_sub(before_bytes)
                    / u64::from(sockets.max(1)),
            });
        }
    }

    /// Writes it to stdout.
    pub fn write(&self, format: Format) -> anyhow::Result<()> {
        match format {
            Format::Json => output::json(self)?,
            Format::Jsonl => output::jsonl(self)?,
            Format::Yaml => output::yaml::document(self)?,
            Format::Name => {
                let worst = self.rows.first().map_or(0.0, |row| row.percentiles.p99_ms);
                output::line(&format!("{worst:.2}"))?;
            }
            Format::Table | Format::Wide => output::line(&self.table())?,
        }
        Ok(())
    }

    fn table(&self) -> String {
        let ms = |value: f64| format!("{value:.2} ms");
        let mut text = String::new();
        for Connected { sockets, elapsed_s } in &self.connected {
            let sockets = grouped(u64::from(*sockets));
            text.push_str(&format!(
                "{sockets} sockets connected in {elapsed_s:.1} s\n"
            ));
        }
        let rows = self.rows.iter().map(|row| {
            let Percentiles {
                p50_ms,
                p95_ms,
                p99_ms,
                max_ms,
            } = row.percentiles;
            let mut cells = vec![row.name.to_owned(), grouped(row.count)];
            cells.extend([p50_ms, p95_ms, p99_ms, max_ms].map(ms));
            cells
        });
        let header = ["", "count", "p50", "p95", "p99", "max"];
        text.push_str(&format!("\n{}", figures(&header, rows.collect())));
        if let Some(memory) = &self.memory {
            text.push_str(&format!(
                "\n\nmemory of the server: {} before, {} with {} idle sockets, {} each",
                bytes(memory.before_bytes),
                bytes(memory.after_bytes),
                grouped(u64::from(memory.sockets)),
                bytes(memory.bytes_per_socket)
            ));
        }
        text
    }
}
