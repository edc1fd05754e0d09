//! The embedded store under the conformance suite: restarted from the commit log, and from the tables.

use std::sync::Arc;

use mcpanel_store::{
    Store,
    conformance::{Backend, TestClock},
};
use mcpanel_store_embedded::{EmbeddedStore, Options};
use tempfile::TempDir;

/// What a restart finds.
enum Stop {
    /// The process went away: the log holds what the tables lack.
    Dropped,
    /// It was closed: everything is in the tables.
    Closed,
}

struct Embedded {
    store: Arc<EmbeddedStore>,
    dir: TempDir,
    clock: TestClock,
}

/// Small segments, so that cases of some size see several of them; each flush on the other thread.
fn options(clock: &TestClock) -> Options {
    Options {
        segment_bytes: 64 * 1024,
        overlap_commits_min: 1,
        ..Options::new(clock.reader())
    }
}

impl Embedded {
    fn open(dir: TempDir, clock: TestClock) -> Self {
        Self {
            store: EmbeddedStore::open(dir.path(), options(&clock)).unwrap(),
            dir,
            clock,
        }
    }

    async fn reopen(self, stop: Stop) -> Self {
        if let Stop::Closed = stop {
            self.store.close().await;
        }
        drop(self.store);
        Self::open(self.dir, self.clock)
    }
}

macro_rules! backend {
    ($name:ident, $stop:expr) => {
        struct $name(Embedded);

        impl Backend for $name {
            async fn open(clock: TestClock) -> Self {
                Self(Embedded::open(tempfile::tempdir().unwrap(), clock))
            }

            fn store(&self) -> Arc<dyn Store> {
                self.0.store.clone()
            }

            async fn restart(self) -> Self {
                Self(self.0.reopen($stop).await)
            }
        }
    };
}

mod from_the_log {
    use super::*;
    backend!(Log, Stop::Dropped);
    mcpanel_store::conformance!(Log);
}

mod from_the_tables {
    use super::*;
    backend!(Tables, Stop::Closed);
    mcpanel_store::conformance!(Tables);
}
