//! Which store the tests of this process run over: the one in memory, unless [`STORE`] names another.
//!
//! A store is one arm of [`open`], so that every case of the API holds for all of them.

use std::{env, sync::Arc};

use mcpanel_store::{Store, memory::MemoryStore};
use mcpanel_store_embedded::{EmbeddedStore, Options};
use tempfile::TempDir;

use super::Clock;

/// The environment variable that names the store: one of [`NAMES`].
pub const STORE: &str = "MCPANEL_TEST_STORE";

/// The stores there are.
pub const NAMES: [&str; 2] = ["memory", "embedded"];

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
        Ok(other) => panic!("`{STORE}` is one of {NAMES:?}, not `{other}`"),
    }
}
