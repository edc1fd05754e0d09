//! Tests over the built binary.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod crash;
mod help;
mod nouns;
mod run;
mod shell;
mod support;
