//! The commands that speak to a server, against a server.

mod agents;
mod artifacts;
mod events;
mod failures;
mod keys;
mod metrics;
mod ops;
mod pipelines;
mod submit;
mod tasks;
