//! Moving everything out of a store in memory, or into it.

use std::{collections::BTreeSet, ops::Bound};

use async_trait::async_trait;
use mcpanel_domain::Namespace;

use super::MemoryStore;
use crate::{Error, IdempotencyRecord, Portable, Result};

#[async_trait]
impl Portable for MemoryStore {
    async fn all_namespaces(&self) -> Result<Vec<Namespace>> {
        let inner = self.inner.lock();
        let mut found = BTreeSet::new();
        found.extend(inner.tasks.keys().map(|key| &key.0));
        found.extend(inner.agents.keys().map(|key| &key.0));
        found.extend(inner.pipelines.keys().map(|key| &key.0));
        found.extend(inner.templates.keys().map(|key| &key.0));
        found.extend(inner.artifacts.keys().map(|key| &key.0));
        found.extend(inner.keys.keys().map(|key| &key.0));
        found.extend(inner.idempotency.keys().map(|key| &key.0));
        found.extend(inner.operations.keys().map(|key| &key.0));
        found.extend(inner.samples.keys().map(|key| &key.0));
        Ok(found.into_iter().cloned().collect())
    }

    async fn idempotency_records(
        &self,
        namespace: &Namespace,
        after: &str,
        limit: usize,
    ) -> Result<Vec<IdempotencyRecord>> {
        let inner = self.inner.lock();
        let from = Bound::Excluded((namespace.clone(), after.to_owned()));
        let records = inner.idempotency.range((from, Bound::Unbounded));
        Ok(records
            .take_while(|((of, _), _)| of == namespace)
            .map(|(_, record)| record.clone())
            .take(limit)
            .collect())
    }

    async fn number_events_from(&self, seq: u64) -> Result<()> {
        let mut inner = self.inner.lock();
        if inner.last_seq() > 0 {
            return Err(Error::Overloaded {
                what: format!("event {} is numbered already", inner.last_seq()),
            });
        }
        inner.seq_before = seq.saturating_sub(1);
        self.last_seq.send_replace(inner.last_seq());
        Ok(())
    }
}
