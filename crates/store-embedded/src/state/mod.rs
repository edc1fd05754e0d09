//! Everything that is in memory, behind one lock that is held shortly and never across a flush.

mod apply;
mod parameters;
mod settle;

use std::{collections::BTreeSet, sync::Arc};

use mcpanel_domain::{
    KeyId, Namespace, OperationId, Payload, PipelineId, TaskId, TemplateId, Timestamp,
    key::ApiKey,
    log::Line,
    operation::Operation,
    pipeline::{Pipeline, StageCounts, Template},
    task::Task,
};
use mcpanel_store::{
    Key, Subject,
    hot::{DependencyState, Hot},
    query::Payloads,
};
use rustc_hash::FxHashMap;

use crate::recent::Recent;

pub use parameters::ParameterCache;
pub use settle::Settled;

/// What is in memory.
#[derive(Default)]
pub struct State {
    /// Live tasks and agents, and what follows from them.
    pub hot: Hot,
    /// Changes of the present segment.
    pub active: Recent,
    /// Changes of the segment before it, while they are being written to the tables.
    pub frozen: Option<Arc<Recent>>,
    /// An empty one, with room.
    pub spare: Option<Recent>,
    /// The live tasks, in the order of lists.
    pub order: FxHashMap<Namespace, BTreeSet<(Timestamp, TaskId)>>,
    /// All API keys: one is looked up with each request.
    pub keys: FxHashMap<Key<KeyId>, Arc<ApiKey>>,
    pub keys_by_hash: FxHashMap<[u8; 32], Key<KeyId>>,
    /// All versions of all templates, oldest first.
    pub templates: FxHashMap<Key<TemplateId>, Vec<Arc<Template>>>,
    /// The number of the newest event.
    pub last_seq: u64,
    /// The number of the oldest event kept.
    pub first_kept: u64,
    /// The highest task id in the tables: a higher one is not there.
    pub highest_settled: FxHashMap<Namespace, TaskId>,
    /// Idempotency records that ended by then are forgotten.
    pub purged_to: Timestamp,
    /// Samples of minutes before then are forgotten.
    pub samples_from: Timestamp,
    /// Operations that have not ended.
    pub running: BTreeSet<Key<OperationId>>,
    /// Parameters of waiting tasks that are in the tables.
    pub parameters: ParameterCache,
    /// Pipelines whose counts the tables have, to be let go by the writer: it may be between
    /// looking at a pipeline and writing to it.
    pub retirable: Vec<Key<PipelineId>>,
}

/// What a commit needs to know beyond memory, read before it is applied.
#[derive(Default)]
pub struct Beyond {
    /// Ended tasks that are in the tables only.
    pub tasks: FxHashMap<Key<TaskId>, Arc<Task>>,
    /// How dependencies stand that are not in memory as live.
    pub dependencies: FxHashMap<Key<TaskId>, DependencyState>,
    /// The newest log line of tasks whose log is not in memory.
    pub log_ends: FxHashMap<Key<TaskId>, u64>,
    /// Stage counts of pipelines that were retired from memory.
    pub stage_counts: FxHashMap<Key<PipelineId>, Vec<StageCounts>>,
}

impl State {
    /// A task, if it is in memory at all.
    pub fn task(&self, key: &Key<TaskId>) -> Option<&Arc<Task>> {
        self.hot
            .live_task_at(key)
            .or_else(|| self.active.tasks.get(key).map(|recent| &recent.task))
            .or_else(|| {
                let frozen = self.frozen.as_ref()?;
                frozen.tasks.get(key).map(|recent| &recent.task)
            })
    }

    /// A pipeline that is in memory.
    pub fn pipeline(&self, key: &Key<PipelineId>) -> Option<&Arc<Pipeline>> {
        self.recents().find_map(|recent| recent.pipelines.get(key))
    }

    /// An operation that is in memory: `Some(None)` when it was forgotten there.
    pub fn operation(&self, key: &Key<OperationId>) -> Option<&Option<Arc<Operation>>> {
        self.recents().find_map(|recent| recent.operations.get(key))
    }

    /// The changes in memory, newest first.
    pub fn recents(&self) -> impl Iterator<Item = &Recent> {
        std::iter::once(&self.active).chain(self.frozen.as_deref())
    }

