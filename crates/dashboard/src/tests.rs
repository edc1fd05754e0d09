//! The router in process, over a store in memory: who is let in, what forms need, what pages show of what others wrote.

mod agents;
mod browser;
mod escaping;
mod events;
mod failures;
mod live;
mod operations;
mod overview;
mod pipelines;
mod rights;
mod rows;
mod settings;
mod signing_in;
mod tasks;
mod views;
pub mod world;
