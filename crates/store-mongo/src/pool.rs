//! Connections to MongoDB, counted: how many are open, in use, and waited for.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mongodb::event::{EventHandler, cmap::CmapEvent};

/// Counts connections as the driver tells of them.
#[derive(Debug, Default)]
pub struct Pool {
    created: AtomicU64,
    closed: AtomicU64,
    asked: AtomicU64,
    taken: AtomicU64,
    refused: AtomicU64,
    given_back: AtomicU64,
}

/// How connections stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolFigures {
    /// Most connections to one server.
    pub most: u32,
    /// Connections that are open.
    pub open: u64,
    /// Connections that calls have in use.
    pub in_use: u64,
    /// Calls that wait for one.
    pub waited: u64,
    /// Calls that got none, so far.
    pub refused: u64,
}

impl Pool {
    /// What the driver is given.
    pub fn handler(self: &Arc<Self>) -> EventHandler<CmapEvent> {
        let pool = self.clone();
        EventHandler::callback(move |event| pool.note(&event))
    }

    fn note(&self, event: &CmapEvent) {
        let counter = match event {
            CmapEvent::ConnectionCreated(_) => &self.created,
            CmapEvent::ConnectionClosed(_) => &self.closed,
            CmapEvent::ConnectionCheckoutStarted(_) => &self.asked,
            CmapEvent::ConnectionCheckedOut(_) => &self.taken,
            CmapEvent::ConnectionCheckoutFailed(_) => &self.refused,
            CmapEvent::ConnectionCheckedIn(_) => &self.given_back,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// How connections stand.
    pub fn figures(&self, most: u32) -> PoolFigures {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Counted one after another, so a difference may be a moment off, and never below nothing.
        let (taken, refused) = (of(&self.taken), of(&self.refused));
        PoolFigures {
            most,
            open: of(&self.created).saturating_sub(of(&self.closed)),
            in_use: taken.saturating_sub(of(&self.given_back)),
            waited: of(&self.asked).saturating_sub(taken + refused),
            refused,
        }
    }
}
