//! The pages, a file or folder for each: what is read first, then what can be done.

pub mod agents;
pub mod artifacts;
pub mod events;
pub mod history;
pub mod operations;
pub mod overview;
pub mod people;
pub mod pipelines;
pub mod settings;
pub mod sign_in;
pub mod tasks;
