//! Tests over the built binary.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod crash;
mod help;
mod nouns;
mod run;
mod serve;
mod shell;
mod support;
