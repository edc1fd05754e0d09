//! Documents in MongoDB, what can be rebuilt in Redis: one store for many instances.
//!
//! [`MongoStore`] is a [`Store`](mcpanel_store::Store) of which any number may be open on the same database.
//! MongoDB decides everything: a commit is one transaction, guarded by the revisions it was decided on, and
//! acknowledged by the majority's journals. What makes claims fast and listeners prompt is in Redis
//! ([`Shared`]); it may forget everything at any time, and the store goes on without it.
//!
//! - `documents`: how each document looks in MongoDB
//! - `schema`: collections, indexes, migrations
//! - `commit`: the all-or-nothing commit, merged across callers; `sequence`: numbers for events
//! - `read`, `answer`: questions to MongoDB as values, and what comes back
//! - `ready`, `timers`, `activity`: claims without Redis, what falls due, what happened
//! - [`project`], [`source`]: the seam to what is derived; [`shared`], [`queue`], [`stream`], [`link`]: Redis

mod activity;
mod answer;
pub mod cache;
mod chance;
mod clock;
mod commit;
mod documents;
mod error;
mod figures;
mod follow;
mod keys;
pub mod link;
mod mongo;
mod pool;
mod portable;
pub mod project;
pub mod queue;
pub mod rates;
mod read;
mod ready;
mod schema;
mod sequence;
mod sessions;
mod settings;
pub mod shared;
pub mod source;
mod store;
pub mod stream;
pub mod survey;
#[cfg(test)]
mod testing;
mod timers;
mod views;

pub use commit::Figures;
pub use error::OpenError;
pub use figures::StoreFigures;
pub use pool::PoolFigures;
pub use project::{Away, Change, Projection, ReadyQueue};
pub use sessions::Serving;
pub use settings::{Purpose, Settings};
pub use shared::{Shared, SharedFigures, SharedSettings};
pub use source::Source;
pub use store::MongoStore;
