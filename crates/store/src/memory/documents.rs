//! The documents themselves, and the all-or-nothing commit.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use mcpanel_domain::{
    AgentId, ArtifactId, KeyId, Namespace, Payload, PipelineId, TaskId, TemplateId, Timestamp,
    agent::Agent,
    artifact::Artifact,
    event::Numbered,
    key::ApiKey,
    log::Line,
    pipeline::{Pipeline, Template},
    task::Task,
};

use crate::{
    Commit, Conflict, Error, IdempotencyRecord, Receipt, Result, Write,
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
    agents: BTreeMap<Key<AgentId>, Arc<Agent>>,
    pub(super) pipelines: BTreeMap<Key<PipelineId>, Arc<Pipeline>>,
    pub(super) templates: BTreeMap<(Namespace, TemplateId, u32), Arc<Template>>,
    pub(super) artifacts: BTreeMap<Key<ArtifactId>, Arc<Artifact>>,
    pub(super) keys: BTreeMap<Key<KeyId>, Arc<ApiKey>>,
    idempotency: BTreeMap<(Namespace, String), IdempotencyRecord>,
    pub(super) events: Vec<Arc<Numbered>>,
    pub(super) hot: Hot,
    commits: u64,
}

impl Documents {
    pub(super) fn commit(&mut self, commit: Commit, now: Timestamp) -> Result<Receipt> {
        for (at, write) in commit.writes.iter().enumerate() {
            self.check(write, &commit.writes[..at], now)?;
        }
        for write in commit.writes {
            self.apply(write, now);
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
        self.events.last().map_or(0, |event| event.seq)
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
            events: self.events.clone(),
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

    pub(super) fn purge_idempotency(&mut self, now: Timestamp) -> u64 {
        let before = self.idempotency.len();
        self.idempotency.retain(|_, record| record.expires_at > now);
        u64::try_from(before - self.idempotency.len()).unwrap_or(u64::MAX)
    }

    /// Whether a write is one ahead of what is stored. A commit that names a document twice could
    /// hide a conflict, so it counts as one.
    fn check(&self, write: &Write, before: &[Write], now: Timestamp) -> Result<()> {
        let target = target(write);
        if let Some(conflict) = before
            .iter()
            .any(|other| same(&target, &self::target(other)))
            .then(|| conflict_of(&target, u64::MAX))
        {
            return Err(Error::Conflict(conflict));
        }
        let found = match &target {
            Target::Task(key, _) => self.tasks.get(key).map(|doc| doc.revision),
            Target::Agent(key, _) => self.agents.get(key).map(|doc| doc.revision),
            Target::Pipeline(key, _) => self.pipelines.get(key).map(|doc| doc.revision),
            Target::Template(key, _) => self
                .templates
                .range((key.0.clone(), key.1.clone(), 0)..=(key.0.clone(), key.1.clone(), u32::MAX))
                .next_back()
                .map(|((_, _, version), _)| u64::from(*version)),
            Target::Artifact(key, _) => self.artifacts.get(key).map(|doc| doc.revision),
            Target::Key(key, _) => self.keys.get(key).map(|doc| doc.revision),
            Target::Idempotency(key) => self
                .idempotency
                .get(key)
                .filter(|record| record.expires_at > now)
                .map(|_| 1),
            Target::Logs(key) => {
                return if self.tasks.contains_key(key)
                    || before.iter().any(|other| makes_task(other, key))
                {
                    Ok(())
                } else {
                    Err(Error::Conflict(conflict_of(&target, 0)))
                };
            }
        }
        .unwrap_or(0);
        if found == target.expected() {
            Ok(())
        } else {
            Err(Error::Conflict(conflict_of(&target, found)))
        }
    }

    fn apply(&mut self, write: Write, now: Timestamp) {
        match write {
            Write::Task {
                task,
                parameters,
                result,
            } => self.apply_task(task, parameters, result, now),
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

    fn apply_task(
        &mut self,
        task: Arc<Task>,
        parameters: Option<Payload>,
        result: Option<Payload>,
        now: Timestamp,
    ) {
        let key = (task.namespace.clone(), task.id.clone());
        let old = self.tasks.insert(key.clone(), task.clone());
        if let Some(parameters) = parameters {
            self.parameters.insert(key.clone(), parameters);
        }
        if let Some(result) = result {
            self.results.insert(key.clone(), result);
        }
        let tasks = &self.tasks;
        self.hot.apply_task(old.as_deref(), &task, now, &mut |id| {
            let found = tasks.get(&(key.0.clone(), id.clone()));
            DependencyState::of(found.map(|task| task.status()))
        });
    }
}

/// What a write is about, and the revision it expects.
enum Target {
    Task(Key<TaskId>, u64),
    Agent(Key<AgentId>, u64),
    Pipeline(Key<PipelineId>, u64),
    Template(Key<TemplateId>, u64),
    Artifact(Key<ArtifactId>, u64),
    Key(Key<KeyId>, u64),
    Idempotency((Namespace, String)),
    Logs(Key<TaskId>),
}

impl Target {
    fn expected(&self) -> u64 {
        match self {
            Self::Task(_, revision)
            | Self::Agent(_, revision)
            | Self::Pipeline(_, revision)
            | Self::Template(_, revision)
            | Self::Artifact(_, revision)
            | Self::Key(_, revision) => *revision,
            Self::Idempotency(_) | Self::Logs(_) => 0,
        }
    }
}

fn target(write: &Write) -> Target {
    match write {
        Write::Task { task, .. } => {
            Target::Task((task.namespace.clone(), task.id.clone()), task.revision - 1)
        }
        Write::Agent(doc) => {
            Target::Agent((doc.namespace.clone(), doc.id.clone()), doc.revision - 1)
        }
        Write::DeleteAgent {
            namespace,
            id,
            revision,
        } => Target::Agent((namespace.clone(), id.clone()), *revision),
        Write::Pipeline(doc) => {
            Target::Pipeline((doc.namespace.clone(), doc.id.clone()), doc.revision - 1)
        }
        Write::Template(doc) => Target::Template(
            (doc.namespace.clone(), doc.id.clone()),
            u64::from(doc.version) - 1,
        ),
        Write::Artifact(doc) => {
            Target::Artifact((doc.namespace.clone(), doc.id.clone()), doc.revision - 1)
        }
        Write::DeleteArtifact {
            namespace,
            id,
            revision,
        } => Target::Artifact((namespace.clone(), id.clone()), *revision),
        Write::Key(doc) => Target::Key((doc.namespace.clone(), doc.id.clone()), doc.revision - 1),
        Write::Idempotency(record) => {
            Target::Idempotency((record.namespace.clone(), record.key.clone()))
        }
        Write::Logs {
            namespace, task_id, ..
        } => Target::Logs((namespace.clone(), task_id.clone())),
    }
}

fn same(a: &Target, b: &Target) -> bool {
    match (a, b) {
        (Target::Task(a, _), Target::Task(b, _)) => a == b,
        (Target::Agent(a, _), Target::Agent(b, _)) => a == b,
        (Target::Pipeline(a, _), Target::Pipeline(b, _)) => a == b,
        (Target::Template(a, _), Target::Template(b, _)) => a == b,
        (Target::Artifact(a, _), Target::Artifact(b, _)) => a == b,
        (Target::Key(a, _), Target::Key(b, _)) => a == b,
        (Target::Idempotency(a), Target::Idempotency(b)) => a == b,
        _ => false,
    }
}

fn makes_task(write: &Write, key: &Key<TaskId>) -> bool {
    matches!(write, Write::Task { task, .. } if task.namespace == key.0 && task.id == key.1)
}

fn conflict_of(target: &Target, found: u64) -> Conflict {
    let (what, id) = match target {
        Target::Task(key, _) | Target::Logs(key) => ("task", key.1.to_string()),
        Target::Agent(key, _) => ("agent", key.1.to_string()),
        Target::Pipeline(key, _) => ("pipeline", key.1.to_string()),
        Target::Template(key, _) => ("template", key.1.to_string()),
        Target::Artifact(key, _) => ("artifact", key.1.to_string()),
        Target::Key(key, _) => ("key", key.1.to_string()),
        Target::Idempotency(key) => ("idempotency", key.1.clone()),
    };
    Conflict {
        what,
        id,
        expected: target.expected(),
        found,
    }
}
