//! Transfers between stores of two kinds, there and back.
//!
//! - [`filler`]: one of everything
//! - [`whole`]: everything arrives, and what follows from it
//! - [`again`]: a copy that broke off goes on
//! - [`logs`]: logs come in pieces
//! - [`refusals`]: what is not copied, and said

mod again;
mod filler;
mod logs;
mod refusals;
mod whole;

use mcpanel_adapters::{ArtifactFiles, ArtifactStore};
use mcpanel_domain::{Namespace, Timestamp};
use mcpanel_store::memory::MemoryStore;
use mcpanel_store_embedded::{EmbeddedStore, Options};
use tempfile::TempDir;

use super::*;
use filler::Filler;

const NOW: i64 = 1_767_323_045_000;

fn now() -> Timestamp {
    Timestamp::from_ms(NOW)
}

fn namespaces() -> [Namespace; 2] {
    [
        Namespace::default_namespace(),
        Namespace::parse("other").unwrap(),
    ]
}

/// An end with its folder, which goes with it.
struct Place {
    end: End,
    folder: TempDir,
}

fn memory() -> Place {
    let folder = tempfile::tempdir().unwrap();
    Place {
        end: End {
            store: Arc::new(MemoryStore::new(Arc::new(now))),
            files: files(&folder),
        },
        folder,
    }
}

fn embedded() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let store =
        EmbeddedStore::open(folder.path().join("store"), Options::new(Arc::new(now))).unwrap();
    Place {
        end: End {
            store,
            files: files(&folder),
        },
        folder,
    }
}

fn files(folder: &TempDir) -> ArtifactStore {
    ArtifactFiles::new(folder.path().join("artifacts")).into()
}

fn quiet(_: Kind, _: u64) {}

async fn census(end: &End) -> Census {
    Census::take(end, &quiet).await.unwrap()
}

async fn fill(end: &End) {
    for namespace in namespaces() {
        Filler { end, namespace }.fill().await;
    }
}

async fn move_all(from: &End, to: &End) -> Census {
    let before = census(from).await;
    transfer(from, to, &before, &quiet).await.unwrap();
    let after = census(to).await;
    assert_eq!(after.differences(&before), Vec::new());
    assert_eq!(after, before);
    after
}
