//! The in-memory store under the conformance suite.

use std::sync::Arc;

use mcpanel_store::{
    Store,
    conformance::{Backend, TestClock},
    memory::MemoryStore,
};

struct Memory(Arc<MemoryStore>);

impl Backend for Memory {
    async fn open(clock: TestClock) -> Self {
        Self(Arc::new(MemoryStore::new(clock.reader())))
    }

    fn store(&self) -> Arc<dyn Store> {
        self.0.clone()
    }

    async fn restart(self) -> Self {
        Self(Arc::new(self.0.restarted()))
    }
}

mcpanel_store::conformance!(Memory);
