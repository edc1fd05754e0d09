//! What happens, from the store of this process.

use async_trait::async_trait;
use mcpanel_control::{Control, Scope};
use mcpanel_domain::Namespace;
use mcpanel_realtime::ports::{Answer, Follow, Page};
use mcpanel_store::query::EventFilter;
use tokio::sync::watch;

use super::desk::refused;
use crate::views;

/// On whose behalf sockets read. Who may see what is decided by the rooms.
const READER: &str = "realtime";

/// The event log of the store.
pub(super) struct Log {
    control: Control,
}

impl Log {
    pub(super) fn new(control: Control) -> Self {
        Self { control }
    }
}

#[async_trait]
impl Follow for Log {
    async fn read(&self, namespace: &Namespace, after: u64, limit: usize) -> Answer<Page> {
        let scope = Scope::new(namespace.clone(), READER);
        let events = &self.control.events;
        let found = events
            .list(&scope, &EventFilter::default(), after, limit)
            .await;
        let found = found.map_err(|error| refused(error.into()))?;
        Ok(Page {
            events: found
                .events
                .iter()
                .map(|event| views::event::event(event))
                .collect(),
            scanned_to: found.scanned_to,
            last: found.last,
            first_kept: found.first_kept,
        })
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.control.events.watch()
    }
}
