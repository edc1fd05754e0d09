//! What it takes to move everything from one store into another, beside what every caller can ask.

use async_trait::async_trait;
use mcpanel_domain::Namespace;

use crate::{IdempotencyRecord, Result, Store};

/// A store whose whole content can be read, and that can take in the whole content of another, by commits whose
/// [`import`](crate::Commit::import) is set. Nobody else may use it meanwhile.
#[async_trait]
pub trait Portable: Store {
    /// Every namespace that holds anything, in order.
    async fn all_namespaces(&self) -> Result<Vec<Namespace>>;

    /// Memories of answered requests with a key above `after`, in the order of their keys; also such as ran out and were
    /// not purged.
    async fn idempotency_records(
        &self,
        namespace: &Namespace,
        after: &str,
        limit: usize,
    ) -> Result<Vec<IdempotencyRecord>>;

    /// Gives the next event this number; refused once there are events. The first one is 1 without it.
    async fn number_events_from(&self, seq: u64) -> Result<()>;
}