    /// The revision of what is in memory: `Some(0)` when it is known not to exist, `None` when the
    /// tables must be asked.
    pub fn revision(&self, subject: &Subject, now: Timestamp) -> Option<u64> {
        match subject {
            Subject::Task(key) | Subject::Logs(key) => match self.task(key) {
                Some(task) => Some(task.revision),
                None => self.is_beyond_tables(key).then_some(0),
            },
            Subject::Agent(key) => {
                Some(self.hot.agent(&key.0, &key.1).map_or(0, |doc| doc.revision))
            }
            Subject::Pipeline(key) => self.pipeline(key).map(|doc| doc.revision),
            Subject::Template(key) => Some(
                self.templates
                    .get(key)
                    .and_then(|versions| versions.last())
                    .map_or(0, |doc| u64::from(doc.version)),
            ),
            Subject::Artifact(key) => self
                .recents()
                .find_map(|recent| recent.artifacts.get(key))
                .map(|found| found.as_ref().map_or(0, |doc| doc.revision)),
            Subject::Key(key) => Some(self.keys.get(key).map_or(0, |doc| doc.revision)),
            Subject::Idempotency(key) => self
                .recents()
                .find_map(|recent| recent.idempotency.get(key))
                .map(|record| u64::from(record.expires_at > now)),
            Subject::Operation(key) => self
                .operation(key)
                .map(|found| found.as_ref().map_or(0, |doc| doc.revision)),
            Subject::Sample(key) => self
                .recents()
                .any(|recent| recent.samples.contains_key(key))
                .then_some(1),
        }
    }

    /// The newest version of each template of a namespace, by id.
    pub fn newest_templates(&self, namespace: &Namespace) -> Vec<Arc<Template>> {
        let mut newest: Vec<Arc<Template>> = self
            .templates
            .iter()
            .filter(|(key, _)| key.0 == *namespace)
            .filter_map(|(_, versions)| versions.last().cloned())
            .collect();
        newest.sort_by(|a, b| a.id.cmp(&b.id));
        newest
    }

    /// The API keys of a namespace, newest first.
    pub fn keys_of(&self, namespace: &Namespace) -> Vec<Arc<ApiKey>> {
        let mut keys: Vec<Arc<ApiKey>> = self
            .keys
            .values()
            .filter(|key| key.namespace == *namespace)
            .cloned()
            .collect();
        keys.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        keys
    }

    /// Whether a task that is not in memory cannot be in the tables either.
    pub fn is_beyond_tables(&self, key: &Key<TaskId>) -> bool {
        self.highest_settled
            .get(&key.0)
            .is_none_or(|highest| key.1 > *highest)
    }

    /// Payloads as far as memory has them; the flag says that nothing more is on disk.
    pub fn payloads(&self, key: &Key<TaskId>) -> (Option<Payload>, Option<Payload>, bool) {
        let mut parameters = None;
        let mut result = None;
        let mut whole = false;
        for recent in self.recents().filter_map(|recent| recent.tasks.get(key)) {
            parameters = parameters.or_else(|| recent.parameters.clone());
            result = result.or_else(|| recent.result.clone());
            whole |= recent.created;
        }
        if parameters.is_none() {
            parameters = self.parameters.get(key).cloned();
            // Who waits or runs has no result yet, so the parameters are all there is.
            whole |= parameters.is_some() && self.hot.live_task_at(key).is_some();
        }
        (parameters, result, whole)
    }

    /// The newest log lines of a task that are in memory, oldest first.
    pub fn lines(&self, key: &Key<TaskId>) -> Vec<Line> {
        let mut parts: Vec<&Vec<Line>> = self
            .recents()
            .filter_map(|recent| recent.logs.get(key))
            .collect();
        parts.reverse();
        parts.into_iter().flatten().cloned().collect()
    }

    /// The number of the newest log line of a task, if its log is in memory.
    pub fn log_end(&self, key: &Key<TaskId>) -> Option<u64> {
        self.recents()
            .find_map(|recent| recent.logs.get(key)?.last())
            .map(|line| line.seq)
    }

    /// Both payloads from what memory and disk have.
    pub fn join_payloads(parameters: Option<Payload>, result: Option<Payload>) -> Option<Payloads> {
        Some(Payloads {
            parameters: parameters?,
            result,
        })
    }
}

/// How the tasks of a batch stand after it, for those of the same batch that wait for them.
#[derive(Default)]
pub struct Fates(pub FxHashMap<Key<TaskId>, DependencyState>);
