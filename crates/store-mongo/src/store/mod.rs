//! The store itself: the port, answered from MongoDB, and from Redis where it is there.
//!
//! - `open`: coming up; `background`: what runs beside, and the end of it
//! - `claims`: giving out tasks; `tasks`: by id, and how many; `timers`: what is due
//! - `events`, `cached`, `health`: questions that have more than one place to ask
//! - `port`: the port, delegations only

mod background;
mod cached;
mod claims;
mod events;
mod health;
mod open;
mod port;
mod tasks;
mod timers;

use std::sync::{Arc, atomic::AtomicU64};

use mcpanel_domain::{Timestamp, key::ApiKey, pipeline::Template};
use mcpanel_store::Result;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::{
    activity::Activities,
    answer,
    cache::{Brief, Hits, Lasting},
    commit::{Committer, Figures, unused},
    error::unavailable,
    mongo::Mongo,
    ready::Queue,
    sequence::Sequencer,
    sessions::Serving,
    shared::{Ledger, Shared},
    timers::Timers,
};

/// A store over MongoDB, one of any number of equal ones over the same database.
pub struct MongoStore {
    pub(crate) mongo: Mongo,
    pub(crate) committer: Arc<Committer>,
    pub(crate) sequencer: Arc<Sequencer>,
    queue: Arc<Queue>,
    timers: Arc<Timers>,
    activities: Arc<Activities>,
    pub(crate) live_pipelines: answer::LivePipelines,
    shared: Option<Arc<Shared>>,
    ledger: Arc<Ledger>,
    templates: Lasting<Template>,
    keys: Brief<[u8; 32], Arc<ApiKey>>,
    /// The oldest event that MongoDB kept when it was last asked; it only grows.
    first_kept: AtomicU64,
    lanes: Mutex<JoinSet<()>>,
    /// The one that numbers events.
    numbering: Mutex<JoinSet<()>>,
    tasks: Mutex<JoinSet<()>>,
}

impl MongoStore {
    /// The time that all instances share.
    pub fn now(&self) -> Timestamp {
        self.mongo.now()
    }

    /// How far this machine's clock is behind MongoDB's, in milliseconds.
    pub fn clock_offset_ms(&self) -> i64 {
        self.mongo.clock().offset_ms()
    }

    /// Deletes large values that were last used before a moment and that no document refers to; tells how many. The store
    /// does so by itself once a day.
    pub async fn forget_unused_values(&self, before: Timestamp) -> Result<u64> {
        unused::forget(&self.mongo, before).await
    }

    /// Who else serves from this database now.
    pub async fn serving(&self) -> Result<Vec<Serving>> {
        let serving = self.mongo.sessions().serving().await;
        serving.map_err(|error| unavailable(&error))
    }

    /// How well commits are merged.
    pub fn figures(&self) -> Figures {
        self.committer.figures()
    }

    /// The part in Redis, if there is one.
    pub fn shared(&self) -> Option<&Arc<Shared>> {
        self.shared.as_ref()
    }

    /// How often the caches knew: templates, API keys.
    pub fn cache_hits(&self) -> [(&'static str, Hits); 2] {
        [
            ("templates", self.templates.hits()),
            ("api_keys", self.keys.hits()),
        ]
    }
}
