//! `mcpanel-sim`: simulates seeds and shows the last steps of those that break a promise.

use std::{
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use clap::Parser;
use mcpanel_sim::{Failure, Ground, Mutation, Options, simulate};

/// Deterministic simulation of the control layer.
#[derive(Debug, Parser)]
#[command(name = "mcpanel-sim", version)]
struct Arguments {
    /// Run this seed alone.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// What the control layer stands on.
    #[arg(long, default_value_t)]
    ground: Ground,
    /// A rule to break, to see the simulation notice.
    #[arg(long)]
    mutation: Option<Mutation>,
    /// How many of its last lines a failing seed shows.
    #[arg(long, default_value_t = Options::default().trace_lines)]
    trace: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let options = Options {
        ground: arguments.ground,
        mutation: arguments.mutation,
        trace_lines: arguments.trace,
    };
    match arguments.seed {
        Some(seed) => one(seed, options),
        None => many(arguments.from, arguments.seeds, options),
    }
}

fn one(seed: u64, options: Options) -> ExitCode {
    match simulate(seed, options) {
        Ok(report) => {
            println!("seed {seed} keeps every promise: {report}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Runs seeds on all processors; each is a world of its own. Stops at the first that fails.
fn many(from: u64, count: u64, options: Options) -> ExitCode {
    let next = AtomicU64::new(from);
    let end = from.saturating_add(count);
    let failed: Mutex<Option<Box<Failure>>> = Mutex::new(None);
    let crashes = AtomicU64::new(0);
    let tasks = AtomicU64::new(0);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    match simulate(seed, options) {
                        Ok(report) => {
                            crashes.fetch_add(u64::from(report.crashes), Ordering::Relaxed);
                            tasks.fetch_add(report.tasks.iter().sum(), Ordering::Relaxed);
                        }
                        Err(failure) => {
                            next.store(end, Ordering::Relaxed);
                            *failed.lock().expect("no worker panics") = Some(failure);
                            return;
                        }
                    }
                }
            });
        }
    });
    match failed.into_inner().expect("no worker panics") {
        Some(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
        None => {
            println!(
                "{count} seeds from {from} keep every promise: {} tasks, {} crashes of the server",
                tasks.into_inner(),
                crashes.into_inner()
            );
            ExitCode::SUCCESS
        }
    }
}
