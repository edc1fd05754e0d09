//! The simulation at work: many seeds keep every promise, broken rules are noticed, runs repeat.

mod mutations;
mod repetition;
mod seeds;
