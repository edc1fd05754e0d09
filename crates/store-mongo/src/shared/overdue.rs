//! What could not be told to Redis, and is told later from the documents as they are then.

use mcpanel_domain::{AgentId, Namespace, PipelineId, TaskId};
use mcpanel_store::Key;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Shared;
use crate::source::Standing;

/// What is remembered one by one; with more, everything is looked at.
const OVERDUE_MAX: usize = 20_000;

/// What could not be told.
#[derive(Default)]
pub(super) struct Overdue {
    pub(super) tasks: FxHashMap<Namespace, FxHashSet<TaskId>>,
    pub(super) agents: FxHashSet<Key<AgentId>>,
    pub(super) pipelines: FxHashSet<Key<PipelineId>>,
    count: usize,
    /// There was more than can be remembered.
    pub(super) all: bool,
}

impl Overdue {
    /// Whether one more can be remembered.
    fn has_room(&mut self) -> bool {
        if self.count >= OVERDUE_MAX {
            *self = Self {
                all: true,
                ..Self::default()
            };
        }
        self.count += 1;
        !self.all
    }
}

impl Shared {
    /// Remembers tasks whose change could not be told.
    pub(super) fn owe<'a>(&self, namespace: &Namespace, ids: impl Iterator<Item = &'a TaskId>) {
        let mut overdue = self.overdue.lock();
        for id in ids {
            if overdue.has_room() {
                overdue
                    .tasks
                    .entry(namespace.clone())
                    .or_default()
                    .insert(id.clone());
            }
        }
    }

    /// Remembers agents and pipelines that are to be shown.
    pub(super) fn owe_views<'a>(
        &self,
        namespace: &Namespace,
        agents: impl Iterator<Item = &'a AgentId>,
        pipelines: impl Iterator<Item = &'a PipelineId>,
    ) {
        let mut overdue = self.overdue.lock();
        for id in agents {
            if overdue.has_room() {
                overdue.agents.insert((namespace.clone(), id.clone()));
            }
        }
        for id in pipelines {
            if overdue.has_room() {
                overdue.pipelines.insert((namespace.clone(), id.clone()));
            }
        }
    }
}

/// The changes of one namespace on their way. What was not told when this is dropped is owed: who waits for it may lose
/// patience in the middle.
pub(super) struct Untold<'a> {
    shared: &'a Shared,
    pub(super) namespace: &'a Namespace,
    pub(super) tasks: Vec<Standing>,
    pub(super) agents: Vec<&'a AgentId>,
    pub(super) pipelines: Vec<&'a PipelineId>,
}

impl<'a> Untold<'a> {
    pub(super) fn new(shared: &'a Shared, namespace: &'a Namespace) -> Self {
        Self {
            shared,
            namespace,
            tasks: Vec::new(),
            agents: Vec::new(),
            pipelines: Vec::new(),
        }
    }
}

impl Drop for Untold<'_> {
    fn drop(&mut self) {
        if !self.tasks.is_empty() {
            self.shared.note_disturbance();
            self.shared.count_overdue(self.tasks.len());
            let ids = self.tasks.iter().map(|(task, _)| &task.id);
            self.shared.owe(self.namespace, ids);
        }
        let agents = self.agents.iter().copied();
        let pipelines = self.pipelines.iter().copied();
        self.shared.owe_views(self.namespace, agents, pipelines);
    }
}
