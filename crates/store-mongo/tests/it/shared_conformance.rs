//! The suite that every store passes, over MongoDB and Redis: one server, and a cluster.

use std::sync::Arc;

use mcpanel_store::{
    Store,
    conformance::{Backend, TestClock},
    memory::MemoryStore,
};
use mcpanel_store_mongo::{MongoStore, Shared, SharedSettings};

use crate::servers::{Database, given};

/// Where Redis is.
const REDIS: &str = "MCPANEL_TEST_REDIS_URL";

/// Where a Redis Cluster is.
const CLUSTER: &str = "MCPANEL_TEST_REDIS_CLUSTER_URL";

/// A store over a database and a prefix of its own; where there are no servers, one in memory holds its place.
enum Both {
    Real {
        store: Arc<MongoStore>,
        shared: Arc<Shared>,
        clock: TestClock,
        database: Database,
        url: String,
    },
    Skipped(Arc<MemoryStore>),
}

impl Both {
    async fn begin(variable: &str, clock: TestClock) -> Self {
        match (Database::new(), given(variable)) {
            (Some(database), Some(url)) => Self::open(database, url, clock).await,
            _ => Self::Skipped(Arc::new(MemoryStore::new(clock.reader()))),
        }
    }

    async fn open(database: Database, url: String, clock: TestClock) -> Self {
        let mut settings = database.settings();
        settings.clock = Some(clock.reader());
        let shared = SharedSettings {
            url: url.clone(),
            prefix: format!("{}:", database.name()),
            clock: clock.reader(),
        };
        let shared = Shared::open(shared).await.unwrap();
        Self::Real {
            store: MongoStore::open(settings, Some(shared.clone()))
                .await
                .unwrap(),
            shared,
            clock,
            database,
            url,
        }
    }

    fn stored(&self) -> Arc<dyn Store> {
        match self {
            Self::Real { store, .. } => store.clone(),
            Self::Skipped(store) => store.clone(),
        }
    }

    async fn again(self) -> Self {
        match self {
            Self::Real {
                store,
                shared,
                clock,
                database,
                url,
            } => {
                store.close().await;
                drop((store, shared));
                Self::open(database, url, clock).await
            }
            Self::Skipped(store) => Self::Skipped(Arc::new(store.restarted())),
        }
    }
}

macro_rules! backend {
    ($module:ident, $name:ident, $variable:expr) => {
        mod $module {
            use super::*;

            struct $name(Both);

            impl Backend for $name {
                async fn open(clock: TestClock) -> Self {
                    Self(Both::begin($variable, clock).await)
                }

                fn store(&self) -> Arc<dyn Store> {
                    self.0.stored()
                }

                async fn restart(self) -> Self {
                    Self(self.0.again().await)
                }
            }

            mcpanel_store::conformance!($name);
        }
    };
}

backend!(single, OverSingle, REDIS);
backend!(cluster, OverCluster, CLUSTER);
