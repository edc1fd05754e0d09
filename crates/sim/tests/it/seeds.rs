//! What every change must pass.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use mcpanel_sim::{Ground, Options, simulate};

/// As many as every change must pass; `cargo run -p mcpanel-sim -- --seeds N` runs more.
const SEEDS: u64 = 1_000;

/// As many with several servers over one database. They meet in more ways, and take longer.
const DISTRIBUTED_SEEDS: u64 = 600;

#[test]
fn a_thousand_seeds_keep_every_promise() {
    keep_every_promise(Ground::Embedded, SEEDS);
}

#[test]
fn several_servers_over_a_queue_that_forgets_keep_every_promise() {
    keep_every_promise(Ground::Distributed, DISTRIBUTED_SEEDS);
}

fn keep_every_promise(ground: Ground, seeds: u64) {
    let options = Options {
        ground,
        ..Options::default()
    };
    let next = AtomicU64::new(0);
    let crashes = AtomicU64::new(0);
    let completed = AtomicU64::new(0);
    let operated = AtomicU64::new(0);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let report =
                        simulate(seed, options).unwrap_or_else(|failure| panic!("{failure}"));
                    crashes.fetch_add(u64::from(report.crashes), Ordering::Relaxed);
                    operated.fetch_add(report.operated, Ordering::Relaxed);
                    completed.fetch_add(report.tasks[0], Ordering::Relaxed);
                }
            });
        }
    });
    // A simulation in which nothing happens keeps every promise, too.
    assert!(
        crashes.into_inner() > seeds / 4,
        "servers hardly ever crash"
    );
    assert!(
        completed.into_inner() > 2 * seeds,
        "tasks are hardly ever completed"
    );
    assert!(
        operated.into_inner() > seeds / 10,
        "operations on many tasks changed some"
    );
}
