//! One run: ills for a while, then calm until everything has ended.

use std::{fmt, sync::Arc};

use mcpanel_domain::task::Status;

use crate::{
    actors,
    executor::{Executor, Group},
    ground::Ground,
    mutation::Mutation,
    observer::{Promise, Violation},
    random::Random,
    shared::{Faults, Shared},
    world::World,
};

/// How a run is made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What the control layer stands on.
    pub ground: Ground,
    /// A rule to break.
    pub mutation: Option<Mutation>,
    /// How many of its last lines a failing run shows.
    pub trace_lines: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ground: Ground::Embedded,
            mutation: None,
            trace_lines: TRACE_LINES,
        }
    }
}

/// A screenful: what happened in the last seconds before a promise was broken.
const TRACE_LINES: usize = 60;

/// A run that kept every promise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Steps of the executor.
    pub steps: u64,
    /// Simulated milliseconds.
    pub elapsed_ms: u64,
    /// Crashes of the server.
    pub crashes: u32,
    /// Events recorded; with the other figures the fingerprint of a run.
    pub events: u64,
    /// Tasks by how they ended: completed, failed, cancelled.
    pub tasks: [u64; 3],
    /// Pipelines that were completed.
    pub pipelines_completed: u64,
    /// Tasks that operations on many tasks changed.
    pub operated: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [completed, failed, cancelled] = self.tasks;
        write!(
            f,
            "{} steps in {:.1} simulated seconds, {} crashes of the server, {} events, \
             {completed} tasks completed, {failed} failed, {cancelled} cancelled, {} pipelines completed, \
             {} tasks changed by operations",
            self.steps,
            self.elapsed_ms as f64 / 1_000.0,
            self.crashes,
            self.events,
            self.pipelines_completed,
            self.operated
        )
    }
}

