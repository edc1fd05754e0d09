//! The API as its callers see it: the real router over the store in memory, and over the others ([`stores`]), with a
//! clock that the tests move.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod agents;
mod artifacts;
mod auth;
mod discovery;
mod events;
mod full_disk;
mod health;
mod keys;
mod metrics;
mod mount;
mod operations;
mod pipelines;
mod rates;
mod realtime;
mod serve;
mod stores;
mod support;
mod tasks;
mod templates;
mod whole;
