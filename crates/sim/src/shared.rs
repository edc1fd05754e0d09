//! What the simulated store, the server and the actors of one run have in common.

use std::{collections::VecDeque, sync::Arc};

use mcpanel_domain::{TaskId, Timestamp, task::Proof};
use parking_lot::Mutex;

use crate::{clock::Clock, mutation::Mutation, observer::Observer, random::Random};

/// One call to the server.
#[derive(Debug)]
pub struct Operation {
    /// Its number within the run.
    pub number: u64,
    /// What is called.
    pub name: &'static str,
    /// Who calls.
    pub by: String,
    /// The task and lease that the caller claims to hold.
    pub held: Option<(TaskId, Proof)>,
    /// The earliest server time while it was under way.
    pub earliest: Mutex<Timestamp>,
    /// The fewest tasks that the caller held since its last commit, where the caller is an agent.
    pub least_held: Mutex<usize>,
    /// Tasks that the commit which is looked at has given out so far.
    pub given: Mutex<usize>,
}

/// How ill the world means it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Of a thousand commits, so many crash the server before they are written.
    pub crash_before: u64,
    /// Of a thousand commits, so many crash the server after they are written, before it answers.
    pub crash_after: u64,
    /// Of a thousand commits, so many are refused by the store.
    pub refuse: u64,
    /// Of a hundred store calls, so many let others go first.
    pub interleave: u64,
    /// Of a thousand commits, so many get no answer that tells whether they were written.
    pub unknown: u64,
    /// Of a thousand looks at the shared queue, so many find that it forgot something.
    pub forget: u64,
    /// Of a thousand looks at the shared queue, so many find that it forgot everything.
    pub flush: u64,
    /// Of ten thousand steps of a server, so many stop it for a while.
    pub stall: u64,
}

/// The common part.
pub struct Shared {
    /// Both times.
    pub clock: Arc<Clock>,
    /// The rule that is broken on purpose.
    pub mutation: Option<Mutation>,
    /// Watches the promises.
    pub observer: Mutex<Observer>,
    /// The operation that runs this moment.
    pub current: Mutex<Option<Arc<Operation>>>,
    /// How ill the world means it now.
    pub faults: Mutex<Faults>,
    /// Chance within the store.
    pub random: Mutex<Random>,
    /// The server of this number is to crash before anything else happens.
    pub crash: Mutex<Option<usize>>,
    trace: Mutex<VecDeque<String>>,
    trace_lines: usize,
}

impl Shared {
    /// The common part of a run.
    pub fn new(seed: u64, several: bool, mutation: Option<Mutation>, trace_lines: usize) -> Self {
        Self {
            clock: Arc::new(Clock::new(seed ^ 0x00c1_0cc1)),
            mutation,
            observer: Mutex::new(Observer::new(several)),
            current: Mutex::new(None),
            faults: Mutex::new(Faults::default()),
            random: Mutex::new(Random::new(seed ^ 0x5705_e5ed)),
            crash: Mutex::new(None),
            trace: Mutex::default(),
            trace_lines,
        }
    }

    /// Whether a rule is broken.
    pub fn breaks(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Writes down what happens, where anybody reads it.
    pub fn trace(&self, line: impl FnOnce() -> String) {
        if self.trace_lines > 0 {
            let mut lines = self.trace.lock();
            if lines.len() == self.trace_lines {
                lines.pop_front();
            }
            let by = self
                .current
                .lock()
                .as_ref()
                .map(|op| format!("{} {}#{}: ", op.by, op.name, op.number))
                .unwrap_or_default();
            lines.push_back(format!(
                "{:>9.3} s  [{}]  {by}{}",
                self.clock.elapsed_ms() as f64 / 1_000.0,
                self.clock.time(),
                line()
            ));
        }
    }

    /// The last lines that were written down.
    pub fn take_trace(&self) -> Vec<String> {
        std::mem::take(&mut *self.trace.lock()).into()
    }
}
