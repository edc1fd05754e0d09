//! Questions to MongoDB, each as a value, apart from how its answer is read.

mod counts;
mod events;
mod lists;
mod query;
mod tasks;

pub use counts::{MILLI, of_namespace, of_pipeline, stages, totals};
pub use events::{BLOCK_EVENTS_MAX, after as blocks_after, numbered, oldest as oldest_block};
pub use lists::{
    artifacts as list_artifacts, listing, live_tasks, operations as list_operations,
    pipelines as list_pipelines, tasks as list_tasks,
};
pub use query::Query;
pub use tasks::{by_ids, class_suits, logs, ready_in, template, waiting_on};
