//! Moving everything out of this store, or into it, while nobody else uses it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use mcpanel_domain::Namespace;
use mcpanel_store::{Error, IdempotencyRecord, Portable, Result};

use crate::{EmbeddedStore, read::with_tables, state::State};

#[async_trait]
impl Portable for EmbeddedStore {
    async fn all_namespaces(&self) -> Result<Vec<Namespace>> {
        let shared = self.shared();
        let mut found = BTreeSet::new();
        // Memory first: what leaves it meanwhile is in the tables by then.
        in_memory(&shared.state.lock(), &mut found);
        found.extend(shared.namespaces.names());
        Ok(found.into_iter().collect())
    }

    async fn idempotency_records(
        &self,
        namespace: &Namespace,
        after: &str,
        limit: usize,
    ) -> Result<Vec<IdempotencyRecord>> {
        let mut found: BTreeMap<String, IdempotencyRecord> = BTreeMap::new();
        {
            // Memory first: what leaves it meanwhile is in the tables by then.
            let state = self.shared().state.lock();
            let recents = state.recents().flat_map(|recent| &recent.idempotency);
            for ((of, key), record) in recents {
                if of == namespace && key.as_str() > after {
                    // Newest first.
                    found.entry(key.clone()).or_insert_with(|| record.clone());
                }
            }
        }
        let stored = with_tables(self.shared(), |read| {
            read.idempotency_records(namespace, after, limit)
        })?;
        for record in stored {
            found.entry(record.key.clone()).or_insert(record);
        }
        Ok(found.into_values().take(limit).collect())
    }

    async fn number_events_from(&self, seq: u64) -> Result<()> {
        let mut state = self.shared().state.lock();
        if state.last_seq > 0 {
            return Err(Error::Overloaded {
                what: format!("event {} is numbered already", state.last_seq),
            });
        }
        // The log says with which number its next flush begins, so this is remembered as soon as it matters.
        state.last_seq = seq.saturating_sub(1);
        state.first_kept = seq;
        self.shared().last_seq.send_replace(state.last_seq);
        Ok(())
    }
}

/// Namespaces of what the tables may not have yet.
fn in_memory(state: &State, found: &mut BTreeSet<Namespace>) {
    let mut add = |namespace: &Namespace| {
        if !found.contains(namespace) {
            found.insert(namespace.clone());
        }
    };
    state.order.keys().for_each(&mut add);
    state.keys.keys().for_each(|key| add(&key.0));
    state.templates.keys().for_each(|key| add(&key.0));
    for recent in state.recents() {
        recent.tasks.keys().for_each(|key| add(&key.0));
        recent.agents.keys().for_each(|key| add(&key.0));
        recent.pipelines.keys().for_each(|key| add(&key.0));
        recent.artifacts.keys().for_each(|key| add(&key.0));
        recent.idempotency.keys().for_each(|key| add(&key.0));
        recent.operations.keys().for_each(|key| add(&key.0));
        recent.samples.keys().for_each(|key| add(&key.0));
    }
}
