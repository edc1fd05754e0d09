//! How the store is.

use std::{future::IntoFuture as _, time::Duration};

use mcpanel_store::query::Health;

use super::MongoStore;

/// How long MongoDB may take to show that it is there, before the store says that it takes no changes. It usually
/// takes a millisecond, and whoever asks gives up after a few seconds.
const PING_PATIENCE: Duration = Duration::from_secs(1);

impl MongoStore {
    /// Whether MongoDB is there, and what was done so far.
    pub(super) async fn look(&self) -> Health {
        let figures = self.figures();
        let ping = self
            .mongo
            .db()
            .run_command(mongodb::bson::doc! { "ping": 1 });
        // Reads go to the primary too, so that there are none either where it does not answer.
        let read_only = match tokio::time::timeout(PING_PATIENCE, ping.into_future()).await {
            Ok(Ok(_)) => None,
            Ok(Err(_)) => Some("MongoDB has no primary that can be reached".to_owned()),
            Err(_) => Some(format!(
                "MongoDB does not answer within {} ms",
                PING_PATIENCE.as_millis()
            )),
        };
        Health {
            engine: "mongodb",
            size_bytes: match &read_only {
                None => self.mongo.size_bytes().await,
                Some(_) => None,
            },
            reads: read_only.is_none(),
            read_only,
            flushes: figures.transactions,
            commits: figures.commits,
        }
    }
}