/// A run that broke a promise.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Which run.
    pub seed: u64,
    /// On what the control layer stood.
    pub ground: Ground,
    /// The rule that was broken on purpose, if one was.
    pub mutation: Option<Mutation>,
    /// At which step.
    pub step: u64,
    /// What was broken.
    pub violation: Violation,
    /// The last things that happened.
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(f, "{line}")?;
        }
        writeln!(f)?;
        writeln!(
            f,
            "seed {} breaks a promise at step {}",
            self.seed, self.step
        )?;
        writeln!(f, "  promise: {}", self.violation.promise)?;
        writeln!(f, "  broken:  {}", self.violation.detail)?;
        write!(
            f,
            "  again:   cargo run -p mcpanel-sim -- --seed {}",
            self.seed
        )?;
        if self.ground != Ground::default() {
            write!(f, " --ground {}", self.ground)?;
        }
        match self.mutation {
            Some(mutation) => write!(f, " --mutation {mutation}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// Steps that a run may take; usual ones take a fiftieth of it.
const STEPS_MAX: u64 = 400_000;

/// True time that the calm may take until everything has ended: longer than all delays, deadlines
/// and graces of a run together.
const CALM_MS_MAX: u64 = 3_600_000;

/// Runs a seed; when it breaks a promise, runs it again to write down how.
pub fn simulate(seed: u64, options: Options) -> Result<Report, Box<Failure>> {
    let quiet = Options {
        trace_lines: 0,
        ..options
    };
    run(seed, quiet)
        .map_err(|_| run(seed, options).expect_err("a run is decided by its seed alone"))
}

fn run(seed: u64, options: Options) -> Result<Report, Box<Failure>> {
    let several = options.ground == Ground::Distributed;
    let shared = Arc::new(Shared::new(
        seed,
        several,
        options.mutation,
        options.trace_lines,
    ));
    let mut random = Random::new(seed);
    let mut executor = Executor::default();
    let world = World::new(
        shared.clone(),
        executor.spawner(),
        Random::new(seed ^ 0xac70_0125),
        options.ground,
    );
    let ills_ms = random.within(20_000..=120_000);
    *shared.faults.lock() = Faults {
        crash_before: random.within(0..=10),
        crash_after: random.within(0..=10),
        refuse: random.within(0..=10),
        interleave: random.within(10..=70),
        ..match options.ground {
            Ground::Embedded => Faults {
                unknown: random.within(0..=10),
                ..Faults::default()
            },
            Ground::Distributed => Faults {
                unknown: random.within(0..=30),
                forget: random.within(0..=100),
                flush: random.within(0..=10),
                stall: random.within(0..=20),
                ..Faults::default()
            },
        }
    };
    actors::cast(&world, ills_ms);
    let mut steps = 0;
    let verdict = loop {
        if let Some(violation) = shared.observer.lock().violation() {
            break Err(violation.clone());
        }
        let crashed = shared.crash.lock().take();
        if let Some(number) = crashed {
            executor.drop_all(Group::Server(number));
            world.restart(number);
            continue;
        }
        steps += 1;
        if steps > STEPS_MAX {
            break Err(endless(&shared));
        }
        let elapsed_ms = shared.clock.elapsed_ms();
        if !world.is_calm() && elapsed_ms >= ills_ms {
            *shared.faults.lock() = Faults {
                interleave: 20,
                ..Faults::default()
            };
            world.calm();
        }
        if executor.step(&mut random) {
            if random.chance(25) {
                shared.clock.advance(random.within(0..=4));
                world.wake_sleepers(false);
            }
            continue;
        }
        // Nothing is under way this moment; the reconcilers' own loops sleep.
        if executor.count_servers() <= world.servers() {
            if random.chance(4) {
                world.inspect(|store| {
                    let namespace = world.namespace();
                    shared
                        .observer
                        .lock()
                        .at_rest(store, &namespace, &shared.clock);
                });
            }
            if world.is_calm() && shared.observer.lock().unfinished().is_empty() {
                break Ok(());
            }
        }
        if elapsed_ms > ills_ms + CALM_MS_MAX || !world.wake_sleepers(true) {
            break Err(endless(&shared));
        }
    };
    let verdict = verdict.and_then(|()| {
        world.inspect(|store| {
            let namespace = world.namespace();
            let mut observer = shared.observer.lock();
            observer.at_rest(store, &namespace, &shared.clock);
            observer.at_end(store, &namespace);
        });
        match shared.observer.lock().violation() {
            Some(violation) => Err(violation.clone()),
            None => Ok(()),
        }
    });
    world.end();
    // Futures hold the world, and the world holds what makes futures: part them.
    for number in 0..world.servers() {
        executor.drop_all(Group::Server(number));
    }
    executor.drop_all(Group::Actors);
    match verdict {
        Ok(()) => Ok(report(&shared, &world, steps)),
        Err(violation) => Err(Box::new(Failure {
            seed,
            ground: options.ground,
            mutation: options.mutation,
            step: steps,
            violation,
            trace: shared.take_trace(),
        })),
    }
}

fn endless(shared: &Shared) -> Violation {
    Violation {
        promise: Promise::EverythingEnds,
        detail: shared.observer.lock().unfinished().join(", "),
    }
}

fn report(shared: &Shared, world: &World, steps: u64) -> Report {
    let observer = shared.observer.lock();
    let count = |status| {
        let of = observer
            .tasks()
            .values()
            .filter(|task| task.status() == status);
        u64::try_from(of.count()).unwrap_or(u64::MAX)
    };
    Report {
        steps,
        elapsed_ms: shared.clock.elapsed_ms(),
        crashes: world.crashes(),
        events: observer.last_seq(),
        tasks: [Status::Completed, Status::Failed, Status::Cancelled].map(count),
        pipelines_completed: {
            let completed = observer
                .pipelines()
                .values()
                .filter(|pipeline| pipeline.status == mcpanel_domain::pipeline::Status::Completed);
            u64::try_from(completed.count()).unwrap_or(u64::MAX)
        },
        operated: observer.operations().values().map(|each| each.done).sum(),
    }
}
