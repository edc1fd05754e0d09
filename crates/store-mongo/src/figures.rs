//! All figures of a store over MongoDB, for whoever watches.

use crate::{
    cache::Hits, commit::Figures, link::LinkHealth, pool::PoolFigures, shared::SharedFigures,
    store::MongoStore,
};

/// All figures of one instance's store.
#[derive(Debug, Clone)]
pub struct StoreFigures {
    /// How well commits are merged.
    pub commits: Figures,
    /// How often each cache knew.
    pub caches: Vec<(&'static str, Hits)>,
    /// Connections to MongoDB.
    pub pool: PoolFigures,
    /// What was asked of the queue in Redis, where there is one.
    pub shared: Option<SharedFigures>,
    /// How the way to Redis is, where there is one.
    pub link: Option<LinkHealth>,
    /// How far this machine's clock is behind MongoDB's, in milliseconds.
    pub clock_offset_ms: i64,
}

impl MongoStore {
    /// All figures.
    pub fn all_figures(&self) -> StoreFigures {
        StoreFigures {
            commits: self.figures(),
            caches: self.cache_hits().to_vec(),
            pool: self.mongo.pool(),
            shared: self.shared().map(|shared| shared.figures()),
            link: self.shared().map(|shared| shared.health()),
            clock_offset_ms: self.clock_offset_ms(),
        }
    }
}
