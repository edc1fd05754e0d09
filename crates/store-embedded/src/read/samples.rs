//! Samples of minutes.

use std::{collections::BTreeMap, sync::Arc};

use mcpanel_domain::{Namespace, Timestamp, sample::Sample};
use mcpanel_store::Result;

use super::with_tables;
use crate::shared::Shared;

/// Samples of minutes from `from` on and before `to`, oldest first.
pub fn samples(
    shared: &Shared,
    namespace: &Namespace,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Arc<Sample>>> {
    let mut found: BTreeMap<Timestamp, Arc<Sample>> = BTreeMap::new();
    let from = {
        let state = shared.state.lock();
        let from = from.max(state.samples_from);
        for (key, sample) in state.recents().flat_map(|recent| &recent.samples) {
            if key.0 == *namespace && (from..to).contains(&key.1) {
                found.insert(key.1, sample.clone());
            }
        }
        from
    };
    for sample in with_tables(shared, |read| read.samples(namespace, from, to))? {
        found
            .entry(sample.minute)
            .or_insert_with(|| Arc::new(sample));
    }
    Ok(found.into_values().collect())
}
