//! The embedded store against a bare append log, in the same run.
//!
//! Both do the same: three durable writes a task (create, assign, complete), 256 tasks in flight, an answer only after
//! the flush that holds it. They take turns, so that a noisy neighbour meets both.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use mcpanel_server::env::SystemEnv;
use mcpanel_store_embedded::bench::{Config, run};

use crate::{arguments::Format, output};

/// The embedded store against a bare append log.
#[derive(Debug, Clone, Args)]
pub struct StoreBench {
    /// The disk to measure: a folder of it. What is written there is removed afterwards.
    #[arg(long, value_name = "DIR", default_value = ".")]
    on: PathBuf,
    /// Complete so many tasks before measuring.
    #[arg(long, value_name = "TASKS", default_value_t = 0)]
    preload: u64,
    /// Turns of each side.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds of each turn.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Tasks in flight.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=4_096))]
    in_flight: u16,
    /// Let every flush take so many milliseconds at least, on both sides: how the two would do on a slower disk.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0.0, value_parser = milliseconds)]
    flush_ms: f64,
}

impl StoreBench {
    /// Runs it.
    pub async fn run(self, format: Format) -> anyhow::Result<()> {
        let dir = tempfile::tempdir_in(&self.on)?;
        let config = Config {
            in_flight: usize::from(self.in_flight),
            rounds: self.rounds,
            round: Duration::from_secs(self.seconds),
            preloaded: self.preload,
            flush_at_least: Duration::from_secs_f64(self.flush_ms / 1_000.0),
            ..Config::new(dir.path().to_path_buf())
        };
        let report = run(&config, Arc::new(SystemEnv::now)).await?;
        match format {
            Format::Json => anstream::println!("{}", serde_json::to_string_pretty(&report)?),
            Format::Jsonl => anstream::println!("{}", serde_json::to_string(&report)?),
            Format::Yaml => output::yaml::document(&report)?,
            Format::Table | Format::Wide | Format::Name => anstream::println!("{report}"),
        }
        Ok(())
    }
}

/// Longer than any disk's flush that a store should live on.
const FLUSH_MS_MAX: f64 = 1_000.0;

fn milliseconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(ms) if (0.0..=FLUSH_MS_MAX).contains(&ms) => Ok(ms),
        _ => Err(format!(
            "not a number from 0 to {FLUSH_MS_MAX}, such as `1.5`"
        )),
    }
}
