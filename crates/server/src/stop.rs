//! The signal that the server stops: readiness goes off, and whoever waits answers with what it has.

use std::sync::Arc;

use tokio::sync::watch;

/// The signal; cheap to clone.
#[derive(Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// A signal that has not been given.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Gives the signal. Doing so again changes nothing.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether the signal was given.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the signal is given; at once when it was.
    pub async fn begun(&self) {
        // The sender lives as long as this does, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|begun| *begun).await;
    }

    /// The signal as a channel, for loops of other crates.
    pub fn subscribe(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_until_it_is_given_and_not_after() {
        let stop = Stop::new();
        let waiting = tokio::time::timeout(Duration::from_secs(1), stop.begun());
        assert!(waiting.await.is_err());
        stop.begin();
        stop.begin();
        stop.begun().await;
        assert!(stop.has_begun());
    }
}
