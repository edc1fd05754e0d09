//! How things went: throughput and latency over time, what waits by type, why tasks fail. All of it comes from the store, so
//! that every instance shows the same and a restart forgets nothing.

mod charts;
mod look;
mod tables;
mod window;

pub use charts::charts;
pub use look::look;
pub use tables::{queues, reasons};
pub use window::{HOUR_MS, Window};
