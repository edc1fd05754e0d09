//! Task lifecycles as fast as they go: each connection creates a batch, claims as much, completes it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Args;
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::{
    alive::Alive,
    report::{Report, Row},
    target::{Servers, Target},
    wire::{Address, Wire},
};
use crate::arguments::Global;

/// Task lifecycles through HTTP: create, claim, complete.
#[derive(Debug, Clone, Args)]
pub struct Load {
    #[command(flatten)]
    target: Target,
    /// Tasks to take through their life.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    tasks: u64,
    /// Connections at once.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    connections: u32,
    /// Tasks in each request; 1 uses the single-task endpoints.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    batch: u32,
    /// Size of each task's parameters, in bytes of JSON.
    #[arg(long, default_value_t = 545, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    payload_bytes: u32,
}

/// Latencies of one kind of request, in microseconds.
type Latencies = Histogram<u64>;

/// Longest latency told apart, in microseconds: a minute.
const LATENCY_US_MAX: u64 = 60_000_000;

/// Tasks of one preloading request.
const PRELOAD_BATCH: u32 = 500;

impl Load {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<()> {
        let servers = Servers::find(&self.target, global).await?;
        if self.target.preload > 0 {
            let preload = Self {
                tasks: self.target.preload,
                batch: PRELOAD_BATCH,
                ..self.clone()
            };
            preload.measure(&servers, "preloading").await?;
        }
        let before = servers.look().await?;
        let measured = self.measure(&servers, "measuring").await?;
        let mut report = Report::new(format!(
            "{} tasks, {} connections, batches of {}, {} bytes of parameters, {} ended tasks before",
            self.tasks, self.connections, self.batch, self.payload_bytes, self.target.preload
        ));
        report.instances = servers.count();
        report.durability = servers.durability().to_owned();
        report.per_second = self.tasks as f64 / measured.elapsed.as_secs_f64();
        report.elapsed_s = measured.elapsed.as_secs_f64();
        for (name, latencies) in [
            ("create", &measured.create),
            ("claim", &measured.claim),
            ("complete", &measured.complete),
        ] {
            report.rows.push(Row::new(name, latencies));
        }
        servers.tell(&before, self.tasks, &mut report).await?;
        report.write(global.format())
    }

    async fn measure(&self, servers: &Servers, word: &'static str) -> anyhow::Result<Measured> {
        let bar = bar(self.tasks, word);
        let shared = Arc::new(Shared {
            left: AtomicU64::new(self.tasks),
            done: AtomicU64::new(0),
            goal: self.tasks,
            parameters: parameters(self.payload_bytes),
            batch: self.batch,
            bar,
        });
        let mut connections = Vec::new();
        for number in 0..self.connections {
            let address = servers.address(number as usize);
            connections.push(Worker::sign_on(address, number, shared.clone()).await?);
        }
        let begun = Instant::now();
        // The first that fails ends the run: the others would wait for what it was to do.
        let mut workers: JoinSet<_> = connections.into_iter().map(Worker::work).collect();
        let mut measured = Measured::new();
        while let Some(worker) = workers.join_next().await {
            measured.add(&worker??)?;
        }
        measured.elapsed = begun.elapsed();
        shared.bar.finish_and_clear();
        Ok(measured)
    }
}

/// What all connections share.
struct Shared {
    /// Tasks that nobody has begun to create.
    left: AtomicU64,
    /// Tasks completed.
    done: AtomicU64,
    goal: u64,
    parameters: String,
    batch: u32,
    bar: ProgressBar,
}

impl Shared {
    /// Takes the next batch to create; zero when all are taken.
    fn take(&self) -> u64 {
        let batch = u64::from(self.batch);
        let before = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                Some(left.saturating_sub(batch))
            })
            .unwrap_or(0);
        before.min(batch)
    }
}

struct Measured {
    create: Latencies,
    claim: Latencies,
    complete: Latencies,
    elapsed: Duration,
}

impl Measured {
    fn new() -> Self {
        Self {
            create: histogram(),
            claim: histogram(),
            complete: histogram(),
            elapsed: Duration::ZERO,
        }
    }

    fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.create.add(&other.create)?;
        self.claim.add(&other.claim)?;
        self.complete.add(&other.complete)?;
        Ok(())
    }
}

/// A histogram of microseconds with three significant digits.
pub(super) fn histogram() -> Latencies {
    Histogram::new_with_bounds(1, LATENCY_US_MAX, 3).expect("the bounds are in order")
}

/// Counts an elapsed time.
pub(super) fn count(latencies: &mut Latencies, since: Instant) {
    let us = u64::try_from(since.elapsed().as_micros()).unwrap_or(LATENCY_US_MAX);
    latencies.saturating_record(us.max(1));
}

/// The type of the tasks, and the capability of the agents.
const TASK_TYPE: &str = "bench";

struct Worker {
    wire: Wire,
    _alive: Alive,
    agent_id: String,
    shared: Arc<Shared>,
}

/// What the generator reads of a claimed task.
#[derive(Deserialize)]
struct Given {
    task_id: String,
    lease: String,
}

#[derive(Deserialize)]
struct Claimed {
    tasks: Vec<Given>,
}

#[derive(Deserialize)]
struct Made {
    #[serde(default)]
    task_ids: Vec<String>,
}

#[derive(Serialize)]
struct Completions<'a> {
    completions: Vec<Completion<'a>>,
}

#[derive(Serialize)]
struct Completion<'a> {
    task_id: &'a str,
    lease: &'a str,
    result: Outcome,
}

