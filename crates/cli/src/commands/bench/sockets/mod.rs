//! How soon people hear, and what a socket costs: one broadcast to many, and many agents that only live.
//!
//! The server is a process of its own, so that its memory is its own.

mod broadcast;
mod idle;
mod process;
mod report;

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use mcpanel_client::{Credential, socket::Socket};

use crate::arguments::Format;
use process::Process;
use report::Report;

/// Sockets: broadcasts to many, and many that are idle.
#[derive(Debug, Clone, Args)]
pub struct Sockets {
    /// Clients that follow everything.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    clients: u32,
    /// Events told to each of them.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    events: u32,
    /// Events each second.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rate: u32,
    /// Agents that sign on, send heartbeats and have nothing to do.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=50_000))]
    idle: u32,
    /// How long they do that, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(10..=600))]
    idle_seconds: u64,
}

/// Sockets that connect at once.
const CONNECTING: usize = 64;

/// Longest wait for a straggler.
const STRAGGLER: Duration = Duration::from_secs(30);

impl Sockets {
    /// Runs it.
    pub async fn run(self, format: Format) -> anyhow::Result<()> {
        let server = Process::start().await?;
        let mut report = Report::default();
        if self.clients > 0 {
            broadcast::measure(&self, &server, &mut report).await?;
        }
        if self.idle > 0 {
            idle::measure(&self, &server, &mut report).await?;
        }
        report.write(format)
    }
}

/// Connects so many sockets, some at a time, and does something first on each.
async fn connect<T, F>(
    server: &Process,
    count: u32,
    begin: impl Fn(u32, Socket) -> F,
) -> anyhow::Result<Vec<T>>
where
    F: Future<Output = anyhow::Result<T>>,
{
    use futures::{StreamExt, TryStreamExt};
    let credential = Credential::ApiKey(server.key.clone());
    futures::stream::iter(0..count)
        .map(|number| {
            let (credential, begin) = (&credential, &begin);
            async move {
                let socket = Socket::connect(&server.realtime, credential).await;
                let socket = socket.with_context(|| {
                    format!("socket {number} of {count}; `ulimit -n` must allow that many files")
                })?;
                begin(number, socket).await
            }
        })
        .buffer_unordered(CONNECTING)
        .try_collect()
        .await
}
