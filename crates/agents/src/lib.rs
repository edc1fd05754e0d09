//! The six built-in stage agents: ordinary agents that use the client.
//!
//! The work of a stage is plain, synchronous, streaming code that knows no network: a [`stage::Stage`]
//! reads artifacts and writes artifacts through the [`job::Job`] handed to it. Whatever the size of the
//! file, a stage holds one record, one bounded buffer per open artifact, and counters; what has to be
//! remembered across records (duplicates, question groups) lives in a temporary SQLite database on disk.
//!
//! ```text
//! file ─▶ ingest ─▶ preprocess ─▶ bias ─▶ standardize ─▶ validate ─▶ output ─▶ dataset, report
//!         single     reduce       map      map            map         reduce
//!            │           │          │        │              │
//!            └ rejects   └ drops    └────────┴── metrics ───┴─▶ everything the report says
//! ```
//!
//! - [`job`], [`stage`], [`stages`]: the seam to whoever runs a stage, and the list of the six
//! - [`io`]: bounded lines, chunk artifacts, digests
//! - [`record`], [`metrics`]: what travels between stages
//! - [`ingest`], [`preprocess`], [`bias`], [`standardize`], [`validate`], [`output`]: the stages
//! - [`pii`]: removal of personal identifiers, with its measured precision and recall
//! - [`local`]: all six over a directory, without a server
//! - [`runtime`]: all six as agents of a server
//!
//! Nothing is silently away: a record that does not reach the dataset is in a `rejects` or `drops`
//! artifact with its source row and the reason, and counted in the stage's metrics.

pub mod bias;
pub mod ingest;
pub mod io;
pub mod job;
pub mod local;
pub mod metrics;
pub mod output;
pub mod parameters;
pub mod pii;
pub mod preprocess;
pub mod record;
pub mod runtime;
pub mod stage;
pub mod stages;
pub mod standardize;
pub mod text;
pub mod validate;
