//! What happens: from the store of this process, or from Redis where there is none.

use std::sync::Arc;

use async_trait::async_trait;
use mcpanel_control::{Control, Scope};
use mcpanel_domain::Namespace;
use mcpanel_realtime::{
    ports::{Answer, Follow, Page},
    refusal::Refusal,
};
use mcpanel_store::query::EventFilter;
use mcpanel_store_mongo::stream::{EventStream, Replay};
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

/// The events of all instances, as Redis carries them.
pub(super) struct Stream(Arc<EventStream>);

impl Stream {
    pub(super) fn new(events: Arc<EventStream>) -> Self {
        Self(events)
    }
}

#[async_trait]
impl Follow for Stream {
    async fn read(&self, namespace: &Namespace, after: u64, limit: usize) -> Answer<Page> {
        let replayed = self.0.replay(after, limit).await;
        let replayed = replayed.map_err(|error| {
            tracing::debug!(%error, "cannot read events from Redis");
            Refusal::Overloaded.because("Redis cannot be reached")
        })?;
        let last = self.0.last();
        Ok(match replayed {
            Replay::Events(events) => {
                let scanned_to = events.last().map_or(after, |event| event.seq);
                let ours = events
                    .iter()
                    .filter(|each| each.event.namespace == *namespace);
                Page {
                    events: ours.map(|event| views::event::event(event)).collect(),
                    scanned_to,
                    last: last.max(scanned_to),
                    first_kept: after + 1,
                }
            }
            // Nothing is newer, or what comes next was lost on the way.
            Replay::Gone { first_kept } => Page {
                events: Vec::new(),
                scanned_to: after.max(first_kept.saturating_sub(1)),
                last: last.max(after),
                first_kept,
            },
        })
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.0.watch()
    }

    fn is_live(&self) -> bool {
        self.0.is_live()
    }
}
