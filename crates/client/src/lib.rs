//! The typed client: one method for every route, with the verb of the API.
//!
//! - [`Client`]: where the server is and who calls; cheap to clone, one pool of connections
//! - [`routes`]: the methods, a file for each family of routes
//! - [`transfer`]: artifacts, streamed to and from files, their digests checked
//! - [`events`]: following what happens, over broken connections
//! - [`Transport`]: encryption, whose certificates are trusted, and what may travel without
//! - [`socket`]: events and calls over Socket.IO
//! - [`worker`]: an agent's life: sign on, heartbeat, claim, work, report, leave
//!
//! Calls that may be repeated without harm are repeated while the server is away: reads, calls about work in
//! hand, and creations, which carry an [`IdempotencyKey`]. How long is [`Config::patience`]. Every other call
//! is repeated only where the request cannot have arrived.

mod address;
mod backoff;
mod call;
mod client;
mod config;
mod created;
mod error;
pub mod events;
mod key;
pub mod routes;
pub mod socket;
mod tls;
pub mod transfer;
pub mod worker;

pub use address::{Transport, is_of_this_machine, server_url};
pub use client::Client;
pub use config::{Config, Credential};
pub use created::Created;
pub use error::{Error, Result};
pub use key::IdempotencyKey;
pub use mcpanel_api as api;
pub use tls::{Distrust, Trust};

#[cfg(test)]
mod tests;
