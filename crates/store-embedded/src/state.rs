//! Everything that is in memory, behind one lock that is held shortly and never across a flush.

use std::{collections::BTreeSet, sync::Arc};

use mcpanel_domain::{
    KeyId, Namespace, OperationId, Payload, PipelineId, TaskId, TemplateId, Timestamp,
    key::ApiKey,
    log::Line,
    operation::Operation,
    pipeline::{Pipeline, Template},
    task::Task,
};
use mcpanel_store::{
    Key, Subject, Write,
    hot::{DependencyState, Hot},
    query::Payloads,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::recent::{Block, Recent};

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
    pub stage_counts: FxHashMap<Key<PipelineId>, Vec<mcpanel_domain::pipeline::StageCounts>>,
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

    /// An operation that is in memory.
    pub fn operation(&self, key: &Key<OperationId>) -> Option<&Arc<Operation>> {
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
            Subject::Operation(key) => self.operation(key).map(|doc| doc.revision),
            Subject::Sample(key) => self
                .recents()
                .any(|recent| recent.samples.contains_key(key))
                .then_some(1),
        }
    }

    /// Whether a task that is not in memory cannot be in the tables either.
    pub fn is_beyond_tables(&self, key: &Key<TaskId>) -> bool {
        self.highest_settled
            .get(&key.0)
            .is_none_or(|highest| key.1 > *highest)
    }

    /// Takes in one accepted commit.
    pub fn apply(&mut self, writes: Vec<Write>, now: Timestamp, beyond: &Beyond, fates: &Fates) {
        for write in writes {
            match write {
                Write::Task {
                    task,
                    parameters,
                    result,
                } => self.apply_task(task, parameters, result, now, beyond, fates),
                Write::Agent(agent) => {
                    self.hot
                        .apply_agent(&agent.namespace, &agent.id, Some(&agent));
                    let key = (agent.namespace.clone(), agent.id.clone());
                    self.active.agents.insert(key, Some(agent));
                }
                Write::DeleteAgent { namespace, id, .. } => {
                    self.hot.apply_agent(&namespace, &id, None);
                    self.active.agents.insert((namespace, id), None);
                }
                Write::Pipeline(pipeline) => {
                    self.hot.apply_pipeline(&pipeline);
                    let key = (pipeline.namespace.clone(), pipeline.id.clone());
                    self.active.counted.insert(key.clone());
                    self.active.pipelines.insert(key, pipeline);
                }
                Write::Template(template) => {
                    let key = (template.namespace.clone(), template.id.clone());
                    self.templates
                        .entry(key.clone())
                        .or_default()
                        .push(template.clone());
                    self.active.templates.entry(key).or_default().push(template);
                }
                Write::Artifact(artifact) => {
                    let key = (artifact.namespace.clone(), artifact.id.clone());
                    self.active.artifacts.insert(key, Some(artifact));
                }
                Write::DeleteArtifact { namespace, id, .. } => {
                    self.active.artifacts.insert((namespace, id), None);
                }
                Write::Key(key) => {
                    self.learn_key(key.clone());
                    let at = (key.namespace.clone(), key.id.clone());
                    self.active.keys.insert(at, key);
                }
                Write::Idempotency(record) => {
                    let key = (record.namespace.clone(), record.key.clone());
                    self.active.idempotency.insert(key, record);
                }
                Write::Logs {
                    namespace,
                    task_id,
                    lines,
                } => self.apply_lines((namespace, task_id), lines, beyond),
                Write::Operation(operation) => {
                    let key = (operation.namespace.clone(), operation.id.clone());
                    if operation.status.is_terminal() {
                        self.running.remove(&key);
                    } else {
                        self.running.insert(key.clone());
                    }
                    self.active.operations.insert(key, operation);
                }
                Write::Sample(sample) => {
                    let key = (sample.namespace.clone(), sample.minute);
                    self.active.samples.insert(key, sample);
                }
            }
        }
    }

    /// Keeps an API key findable by its id and its hash.
    pub fn learn_key(&mut self, key: Arc<ApiKey>) {
        let at = (key.namespace.clone(), key.id.clone());
        if let Some(old) = self.keys.get(&at) {
            self.keys_by_hash.remove(&old.sha256);
        }
        self.keys_by_hash.insert(key.sha256, at.clone());
        self.keys.insert(at, key);
    }

    /// Takes in the events of a flush.
    pub fn apply_events(&mut self, count: u32, bytes: Vec<u8>) {
        if count > 0 {
            let block = Block::new(self.last_seq + 1, count, bytes);
            self.last_seq = block.last();
            self.active.blocks.push(Arc::new(block));
        }
    }

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

    fn apply_task(
        &mut self,
        task: Arc<Task>,
        parameters: Option<Payload>,
        result: Option<Payload>,
        now: Timestamp,
        beyond: &Beyond,
        fates: &Fates,
    ) {
        let key = (task.namespace.clone(), task.id.clone());
        let old = if task.revision == 1 {
            None
        } else {
            self.task(&key).or_else(|| beyond.tasks.get(&key)).cloned()
        };
        if let Some(place) = &task.place {
            let pipeline = (task.namespace.clone(), place.pipeline_id.clone());
            if !self.hot.has_stage_counts(&pipeline)
                && let Some(counts) = beyond.stage_counts.get(&pipeline)
            {
                self.hot.restore_stage_counts(&pipeline, counts);
            }
            self.active.counted.insert(pipeline);
        }
        let ended = task.status().is_terminal();
        let was_live = old.as_ref().is_some_and(|old| !old.status().is_terminal());
        self.hot.apply_task(old.as_deref(), &task, now, &mut |id| {
            let on = (key.0.clone(), id.clone());
            let known = fates.0.get(&on).or_else(|| beyond.dependencies.get(&on));
            known.copied().unwrap_or(DependencyState::Dead)
        });
        self.hot.record_activity(old.as_deref(), &task);
        if ended {
            self.parameters.remove(&key);
        }
        if was_live == ended {
            self.reorder(&key, task.created_at, !ended);
        }
        let created = old.is_none();
        self.active.put_task(key, task, created, parameters, result);
    }

    /// Puts a task among the live ones, or takes it out.
    fn reorder(&mut self, key: &Key<TaskId>, created_at: Timestamp, live: bool) {
        let place = (created_at, key.1.clone());
        match self.order.get_mut(&key.0) {
            Some(order) if live => {
                order.insert(place);
            }
            Some(order) => {
                order.remove(&place);
            }
            None if live => {
                self.order.insert(key.0.clone(), BTreeSet::from([place]));
            }
            None => {}
        }
    }

    fn apply_lines(&mut self, key: Key<TaskId>, lines: Vec<Line>, beyond: &Beyond) {
        // What was read beforehand counts lines of earlier flushes; of this one, memory knows more.
        let earlier = beyond.log_ends.get(&key).copied().unwrap_or(0);
        let end = self.log_end(&key).unwrap_or(0).max(earlier);
        let kept = self.active.logs.entry(key).or_default();
        kept.extend(lines.into_iter().zip(end + 1..).map(|(mut line, seq)| {
            line.seq = seq;
            line
        }));
        let most = usize::try_from(mcpanel_domain::limits::LOG_LINES_KEPT).unwrap_or(usize::MAX);
        let excess = kept.len().saturating_sub(most);
        kept.drain(..excess);
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

/// How the tasks of a batch stand after it, for those of the same batch that wait for them.
#[derive(Default)]
pub struct Fates(pub FxHashMap<Key<TaskId>, DependencyState>);

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
    fn put(&mut self, key: &Key<TaskId>, parameters: &Payload) {
        self.remove(key);
        let size = parameters.size_bytes();
        if self.bytes + size <= self.limit {
            self.entries.insert(key.clone(), parameters.clone());
            self.bytes += size;
        }
    }

    fn get(&self, key: &Key<TaskId>) -> Option<&Payload> {
        self.entries.get(key)
    }

    fn remove(&mut self, key: &Key<TaskId>) {
        if self.entries.is_empty() {
            return;
        }
        if let Some(parameters) = self.entries.remove(key) {
            self.bytes -= parameters.size_bytes();
        }
    }
}
