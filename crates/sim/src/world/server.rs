//! A server: the control layer over a store that others may share.

use std::sync::Arc;

use mcpanel_control::Control;
use mcpanel_store::memory::MemoryStore;

use crate::{
    clock::ServerClock,
    shared::Shared,
    store::{
        SimStore,
        distributed::{Common, Instance},
    },
};

/// One life of the server.
pub(super) struct Server {
    pub(super) store: Arc<SimStore>,
    pub(super) control: Control,
    /// Nobody answers before this moment of true time.
    pub(super) down_until_ms: u64,
}

impl Server {
    /// One of several servers.
    pub(super) fn beside(
        number: usize,
        common: &(Arc<MemoryStore>, Arc<Common>),
        shared: &Arc<Shared>,
        down_until_ms: u64,
    ) -> Self {
        let (documents, common) = common;
        let instance = Instance::new(number, common.clone());
        let store = SimStore::shared_by(documents.clone(), shared.clone(), instance);
        let store = Arc::new(store);
        let clock = ServerClock {
            clock: shared.clock.clone(),
            number,
        };
        Self {
            control: Control::new(store.clone(), Arc::new(clock)),
            store,
            down_until_ms,
        }
    }

    /// The only server.
    pub(super) fn over(documents: MemoryStore, shared: &Arc<Shared>, down_until_ms: u64) -> Self {
        let store = Arc::new(SimStore::new(documents, shared.clone()));
        Self {
            control: Control::new(store.clone(), shared.clock.clone()),
            store,
            down_until_ms,
        }
    }
}
