//! The documents themselves, and the all-or-nothing commit.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use mcpanel_domain::{
    AgentId, ArtifactId, KeyId, Namespace, OperationId, Payload, PipelineId, TaskId, TemplateId,
    Timestamp,
    agent::Agent,
    artifact::Artifact,
    event::Numbered,
    key::ApiKey,
    log::Line,
    operation::Operation,
    pipeline::{Pipeline, Template},
    sample::Sample,
    task::Task,
};

use crate::{
    Commit, Error, IdempotencyRecord, Receipt, Result, Subject, Target, Write,
    hot::{DependencyState, Hot},
    query::Payloads,
};

type Key<T> = (Namespace, T);

/// Everything in the store.
#[derive(Default)]
pub(super) struct Documents {
    pub(super) tasks: BTreeMap<Key<TaskId>, Arc<Task>>,
    parameters: HashMap<Key<TaskId>, Payload>,
    results: HashMap<Key<TaskId>, Payload>,
    logs: HashMap<Key<TaskId>, Vec<Line>>,
    pub(super) agents: BTreeMap<Key<AgentId>, Arc<Agent>>,
    pub(super) pipelines: BTreeMap<Key<PipelineId>, Arc<Pipeline>>,
    pub(super) templates: BTreeMap<(Namespace, TemplateId, u32), Arc<Template>>,
    pub(super) artifacts: BTreeMap<Key<ArtifactId>, Arc<Artifact>>,
    pub(super) keys: BTreeMap<Key<KeyId>, Arc<ApiKey>>,
    pub(super) idempotency: BTreeMap<(Namespace, String), IdempotencyRecord>,
    pub(super) operations: BTreeMap<Key<OperationId>, Arc<Operation>>,
    pub(super) samples: BTreeMap<Key<Timestamp>, Arc<Sample>>,
    pub(super) events: Vec<Arc<Numbered>>,
    /// The number before that of the first event.
    pub(super) seq_before: u64,
    pub(super) hot: Hot,
    commits: u64,
}

impl Documents {
    pub(super) fn commit(&mut self, commit: Commit, now: Timestamp) -> Result<Receipt> {
        self.check(&commit, now)?;
        // All tasks first, so that one that waits for another of the same commit finds it.
        let mut changed = Vec::new();
        for write in &commit.writes {
            if let Write::Task { task, .. } = write {
                let key = (task.namespace.clone(), task.id.clone());
                changed.push((self.tasks.insert(key, task.clone()), task.clone()));
            }
        }
        for (old, task) in changed {
            self.follow(old.as_deref(), &task, now);
        }
        for write in commit.writes {
            self.apply(write);
        }
        for event in commit.events {
            let seq = self.last_seq() + 1;
            self.events.push(Arc::new(Numbered { seq, event }));
        }
        self.commits += 1;
        Ok(Receipt {
            last_seq: self.last_seq(),
        })
    }

    pub(super) fn last_seq(&self) -> u64 {
        self.events
            .last()
            .map_or(self.seq_before, |event| event.seq)
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits
    }

    /// The same documents with the derived state built anew from them.
    pub(super) fn restarted(&self, now: Timestamp) -> Self {
        let mut hot = Hot::default();
        let tasks = &self.tasks;
        for task in tasks.values() {
            let namespace = task.namespace.clone();
            if task.status().is_terminal() {
                hot.count_ended(task);
            } else {
                hot.apply_task(None, task, now, &mut |id| {
                    let found = tasks.get(&(namespace.clone(), id.clone()));
                    DependencyState::of(found.map(|task| task.status()))
                });
            }
        }
        for (namespace, minute, activity) in self.hot.activities() {
            hot.restore_activity(namespace, minute, activity.clone());
        }
        for ((namespace, id), agent) in &self.agents {
            hot.apply_agent(namespace, id, Some(agent));
        }
        for pipeline in self.pipelines.values() {
            hot.apply_pipeline(pipeline);
        }
        Self {
            tasks: self.tasks.clone(),
            parameters: self.parameters.clone(),
            results: self.results.clone(),
            logs: self.logs.clone(),
            agents: self.agents.clone(),
            pipelines: self.pipelines.clone(),
            templates: self.templates.clone(),
            artifacts: self.artifacts.clone(),
            keys: self.keys.clone(),
            idempotency: self.idempotency.clone(),
            operations: self.operations.clone(),
            samples: self.samples.clone(),
            events: self.events.clone(),
            seq_before: self.seq_before,
            hot,
            commits: self.commits,
        }
    }

