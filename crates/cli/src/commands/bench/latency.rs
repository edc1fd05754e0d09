//! How long a task takes from its creation to an agent's hands, at a fixed rate. The schedule does not wait for
//! answers, so that a slow moment is counted as often as it would be felt (no coordinated omission).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use clap::Args;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::{
    alive::Alive,
    load::{bar, count, histogram, parameters, sign_on},
    report::{Report, Row},
    target::{Servers, Target},
    wire::{Address, Wire},
};
use crate::arguments::Global;

/// From creation to an agent's hands, at a fixed rate.
#[derive(Debug, Clone, Args)]
pub struct Latency {
    #[command(flatten)]
    target: Target,
    /// Tasks created each second.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=20_000))]
    rate: u64,
    /// For so many seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Agents that wait for work; with none, creations alone are measured.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(0..=1_024))]
    agents: u32,
}

/// Connections that create tasks: enough that none waits for another's answer at usual rates.
const CREATORS: usize = 32;

/// How long after the last creation a delivery is waited for, in seconds.
const STRAGGLERS_S: u64 = 30;

/// The capability of the agents.
const TASK_TYPE: &str = "bench-latency";

/// When each task was due to be created, and when its creation was acknowledged.
type Times = Arc<Mutex<HashMap<String, Instant>>>;

#[derive(Deserialize)]
struct Claimed {
    tasks: Vec<Given>,
}

#[derive(Deserialize)]
struct Given {
    task_id: String,
    lease: String,
}

impl Latency {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<()> {
        let servers = Servers::find(&self.target, global).await?;
        let total = self.rate * self.seconds;
        let due: Times = Arc::default();
        let bar = bar(total, "measuring");
        let finish = Arc::new(Semaphore::new(0));
        let mut agents = Vec::new();
        for number in 0..self.agents {
            agents.push(tokio::spawn(agent(
                servers.address(number as usize).clone(),
                number,
                due.clone(),
                bar.clone(),
                finish.clone(),
            )));
        }
        // Let the agents' first claims arrive.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = servers.look().await?;
        let begun = Instant::now();
        let creators: Vec<_> = (0..CREATORS as u64)
            .map(|number| {
                tokio::spawn(create(
                    servers.address(number as usize).clone(),
                    Schedule {
                        begun,
                        rate: self.rate,
                        first: number,
                        total,
                    },
                    due.clone(),
                ))
            })
            .collect();
        let mut creation = histogram();
        for creator in creators {
            creation.add(&creator.await??)?;
        }
        let patience = Duration::from_secs(self.seconds + STRAGGLERS_S);
        while self.agents > 0 && bar.position() < total && begun.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        finish.close();
        let mut delivery = histogram();
        for agent in agents {
            delivery.add(&agent.await??)?;
        }
        bar.finish_and_clear();
        anyhow::ensure!(
            self.agents == 0 || delivery.len() == total,
            "{total} tasks were created, {} delivered",
            delivery.len()
        );
        let mut report = Report::new(format!(
            "{} tasks/s for {} s, {} waiting agents, one task a request",
            self.rate, self.seconds, self.agents
        ));
        report.instances = servers.count();
        report.durability = servers.durability().to_owned();
        report.per_second = total as f64 / begun.elapsed().as_secs_f64();
        report.elapsed_s = begun.elapsed().as_secs_f64();
        report.rows.push(Row::new("create", &creation));
        if self.agents > 0 {
            report.rows.push(Row::new("due to delivered", &delivery));
        }
        servers.tell(&before, total, &mut report).await?;
        report.write(global.format())
    }
}

struct Schedule {
    begun: Instant,
    rate: u64,
    first: u64,
    total: u64,
}

/// Creates every n-th task of the schedule at its time.
async fn create(
    address: Address,
    schedule: Schedule,
    due: Times,
) -> anyhow::Result<hdrhistogram::Histogram<u64>> {
    let mut wire = Wire::open(&address).await?;
    let mut latencies = histogram();
    let parameters = parameters(545);
    let mut number = schedule.first;
    while number < schedule.total {
        let at = schedule.begun + Duration::from_secs_f64(number as f64 / schedule.rate as f64);
        tokio::time::sleep_until(at.into()).await;
        let id = format!("bench-{:x}-{number}", std::process::id());
        due.lock()
            .map_err(|_| anyhow::anyhow!("another connection failed"))?
            .insert(id.clone(), at);
        let body =
            format!(r#"{{"task_id":"{id}","task_type":"{TASK_TYPE}","parameters":{parameters}}}"#);
        let _: serde_json::Value = wire.post("/api/v1/tasks", body.into_bytes()).await?;
        count(&mut latencies, at);
        number += CREATORS as u64;
    }
    Ok(latencies)
}

/// Waits for work, notes when it comes, completes it.
async fn agent(
    address: Address,
    number: u32,
    due: Times,
    bar: indicatif::ProgressBar,
    finish: Arc<Semaphore>,
) -> anyhow::Result<hdrhistogram::Histogram<u64>> {
    let mut wire = Wire::open(&address).await?;
    let signed = sign_on(
        &mut wire,
        &format!("bench-latency-{number}"),
        1_000,
        TASK_TYPE,
    )
    .await?;
    let path = format!("/api/v1/agents/{}/claim", signed.agent.agent_id);
    wire.use_token(&signed.token);
    let mut latencies = histogram();
    let mut beats = Wire::open(&address).await?;
    beats.use_token(&signed.token);
    let _alive = Alive::over(beats, &signed.agent.agent_id);
    while !finish.is_closed() {
        let claimed: Claimed = wire
            .post(&path, br#"{"max":20,"wait_ms":500}"#.to_vec())
            .await?;
        for task in &claimed.tasks {
            let at = due
                .lock()
                .map_err(|_| anyhow::anyhow!("another connection failed"))?
                .remove(&task.task_id);
            if let Some(at) = at {
                count(&mut latencies, at);
                bar.inc(1);
            }
        }
        if claimed.tasks.is_empty() {
            continue;
        }
        let completions: Vec<serde_json::Value> = claimed
            .tasks
            .iter()
            .map(|task| serde_json::json!({"task_id": task.task_id, "lease": task.lease, "result": {"ok": true}}))
            .collect();
        let body = serde_json::to_vec(&serde_json::json!({ "completions": completions }))?;
        let _: serde_json::Value = wire.post("/api/v1/tasks/complete", body).await?;
    }
    Ok(latencies)
}
