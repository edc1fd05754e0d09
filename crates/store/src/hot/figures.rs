//! What is counted: tasks by status, stages, queues, and what happened in a minute.

use std::collections::BTreeSet;

use mcpanel_domain::{
    Namespace, PipelineId, Timestamp, pipeline::StageCounts, sample::Activity, task::Task,
};

use super::Hot;
use crate::{
    Key,
    query::{Queue, Totals},
};

impl Hot {
    /// See [`Store::stage_counts`](crate::Store::stage_counts).
    pub fn stage_counts(&self, namespace: &Namespace, id: &PipelineId) -> Vec<StageCounts> {
        self.counts.of_pipeline(&(namespace.clone(), id.clone()))
    }

    /// See [`Store::totals`](crate::Store::totals).
    pub fn totals(&self, namespace: &Namespace) -> Totals {
        Totals {
            tasks: self.counts.of_namespace(namespace),
            ready: self.ready.count(namespace),
        }
    }

    /// Counts a committed change among what happened in its minute. Apart from [`Hot::apply_task`], because a start
    /// tells of documents, not of changes.
    pub fn record_activity(&mut self, old: Option<&Task>, new: &Task) {
        self.activities.record(old, new);
    }

    /// See [`Store::activity`](crate::Store::activity).
    pub fn activity(&self, namespace: &Namespace, minute: Timestamp) -> Activity {
        self.activities.of(namespace, minute)
    }

    /// What happened in the newest minutes, for a store that keeps it on disk.
    pub fn activities(&self) -> impl Iterator<Item = (&Namespace, Timestamp, &Activity)> {
        self.activities.all()
    }

    /// Sets what happened in a minute, for a store that keeps it on disk.
    pub fn restore_activity(&mut self, namespace: &Namespace, minute: Timestamp, was: Activity) {
        self.activities.restore(namespace, minute, was);
    }

    /// See [`Store::queues`](crate::Store::queues).
    pub fn queues(&self, namespace: &Namespace) -> Vec<Queue> {
        self.queues.of(namespace)
    }

    /// See [`Store::namespaces`](crate::Store::namespaces).
    pub fn namespaces(&self) -> Vec<Namespace> {
        let agents = self.agents.keys().map(|(namespace, _)| namespace);
        let all: BTreeSet<&Namespace> = self.counts.namespaces().chain(agents).collect();
        all.into_iter().cloned().collect()
    }

    /// Counts an ended task that a restarting store read, without keeping it.
    pub fn count_ended(&mut self, task: &Task) {
        self.counts.moved(None, task);
    }

    /// Sets how many tasks of a namespace stand where, for a store that keeps these counts on disk.
    pub fn restore_totals(&mut self, namespace: &Namespace, totals: [u64; 7]) {
        self.counts.set_namespace(namespace, totals);
    }

    /// Sets how many tasks of a pipeline's stages stand where, for a store that keeps these counts
    /// on disk.
    pub fn restore_stage_counts(&mut self, key: &Key<PipelineId>, stages: &[StageCounts]) {
        self.counts.set_pipeline(key, stages);
    }

    /// Whether the stage counts of a pipeline are here.
    pub fn has_stage_counts(&self, key: &Key<PipelineId>) -> bool {
        self.counts.has_pipeline(key)
    }

    /// Forgets the stage counts of a pipeline in which nothing happens any more; tells whether it
    /// did. For a store that keeps them on disk, so that memory does not grow with what was.
    pub fn retire_stage_counts(&mut self, key: &Key<PipelineId>) -> bool {
        let quiet = !self.live_of_pipeline.contains_key(key) && !self.unfinished.contains(key);
        if quiet {
            self.counts.forget_pipeline(key);
        }
        quiet
    }
}