    pub(super) fn task(&self, namespace: &Namespace, id: &TaskId) -> Option<Arc<Task>> {
        self.tasks.get(&(namespace.clone(), id.clone())).cloned()
    }

    pub(super) fn payloads(&self, namespace: &Namespace, id: &TaskId) -> Option<Payloads> {
        let key = (namespace.clone(), id.clone());
        let parameters = self.parameters.get(&key)?.clone();
        let result = self.results.get(&key).cloned();
        Some(Payloads { parameters, result })
    }

    pub(super) fn logs(
        &self,
        namespace: &Namespace,
        id: &TaskId,
        after: u64,
        limit: usize,
    ) -> Vec<Line> {
        self.logs
            .get(&(namespace.clone(), id.clone()))
            .into_iter()
            .flatten()
            .filter(|line| line.seq > after)
            .take(limit)
            .cloned()
            .collect()
    }

    pub(super) fn pipeline(&self, namespace: &Namespace, id: &PipelineId) -> Option<Arc<Pipeline>> {
        self.pipelines
            .get(&(namespace.clone(), id.clone()))
            .cloned()
    }

    pub(super) fn artifact(&self, namespace: &Namespace, id: &ArtifactId) -> Option<Arc<Artifact>> {
        self.artifacts
            .get(&(namespace.clone(), id.clone()))
            .cloned()
    }

    pub(super) fn key(&self, namespace: &Namespace, id: &KeyId) -> Option<Arc<ApiKey>> {
        self.keys.get(&(namespace.clone(), id.clone())).cloned()
    }

    pub(super) fn key_by_hash(&self, sha256: &[u8; 32]) -> Option<Arc<ApiKey>> {
        self.keys
            .values()
            .find(|key| key.sha256 == *sha256)
            .cloned()
    }

    pub(super) fn idempotency(
        &self,
        namespace: &Namespace,
        key: &str,
    ) -> Option<IdempotencyRecord> {
        self.idempotency
            .get(&(namespace.clone(), key.to_owned()))
            .cloned()
    }

    pub(super) fn operation(
        &self,
        namespace: &Namespace,
        id: &OperationId,
    ) -> Option<Arc<Operation>> {
        self.operations
            .get(&(namespace.clone(), id.clone()))
            .cloned()
    }

