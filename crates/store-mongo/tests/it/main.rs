//! The store over real servers: `MCPANEL_TEST_MONGODB_URI`, and Redis for the part that is in it.
#![expect(clippy::unwrap_used, reason = "this crate holds tests only")]

mod credentials;
mod faults;
mod forms;
mod mongo_conformance;
mod plans;
mod rivals;
mod servers;
mod serving;
mod shared;
mod shared_conformance;
mod unused;
mod upgrade;
mod work;
