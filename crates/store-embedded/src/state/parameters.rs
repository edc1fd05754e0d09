//! Parameters of waiting tasks, so that a claim need not read the disk.

use mcpanel_domain::{Payload, TaskId};
use mcpanel_store::Key;
use rustc_hash::FxHashMap;

/// Parameters of waiting tasks, bounded in bytes. When it is full it takes nothing more rather than
/// dropping something: those that wait longest are the next to be asked for.
#[derive(Default)]
pub struct ParameterCache {
    entries: FxHashMap<Key<TaskId>, Payload>,
    bytes: usize,
    /// Most bytes.
    pub limit: usize,
}

impl ParameterCache {
    pub(super) fn put(&mut self, key: &Key<TaskId>, parameters: &Payload) {
        self.remove(key);
        let size = parameters.size_bytes();
        if self.bytes + size <= self.limit {
            self.entries.insert(key.clone(), parameters.clone());
            self.bytes += size;
        }
    }

    pub(super) fn get(&self, key: &Key<TaskId>) -> Option<&Payload> {
        self.entries.get(key)
    }

    pub(super) fn remove(&mut self, key: &Key<TaskId>) {
        if self.entries.is_empty() {
            return;
        }
        if let Some(parameters) = self.entries.remove(key) {
            self.bytes -= parameters.size_bytes();
        }
    }
}
