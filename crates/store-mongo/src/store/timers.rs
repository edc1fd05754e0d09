//! What is due, and when to look again.

use mcpanel_domain::Timestamp;
use mcpanel_store::{Due, Result};

use super::MongoStore;

impl MongoStore {
    /// Timers that have run out. Tasks whose time has come are ready from here on.
    pub(super) async fn ended_timers(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>> {
        self.queue.promote(now).await?;
        if let Some(shared) = &self.shared {
            shared.promote(now).await;
        }
        self.timers.due(now, limit).await
    }

    /// When the next timer runs out, or the next task becomes ready.
    pub(super) async fn next_timer(&self) -> Result<Option<Timestamp>> {
        let timers = self.timers.next().await?;
        let later = self.queue.next_later_stored().await?;
        Ok([timers, later].into_iter().flatten().min())
    }
}
