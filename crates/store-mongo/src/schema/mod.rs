//! Collections, their indexes, and how they came to be.

mod few_indexes;
mod indexes;
mod migrate;

pub use indexes::{INDEXES, Index};
pub use migrate::prepare;

/// The specification's agents.
pub const AGENTS: &str = "agents";
/// The specification's tasks.
pub const TASKS: &str = "tasks";
/// The specification's pipelines.
pub const PIPELINES: &str = "pipelines";
/// Versions of templates.
pub const TEMPLATES: &str = "templates";
/// What is known about files.
pub const ARTIFACTS: &str = "artifacts";
/// API keys.
pub const API_KEYS: &str = "api_keys";
/// The memory of answered requests.
pub const IDEMPOTENCY: &str = "idempotency";
/// Lines that agents wrote.
pub const TASK_LOGS: &str = "task_logs";
/// The event log, in blocks.
pub const EVENT_BLOCKS: &str = "event_blocks";
/// Numbers that only grow.
pub const COUNTERS: &str = "counters";
/// How many tasks stand where, in shards that are added up.
pub const TASK_COUNTS: &str = "task_counts";
/// Wishes about many tasks.
pub const OPERATIONS: &str = "operations";
/// How namespaces stood, minute by minute.
pub const SAMPLES: &str = "samples";
/// What happened to tasks in the newest minutes, by instance.
pub const ACTIVITY: &str = "activity";
/// Large values, in chunks.
pub const PAYLOADS: &str = "payloads";
/// The schema's version and the lock for changing it.
pub const META: &str = "meta";

/// Every collection. They are made at start: a transaction should not have to.
pub const COLLECTIONS: [&str; 16] = [
    AGENTS,
    TASKS,
    PIPELINES,
    TEMPLATES,
    ARTIFACTS,
    API_KEYS,
    IDEMPOTENCY,
    TASK_LOGS,
    EVENT_BLOCKS,
    COUNTERS,
    TASK_COUNTS,
    OPERATIONS,
    SAMPLES,
    ACTIVITY,
    PAYLOADS,
    META,
];
