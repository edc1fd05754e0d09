//! Deterministic simulation of the control layer.
//!
//! One seed drives a whole world: clients that create tasks, agents that work, crash, fall silent and
//! come back, operators, pipelines, a server clock that jumps, a server that crashes at every commit
//! point and is started again over what is durable. The code under test is the real one, `mcpanel_control`
//! over the in-memory store; the store stops at every call so that operations interleave there as they would
//! in a busy server. On the other [`Ground`] there are several servers at once, whose clocks disagree, over one
//! database that may write what it did not answer, and a queue that may forget anything. An observer compares every commit and every answer with the promises.
//!
//! Nothing here depends on the machine: the same seed does the same thing, so a failing seed is a
//! complete bug report. `cargo run -p mcpanel-sim -- --seed N` shows its last steps.

mod actors;
mod clock;
mod executor;
mod ground;
mod mutation;
mod observer;
mod random;
mod run;
mod shared;
mod store;
mod world;

pub use ground::Ground;
pub use mutation::Mutation;
pub use observer::{Promise, Violation};
pub use run::{Failure, Options, Report, simulate};