    pub(super) fn samples(
        &self,
        namespace: &Namespace,
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<Arc<Sample>> {
        if from >= to {
            return Vec::new();
        }
        self.samples
            .range((namespace.clone(), from)..(namespace.clone(), to))
            .map(|(_, sample)| sample.clone())
            .collect()
    }

    pub(super) fn purge_samples(&mut self, before: Timestamp) -> u64 {
        let had = self.samples.len();
        self.samples.retain(|(_, minute), _| *minute >= before);
        u64::try_from(had - self.samples.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn purge_idempotency(&mut self, now: Timestamp) -> u64 {
        let before = self.idempotency.len();
        self.idempotency.retain(|_, record| record.expires_at > now);
        u64::try_from(before - self.idempotency.len()).unwrap_or(u64::MAX)
    }

    /// Whether everything is one ahead of what is stored.
    fn check(&self, commit: &Commit, now: Timestamp) -> Result<()> {
        for target in commit.targets()? {
            let found = self.revision(&target, now);
            if !target.holds(found) {
                return Err(Error::Conflict(target.conflict(found)));
            }
        }
        Ok(())
    }

    /// The revision of what is stored; zero when there is nothing.
    fn revision(&self, target: &Target, now: Timestamp) -> u64 {
        match &target.subject {
            Subject::Task(key) | Subject::Logs(key) => self.tasks.get(key).map(|doc| doc.revision),
            Subject::Agent(key) => self.agents.get(key).map(|doc| doc.revision),
            Subject::Pipeline(key) => self.pipelines.get(key).map(|doc| doc.revision),
            Subject::Template(key) => self
                .template(&key.0, &key.1, None)
                .map(|doc| u64::from(doc.version)),
            Subject::Artifact(key) => self.artifacts.get(key).map(|doc| doc.revision),
            Subject::Key(key) => self.keys.get(key).map(|doc| doc.revision),
            Subject::Idempotency(key) => self
                .idempotency
                .get(key)
                .filter(|record| record.expires_at > now)
                .map(|_| 1),
            Subject::Operation(key) => self.operations.get(key).map(|doc| doc.revision),
            Subject::Sample(key) => self.samples.get(key).map(|_| 1),
        }
        .unwrap_or(0)
    }

    fn apply(&mut self, write: Write) {
        match write {
            Write::Task {
                task,
                parameters,
                result,
            } => {
                let key = (task.namespace.clone(), task.id.clone());
                if let Some(parameters) = parameters {
                    self.parameters.insert(key.clone(), parameters);
                }
                if let Some(result) = result {
                    self.results.insert(key, result);
                }
            }
            Write::Agent(agent) => {
                self.hot
                    .apply_agent(&agent.namespace, &agent.id, Some(&agent));
                self.agents
                    .insert((agent.namespace.clone(), agent.id.clone()), agent);
            }
            Write::DeleteAgent { namespace, id, .. } => {
                self.hot.apply_agent(&namespace, &id, None);
                self.agents.remove(&(namespace, id));
            }
            Write::Pipeline(pipeline) => {
                self.hot.apply_pipeline(&pipeline);
                self.pipelines
                    .insert((pipeline.namespace.clone(), pipeline.id.clone()), pipeline);
            }
            Write::Template(template) => {
                let key = (
                    template.namespace.clone(),
                    template.id.clone(),
                    template.version,
                );
                self.templates.insert(key, template);
            }
            Write::Artifact(artifact) => {
                self.artifacts
                    .insert((artifact.namespace.clone(), artifact.id.clone()), artifact);
            }
            Write::DeleteArtifact { namespace, id, .. } => {
                self.artifacts.remove(&(namespace, id));
            }
            Write::Key(key) => {
                self.keys
                    .insert((key.namespace.clone(), key.id.clone()), key);
            }
            Write::Idempotency(record) => {
                self.idempotency
                    .insert((record.namespace.clone(), record.key.clone()), record);
            }
            Write::Operation(operation) => {
                let key = (operation.namespace.clone(), operation.id.clone());
                self.operations.insert(key, operation);
            }
            Write::DeleteOperation { namespace, id, .. } => {
                self.operations.remove(&(namespace, id));
            }
            Write::Sample(sample) => {
                self.samples
                    .insert((sample.namespace.clone(), sample.minute), sample);
            }
            Write::Logs {
                namespace,
                task_id,
                lines,
            } => {
                let kept = self.logs.entry((namespace, task_id)).or_default();
                for mut line in lines {
                    line.seq = kept.last().map_or(0, |last| last.seq) + 1;
                    kept.push(line);
                }
                let most =
                    usize::try_from(mcpanel_domain::limits::LOG_LINES_KEPT).unwrap_or(usize::MAX);
                let excess = kept.len().saturating_sub(most);
                kept.drain(..excess);
            }
        }
    }

    /// Takes a changed task into the derived state.
    fn follow(&mut self, old: Option<&Task>, task: &Arc<Task>, now: Timestamp) {
        let tasks = &self.tasks;
        self.hot.apply_task(old, task, now, &mut |id| {
            let found = tasks.get(&(task.namespace.clone(), id.clone()));
            DependencyState::of(found.map(|task| task.status()))
        });
        self.hot.record_activity(old, task);
    }
}
