//! Tests over the built binary.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod crash;
mod doctor;
mod help;
mod identity;
mod instances;
mod namespaces;
mod nouns;
mod output;
mod run;
mod secure;
mod serve;
mod shell;
mod support;
mod terminal;
