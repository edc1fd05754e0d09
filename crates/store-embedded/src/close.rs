//! Closing a store.

use crate::store::EmbeddedStore;

impl EmbeddedStore {
    /// Writes what waits, brings the tables up to date and ends the threads. Commits that come later are
    /// refused. Without it, dropping the store loses nothing either: the next start reads the log.
    pub async fn close(&self) {
        if let Some(threads) = self.begin_close(true) {
            let settler = self.settler().clone();
            // Joining waits for the disk, which the runtime's own threads must not.
            let joined = tokio::task::spawn_blocking(move || threads.join(&settler)).await;
            if joined.is_err() {
                tracing::error!("closing the store did not end as it should");
            }
        }
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        if let Some(threads) = self.begin_close(false) {
            let settler = self.settler().clone();
            threads.join(&settler);
        }
    }
}
