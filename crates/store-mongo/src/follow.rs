//! Those who are told of what became durable.

use std::sync::Arc;

use mcpanel_domain::event::Numbered;
use parking_lot::RwLock;

use crate::project::{Change, Projection};

/// Everyone who follows this instance's commits.
#[derive(Default)]
pub struct Followers(RwLock<Vec<Arc<dyn Projection>>>);

impl Followers {
    /// One more.
    pub fn add(&self, follower: Arc<dyn Projection>) {
        self.0.write().push(follower);
    }

    fn all(&self) -> Vec<Arc<dyn Projection>> {
        self.0.read().clone()
    }

    /// Tells of changes.
    pub async fn apply(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        for follower in self.all() {
            follower.apply(changes).await;
        }
    }

    /// Tells of events that have their numbers.
    pub async fn publish(&self, events: &[Arc<Numbered>]) {
        if events.is_empty() {
            return;
        }
        for follower in self.all() {
            follower.publish(events).await;
        }
    }
}
