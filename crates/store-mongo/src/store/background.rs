//! What runs beside the answers, and how it ends.

use std::time::Duration;

use super::MongoStore;
use crate::{
    commit::{self, unused},
    sessions,
};

/// How often what happened is written down.
const ACTIVITY_EVERY: Duration = Duration::from_secs(1);

/// How often waiting claims look for tasks of other instances when Redis tells them nothing.
const WAKE_EVERY: Duration = Duration::from_secs(1);

/// How often the clock is compared with MongoDB's.
const CLOCK_EVERY: Duration = Duration::from_secs(30);

/// How long a closing store waits for what is being written.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

impl MongoStore {
    /// Starts the lanes of commits and everything that is done again and again.
    pub(super) fn begin(&self, lanes: usize) {
        let mut running = self.lanes.lock();
        for _ in 0..lanes.max(1) {
            running.spawn(commit::run(self.committer.clone()));
        }
        drop(running);
        let mut tasks = self.tasks.lock();
        self.numbering.lock().spawn(self.sequencer.clone().run());
        let mongo = self.mongo.clone();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(sessions::REFRESH).await;
                mongo.sessions().refresh().await;
            }
        });
        let activities = self.activities.clone();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(ACTIVITY_EVERY).await;
                if let Err(error) = activities.flush().await {
                    tracing::debug!(%error, "what happened could not be written down, which is tried again");
                }
            }
        });
        let queue = self.queue.clone();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(WAKE_EVERY).await;
                queue.look_for_others().await;
            }
        });
        if let Some(shared) = &self.shared {
            // Numbers that other instances gave are heard of here before the sequencer looks.
            let (mut heard, sequencer) = (shared.events().watch(), self.sequencer.clone());
            tasks.spawn(async move {
                while heard.changed().await.is_ok() {
                    let last = *heard.borrow_and_update();
                    sequencer.advance(last);
                }
            });
        }
        let mongo = self.mongo.clone();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(unused::LOOK_EVERY).await;
                match unused::forget_daily(&mongo).await {
                    Ok(0) => {}
                    Ok(values) => {
                        tracing::info!(values, "deleted large values that nothing refers to")
                    }
                    Err(error) => tracing::warn!(%error, "unused large values stay for now"),
                }
            }
        });
        let mongo = self.mongo.clone();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(CLOCK_EVERY).await;
                mongo.clock().synchronise(mongo.db()).await;
            }
        });
    }

    /// Finishes what was handed in, and stops. Nothing is taken after this.
    pub async fn close(&self) {
        self.committer.close();
        let mut lanes = std::mem::take(&mut *self.lanes.lock());
        let finish = async { while lanes.join_next().await.is_some() {} };
        if tokio::time::timeout(CLOSE_PATIENCE, finish).await.is_err() {
            tracing::warn!("some commits were still being written when the store was closed");
        }
        if let Err(error) = self.activities.flush().await {
            tracing::warn!(%error, "what happened in the last second could not be written down");
        }
        if let Err(error) = self.timers.flush().await {
            tracing::debug!(%error, "timers could not be put off");
        }
        // Ended in the middle of a transaction, it would leave that open for a minute.
        self.sequencer.close();
        let mut numbering = std::mem::take(&mut *self.numbering.lock());
        let finish = async { while numbering.join_next().await.is_some() {} };
        if tokio::time::timeout(CLOSE_PATIENCE, finish).await.is_err() {
            tracing::warn!("some events have no number yet; another instance gives it");
        }
        self.tasks.lock().abort_all();
        self.mongo.sessions().forget().await;
        if let Some(shared) = &self.shared {
            shared.close().await;
        }
    }

    /// Stops at once, in the middle of whatever is going on, as a killed process does. For tests of what others
    /// make of it.
    #[doc(hidden)]
    pub fn kill(&self) {
        self.lanes.lock().abort_all();
        self.numbering.lock().abort_all();
        self.tasks.lock().abort_all();
    }
}
