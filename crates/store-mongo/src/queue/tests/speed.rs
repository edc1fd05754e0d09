//! What the queue costs the server. Run by hand:
//! `cargo test -p mcpanel-store-mongo --lib -- --ignored --nocapture queue::tests::speed`.

use std::{sync::Arc, time::Instant};

use mcpanel_domain::task::{State, Task};

use super::super::Queue;
use crate::testing::{assigned, next, now, ns, of_pipeline, offer, queue, servers, task};

const BATCH: usize = 100;

async fn cpu_seconds(queue: &Queue) -> f64 {
    let info: String = queue
        .link
        .call(|mut connection| async move {
            redis::cmd("INFO")
                .arg("cpu")
                .query_async(&mut connection)
                .await
        })
        .await
        .unwrap();
    let of = |field: &str| -> f64 {
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .unwrap();
        line.trim_start_matches(':').trim().parse().unwrap()
    };
    of("used_cpu_user:") + of("used_cpu_sys:")
}

async fn put(queue: &Queue, tasks: Vec<Arc<Task>>) {
    let tasks: Vec<(Arc<Task>, bool)> = tasks.into_iter().map(|task| (task, false)).collect();
    queue.put(&ns(), &tasks, now(), false).await.unwrap();
}

#[tokio::test]
#[ignore = "a measurement, not a test"]
async fn what_a_lifecycle_costs() {
    for (url, address) in servers() {
        if address.is_cluster() {
            continue;
        }
        for waiting in [0, 20_000] {
            let queue = queue(&address).await;
            let offer = offer("ada", &["read", "write", "work"], 10_000, BATCH as u32);
            let make = |n: usize| {
                let skill = ["read", "write"][n % 2];
                let task = task(&format!("task_{n:026}"), &[skill]);
                Arc::new(of_pipeline(task, &format!("pipe_{}", n % 20)))
            };
            for first in (0..waiting).step_by(BATCH) {
                put(&queue, (first..first + BATCH).map(make).collect()).await;
            }
            let begun = Instant::now();
            let mut phases = [0.0; 4];
            let mut done = 0;
            for round in 0..100 {
                let mut cpu = cpu_seconds(&queue).await;
                let mut spend = async |phase: usize| {
                    let now = cpu_seconds(&queue).await;
                    phases[phase] += now - cpu;
                    cpu = now;
                };
                let first = waiting + round * BATCH;
                put(&queue, (first..first + BATCH).map(make).collect()).await;
                spend(0).await;
                let taken = queue.take(&offer, offer.max, now()).await.unwrap();
                spend(1).await;
                assert_eq!(taken.tasks.len(), BATCH);
                let held: Vec<Arc<Task>> = taken
                    .tasks
                    .iter()
                    .map(|(id, _)| {
                        let n: usize = id.as_str()[5..].parse().unwrap();
                        Arc::new(assigned(&make(n), &offer, now()))
                    })
                    .collect();
                put(&queue, held.clone()).await;
                spend(2).await;
                let ended = held
                    .iter()
                    .map(|task| Arc::new(next(task, |task| task.state = State::Completed)));
                put(&queue, ended.collect()).await;
                spend(3).await;
                done += BATCH;
            }
            let [create, take, assign, end] = phases.map(|spent| spent * 1e6 / done as f64);
            println!(
                "{url}, {waiting} waiting: redis is busy for {:.1} µs with a task (created {create:.1}, taken {take:.1}, assigned {assign:.1}, ended {end:.1}); {:.0}/s in all",
                create + take + assign + end,
                done as f64 / begun.elapsed().as_secs_f64(),
            );
        }
    }
}
