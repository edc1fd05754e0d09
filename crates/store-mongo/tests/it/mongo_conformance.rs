//! The suite that every store passes, over MongoDB alone.

use std::sync::Arc;

use mcpanel_store::{
    Store,
    conformance::{Backend, TestClock},
    memory::MemoryStore,
};
use mcpanel_store_mongo::MongoStore;

use crate::servers::Database;

/// A store over a database of its own; where there is no server, one in memory holds its place.
pub enum Mongo {
    Real {
        store: Arc<MongoStore>,
        clock: TestClock,
        database: Database,
    },
    Skipped(Arc<MemoryStore>),
}

async fn open(database: Database, clock: TestClock) -> Mongo {
    let mut settings = database.settings();
    settings.clock = Some(clock.reader());
    Mongo::Real {
        store: MongoStore::open(settings, None).await.unwrap(),
        clock,
        database,
    }
}

impl Backend for Mongo {
    async fn open(clock: TestClock) -> Self {
        match Database::new() {
            Some(database) => open(database, clock).await,
            None => Self::Skipped(Arc::new(MemoryStore::new(clock.reader()))),
        }
    }

    fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Real { store, .. } => store.clone(),
            Self::Skipped(store) => store.clone(),
        }
    }

    async fn restart(self) -> Self {
        match self {
            Self::Real {
                store,
                clock,
                database,
            } => {
                store.close().await;
                drop(store);
                open(database, clock).await
            }
            Self::Skipped(store) => Self::Skipped(Arc::new(store.restarted())),
        }
    }
}

mcpanel_store::conformance!(Mongo);