#[derive(Serialize)]
struct Outcome {
    ok: bool,
}

#[derive(Deserialize)]
struct Results {
    results: Vec<Settled>,
}

#[derive(Deserialize)]
struct Settled {
    status: String,
}

/// An agent of the load generator: signs on as `bench-<number>`.
#[derive(Deserialize)]
pub(super) struct SignedOn {
    pub(super) agent: SignedOnAgent,
    pub(super) token: String,
}

#[derive(Deserialize)]
pub(super) struct SignedOnAgent {
    pub(super) agent_id: String,
}

/// Signs an agent on; later requests on the wire still carry the API key.
pub(super) async fn sign_on(
    wire: &mut Wire,
    name: &str,
    concurrency: u32,
    capability: &str,
) -> anyhow::Result<SignedOn> {
    let body = serde_json::json!({
        "agent_id": name, "name": name, "type": "bench",
        "capabilities": [capability], "concurrency": concurrency,
    });
    wire.post("/api/v1/agents/register", serde_json::to_vec(&body)?)
        .await
}

impl Worker {
    async fn sign_on(address: &Address, number: u32, shared: Arc<Shared>) -> anyhow::Result<Self> {
        let mut wire = Wire::open(address).await?;
        let concurrency = shared.batch.saturating_mul(2).min(10_000);
        let signed = sign_on(
            &mut wire,
            &format!("bench-{number}"),
            concurrency,
            TASK_TYPE,
        )
        .await?;
        let alive = Alive::over(Wire::open(address).await?, &signed.agent.agent_id);
        Ok(Self {
            wire,
            _alive: alive,
            agent_id: signed.agent.agent_id,
            shared,
        })
    }

    async fn work(mut self) -> anyhow::Result<Measured> {
        let mut measured = Measured::new();
        let claim_path = format!("/api/v1/agents/{}/claim", self.agent_id);
        while self.shared.done.load(Ordering::Relaxed) < self.shared.goal {
            let mine = self.shared.take();
            if mine > 0 {
                let begun = Instant::now();
                self.create(mine).await?;
                count(&mut measured.create, begun);
            }
            let wait_ms = if mine > 0 { 0 } else { 50 };
            let claim = format!(r#"{{"max":{},"wait_ms":{wait_ms}}}"#, self.shared.batch);
            let begun = Instant::now();
            let claimed: Claimed = self.wire.post(&claim_path, claim.into_bytes()).await?;
            if claimed.tasks.is_empty() {
                continue;
            }
            count(&mut measured.claim, begun);
            let begun = Instant::now();
            self.complete(&claimed.tasks).await?;
            count(&mut measured.complete, begun);
            let done = claimed.tasks.len() as u64;
            self.shared.done.fetch_add(done, Ordering::Relaxed);
            self.shared.bar.inc(done);
        }
        Ok(measured)
    }

    async fn create(&mut self, count: u64) -> anyhow::Result<()> {
        let task = format!(
            r#"{{"task_type":"{TASK_TYPE}","parameters":{}}}"#,
            self.shared.parameters
        );
        if self.shared.batch == 1 {
            let _: serde_json::Value = self.wire.post("/api/v1/tasks", task.into_bytes()).await?;
            return Ok(());
        }
        let mut body = String::with_capacity((task.len() + 1) * count as usize + 16);
        body.push_str(r#"{"tasks":["#);
        for at in 0..count {
            if at > 0 {
                body.push(',');
            }
            body.push_str(&task);
        }
        body.push_str("]}");
        let made: Made = self
            .wire
            .post("/api/v1/tasks/batch", body.into_bytes())
            .await?;
        anyhow::ensure!(
            made.task_ids.len() as u64 == count,
            "{count} tasks were sent, {} acknowledged",
            made.task_ids.len()
        );
        Ok(())
    }

    async fn complete(&mut self, tasks: &[Given]) -> anyhow::Result<()> {
        if self.shared.batch == 1 {
            for task in tasks {
                let body = format!(r#"{{"lease":"{}","result":{{"ok":true}}}}"#, task.lease);
                let path = format!("/api/v1/tasks/{}/complete", task.task_id);
                let _: serde_json::Value = self.wire.post(&path, body.into_bytes()).await?;
            }
            return Ok(());
        }
        let body = Completions {
            completions: tasks
                .iter()
                .map(|task| Completion {
                    task_id: &task.task_id,
                    lease: &task.lease,
                    result: Outcome { ok: true },
                })
                .collect(),
        };
        let results: Results = self
            .wire
            .post("/api/v1/tasks/complete", serde_json::to_vec(&body)?)
            .await?;
        let refused = results
            .results
            .iter()
            .filter(|each| each.status != "completed")
            .count();
        anyhow::ensure!(
            refused == 0,
            "{refused} of {} completions were refused",
            tasks.len()
        );
        Ok(())
    }
}

/// A JSON object of so many bytes.
pub(super) fn parameters(bytes: u32) -> String {
    let frame = r#"{"text":""}"#.len();
    let filler = (bytes as usize).saturating_sub(frame);
    let text: String = "a conversation about sleep, work and family "
        .chars()
        .cycle()
        .take(filler)
        .collect();
    format!(r#"{{"text":"{text}"}}"#)
}

/// A bar on standard error; silent where nobody looks.
pub(super) fn bar(length: u64, word: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template(
        "{msg:11} {bar:40} {human_pos}/{human_len} {per_sec} eta {eta}",
    ) {
        bar.set_style(style);
    }
    bar.set_message(word);
    bar
}
