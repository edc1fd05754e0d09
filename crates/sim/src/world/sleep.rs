//! Sleeping, in true time.

use std::cmp::Reverse;

use tokio::sync::oneshot;

use super::World;

impl World {
    /// Sleeps for so much true time.
    pub async fn sleep(&self, ms: u64) {
        let (ring, rung) = oneshot::channel();
        let number = self.number();
        let at = self.inner.shared.clock.elapsed_ms() + ms;
        self.inner.sleepers.borrow_mut().push(Reverse((at, number)));
        self.inner.alarms.borrow_mut().insert(number, ring);
        // A sender that was dropped wakes, too.
        let _ = rung.await;
    }

    /// Wakes all whose time has come; with `skip`, true time runs on to the next of them. False when nobody sleeps.
    pub fn wake_sleepers(&self, skip: bool) -> bool {
        let clock = &self.inner.shared.clock;
        if skip {
            let Some(Reverse((at, _))) = self.inner.sleepers.borrow().peek().copied() else {
                return false;
            };
            clock.advance(at.saturating_sub(clock.elapsed_ms()));
        }
        let now = clock.elapsed_ms();
        loop {
            let mut sleepers = self.inner.sleepers.borrow_mut();
            match sleepers.peek() {
                Some(Reverse((at, _))) if *at <= now => {}
                _ => return true,
            }
            if let Some(Reverse((_, number))) = sleepers.pop()
                && let Some(ring) = self.inner.alarms.borrow_mut().remove(&number)
            {
                // Who fell asleep may be gone with the server.
                let _ = ring.send(());
            }
        }
    }
}
