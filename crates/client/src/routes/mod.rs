//! A method for every route, in a file for each family.

mod agents;
mod artifacts;
mod keys;
mod metrics;
mod operations;
mod pipelines;
mod system;
mod tasks;
mod work;

pub(crate) use artifacts::artifact as artifact_path;
