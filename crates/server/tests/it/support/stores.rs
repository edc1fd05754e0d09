//! Which store the tests of this process run over: the one in memory, unless [`STORE`] names another.
//!
//! A store is one arm of [`open`], so that every case of the API holds for all of them.

use std::{
    env,
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use mcpanel_store::{Store, memory::MemoryStore};
use mcpanel_store_embedded::{EmbeddedStore, Options};
use mcpanel_store_mongo::{MongoStore, Settings, Shared, SharedSettings};
use tempfile::TempDir;

use super::Clock;

/// The environment variable that names the store: one of [`NAMES`].
pub const STORE: &str = "MCPANEL_TEST_STORE";

/// The stores there are.
pub const NAMES: [&str; 3] = ["memory", "embedded", "mongodb"];

/// Where MongoDB is.
pub const MONGODB: &str = "MCPANEL_TEST_MONGODB_URI";

/// Where Redis is, one server or a cluster.
pub const REDIS: &str = "MCPANEL_TEST_REDIS_URL";

/// Connections of one test's store to MongoDB: many tests run at once.
const CONNECTIONS: u32 = 8;

/// A new, empty store, and what must live as long as it.
pub struct Opened {
    pub store: Arc<dyn Store>,
    pub folder: Option<TempDir>,
}

/// Opens the store of this process.
pub async fn open(clock: Clock) -> Opened {
    match env::var(STORE).as_deref() {
        Err(_) | Ok("memory") => Opened {
            store: Arc::new(MemoryStore::new(clock)),
            folder: None,
        },
        Ok("embedded") => {
            let folder = tempfile::tempdir().unwrap();
            Opened {
                store: EmbeddedStore::open(folder.path(), Options::new(clock)).unwrap(),
                folder: Some(folder),
            }
        }
        Ok("mongodb") => Opened {
            store: mongodb(clock).await,
            folder: None,
        },
        Ok(other) => panic!("`{STORE}` is one of {NAMES:?}, not `{other}`"),
    }
}

/// A store over the servers that the environment names, with a database and keys of its own. They stay behind: the
/// servers of tests are thrown away with all that is in them.
async fn mongodb(clock: Clock) -> Arc<dyn Store> {
    let [mongodb, redis] = [MONGODB, REDIS].map(|variable| env::var(variable).unwrap());
    let own = RandomState::new().build_hasher().finish();
    let shared = SharedSettings {
        url: redis,
        prefix: format!("api-{own:016x}:"),
        clock: clock.clone(),
    };
    let settings = Settings {
        database: Some(format!("api_{own:016x}")),
        connections: CONNECTIONS,
        clock: Some(clock),
        ..Settings::new(mongodb)
    };
    let shared = Shared::open(shared).await.unwrap();
    MongoStore::open(settings, Some(shared)).await.unwrap()
}
