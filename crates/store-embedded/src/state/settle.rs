//! Handing changes to the tables, and letting go of what they have.

use std::sync::Arc;

use mcpanel_domain::{Namespace, Payload, PipelineId, TaskId};
use mcpanel_store::Key;
use rustc_hash::{FxHashMap, FxHashSet};

use super::State;
use crate::recent::Recent;

impl State {
    /// Closes the present changes for writing them to the tables.
    pub fn freeze(&mut self) -> Arc<Recent> {
        let fresh = self.spare.take().unwrap_or_default();
        let mut closed = std::mem::replace(&mut self.active, fresh);
        let namespaces: FxHashSet<&Namespace> = closed
            .tasks
            .keys()
            .map(|(namespace, _)| namespace)
            .collect();
        let activities = self
            .hot
            .activities()
            .filter(|(namespace, ..)| namespaces.contains(namespace))
            .map(|(namespace, minute, activity)| ((namespace.clone(), minute), activity.clone()))
            .collect();
        let totals = namespaces
            .into_iter()
            .map(|namespace| (namespace.clone(), self.hot.totals(namespace).tasks))
            .collect();
        let stage_counts = closed
            .counted
            .iter()
            .map(|key| (key.clone(), self.hot.stage_counts(&key.0, &key.1)))
            .collect();
        closed.activities = activities;
        closed.totals = totals;
        closed.stage_counts = stage_counts;
        let closed = Arc::new(closed);
        self.frozen = Some(closed.clone());
        closed
    }

    /// Lets go of what the tables have now.
    pub fn settled(&mut self, settled: Settled) {
        self.first_kept = settled.first_kept;
        for (namespace, id) in settled.highest {
            let highest = self.highest_settled.entry(namespace);
            let highest = highest.or_insert_with(|| id.clone());
            if *highest < id {
                *highest = id;
            }
        }
        for (key, parameters) in settled.waiting {
            if self.hot.live_task_at(&key).is_some() {
                self.parameters.put(&key, &parameters);
            }
        }
        if let Some(written) = self.frozen.take() {
            self.retirable.extend(written.counted.iter().cloned());
        }
    }

    /// Lets go of the counts of pipelines in which nothing happens any more; of those on their way, `busy` knows.
    pub fn retire(&mut self, busy: impl Fn(&Key<PipelineId>) -> bool) {
        for key in std::mem::take(&mut self.retirable) {
            if busy(&key) {
                self.retirable.push(key);
            } else if !self.active.counted.contains(&key)
                && !self
                    .frozen
                    .as_ref()
                    .is_some_and(|frozen| frozen.counted.contains(&key))
            {
                self.hot.retire_stage_counts(&key);
            }
        }
    }
}

/// What is to be remembered of changes that the tables have now.
#[derive(Default)]
pub struct Settled {
    /// The number of the oldest event kept.
    pub first_kept: u64,
    /// The highest task id among them, of each namespace.
    pub highest: FxHashMap<Namespace, TaskId>,
    /// Parameters of tasks that had not ended.
    pub waiting: Vec<(Key<TaskId>, Payload)>,
}

impl Settled {
    /// Looks through the changes.
    pub fn of(recent: &Recent, first_kept: u64) -> Self {
        let mut settled = Self {
            first_kept,
            ..Self::default()
        };
        for (key, changed) in &recent.tasks {
            match settled.highest.get_mut(&key.0) {
                Some(highest) if *highest >= key.1 => {}
                Some(highest) => *highest = key.1.clone(),
                None => {
                    settled.highest.insert(key.0.clone(), key.1.clone());
                }
            }
            if let Some(parameters) = &changed.parameters
                && !changed.task.status().is_terminal()
            {
                settled.waiting.push((key.clone(), parameters.clone()));
            }
        }
        settled
    }
}
