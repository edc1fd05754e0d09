//! What a group of commits comes to: statements for one transaction.

use std::sync::Arc;

use mcpanel_domain::{
    Namespace, Payload, TaskId, Timestamp,
    agent::Agent,
    event::Event,
    log::Line,
    pipeline::Pipeline,
    task::{Status, Task},
};
use mcpanel_store::{Key, Write};
use mongodb::bson::{RawDocumentBuf, oid::ObjectId, rawdoc};
use rustc_hash::FxHashMap;

use super::{
    counts::Counts,
    merge::{self, Statement, change, guard},
    present::Present,
    task::TaskWrite,
    waits::{Beginners, Waits},
};
use crate::{
    documents::{Fields, Large, agent, derived, fields::difference, history, pipeline, small},
    project::Change,
    schema,
};

/// Everything that one transaction writes.
#[derive(Default)]
pub struct Group {
    /// Changed tasks.
    pub tasks: Vec<TaskWrite>,
    /// New documents, by collection.
    pub inserts: FxHashMap<&'static str, Vec<RawDocumentBuf>>,
    /// Guarded updates, by collection.
    pub updates: FxHashMap<&'static str, Vec<Statement>>,
    /// Guarded deletes, by collection.
    pub deletes: FxHashMap<&'static str, Vec<RawDocumentBuf>>,
    /// Keys of answered requests that may be remembered from long ago.
    pub forgotten: Vec<(Namespace, String)>,
    /// Log lines.
    pub logs: Vec<(Key<TaskId>, Vec<Line>)>,
    /// Values that are kept beside their documents.
    pub large: Vec<Large>,
    /// How the counts move.
    pub counts: Counts,
    /// Tasks that begin to wait.
    pub beginners: Beginners,
    /// Tasks that ended.
    pub ended: Vec<(Key<TaskId>, Status)>,
    /// Live tasks with dependencies that were changed, not made.
    pub unsettled: Vec<Key<TaskId>>,
    /// How each task stands afterwards.
    pub statuses: FxHashMap<Key<TaskId>, Status>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Changes of agents and pipelines, to tell of.
    pub changes: Vec<Change>,
    /// Changed pipelines.
    pub pipelines: Vec<Arc<Pipeline>>,
}

impl Group {
    /// Adds a write to what is present now. What comes from another store is new at whatever revision.
    pub fn add(&mut self, write: &Write, present: &Present, import: bool) {
        match write {
            Write::Task {
                task,
                parameters,
                result,
            } => self.add_task(task, parameters.clone(), result.clone(), present),
            Write::Agent(new) => self.add_agent(new, present),
            Write::DeleteAgent {
                namespace,
                id,
                revision,
            } => {
                self.changes.push(Change::Agent {
                    old: present
                        .agents
                        .get(&(namespace.clone(), id.clone()))
                        .cloned(),
                    new: None,
                    namespace: namespace.clone(),
                    id: id.clone(),
                });
                self.delete(
                    schema::AGENTS,
                    "agent_id",
                    namespace,
                    id.as_str(),
                    *revision,
                );
            }
            Write::Pipeline(new) => self.add_pipeline(new, present),
            Write::Template(new) => {
                let fields = pipeline::encode_template(new, &mut self.large);
                self.insert(schema::TEMPLATES, fields);
            }
            Write::Artifact(new) => {
                let fields = small::encode_artifact(new, &mut self.large);
                self.put_whole(
                    schema::ARTIFACTS,
                    "artifact_id",
                    (&new.namespace, new.id.as_str(), new.revision),
                    fields,
                    import,
                );
            }
            Write::Operation(new) => {
                let fields = history::encode_operation(new, &mut self.large);
                let place = (&new.namespace, new.id.as_str(), new.revision);
                self.put_whole(schema::OPERATIONS, "operation_id", place, fields, import);
            }
            Write::DeleteOperation {
                namespace,
                id,
                revision,
            } => self.delete(
                schema::OPERATIONS,
                "operation_id",
                namespace,
                id.as_str(),
                *revision,
            ),
            Write::Sample(new) => {
                let fields = history::encode_sample(new, &mut self.large);
                self.insert(schema::SAMPLES, fields);
            }
            Write::DeleteArtifact {
                namespace,
                id,
                revision,
            } => self.delete(
                schema::ARTIFACTS,
                "artifact_id",
                namespace,
                id.as_str(),
                *revision,
            ),
            Write::Key(new) => {
                let place = (&new.namespace, new.id.as_str(), new.revision);
                let fields = small::encode_key(new);
                self.put_whole(schema::API_KEYS, "key_id", place, fields, import);
            }
            Write::Idempotency(record) => {
                self.forgotten
                    .push((record.namespace.clone(), record.key.clone()));
                let fields = small::encode_idempotency(record, &mut self.large);
                self.insert(schema::IDEMPOTENCY, fields);
            }
            Write::Logs {
                namespace,
                task_id,
                lines,
            } => self
                .logs
                .push(((namespace.clone(), task_id.clone()), lines.clone())),
        }
    }

    fn insert(&mut self, collection: &'static str, fields: Fields) {
        self.inserts
            .entry(collection)
            .or_default()
            .push(with_id(fields));
    }

    fn update(&mut self, collection: &'static str, statement: Statement) {
        self.updates.entry(collection).or_default().push(statement);
    }

    fn delete(
        &mut self,
        collection: &'static str,
        field: &str,
        namespace: &Namespace,
        id: &str,
        revision: u64,
    ) {
        let filter = guard(field, namespace, id, revision);
        self.deletes.entry(collection).or_default().push(filter);
    }

    /// A document that is written whole.
    fn put_whole(
        &mut self,
        collection: &'static str,
        field: &str,
        (namespace, id, revision): (&Namespace, &str, u64),
        fields: Fields,
        import: bool,
    ) {
        if revision == 1 || import {
            return self.insert(collection, fields);
        }
        let filter = guard(field, namespace, id, revision.wrapping_sub(1));
        let statement = Statement::one(filter, fields.into_raw());
        self.update(collection, statement);
    }

    fn add_agent(&mut self, new: &Arc<Agent>, present: &Present) {
        let key = (new.namespace.clone(), new.id.clone());
        let old = present.agents.get(&key).cloned();
        let mut fields = agent::encode(new, &mut self.large);
        match &old {
            None => {
                fields.put_date_opt(derived::DUE, new.next_due());
                self.insert(schema::AGENTS, fields);
            }
            Some(old) => {
                let before = agent::encode(old, &mut Vec::new());
                let (mut set, mut unset) = difference(before.raw(), fields.raw());
                // Timers are moved without a revision, so this is always said.
                match new.next_due() {
                    Some(at) => set.put_date(derived::DUE, at),
                    None => unset.push(derived::DUE.to_owned()),
                }
                let revision = new.revision.wrapping_sub(1);
                let filter = guard("agent_id", &key.0, key.1.as_str(), revision);
                self.update(schema::AGENTS, Statement::one(filter, change(set, unset)));
            }
        }
        self.changes.push(Change::Agent {
            old,
            new: Some(new.clone()),
            namespace: key.0,
            id: key.1,
        });
    }

    fn add_pipeline(&mut self, new: &Arc<Pipeline>, present: &Present) {
        let key = (new.namespace.clone(), new.id.clone());
        let fields = pipeline::encode(new, &mut self.large);
        match present.pipelines.get(&key) {
            None => self.insert(schema::PIPELINES, fields),
            Some(old) => {
                let before = pipeline::encode(old, &mut Vec::new());
                let (set, unset) = difference(before.raw(), fields.raw());
                let revision = new.revision.wrapping_sub(1);
                let filter = guard("pipeline_id", &key.0, key.1.as_str(), revision);
                self.update(
                    schema::PIPELINES,
                    Statement::one(filter, change(set, unset)),
                );
            }
        }
        self.pipelines.push(new.clone());
    }

    fn add_task(
        &mut self,
        new: &Arc<Task>,
        parameters: Option<Payload>,
        result: Option<Payload>,
        present: &Present,
    ) {
        let key = (new.namespace.clone(), new.id.clone());
        let old = present.tasks.get(&key).cloned();
        let was_live = old.as_ref().is_some_and(|old| !old.status().is_terminal());
        let is_live = !new.status().is_terminal();
        self.counts.moved(old.as_deref(), new);
        self.statuses.insert(key.clone(), new.status());
        if is_live && !new.dependencies.is_empty() {
            let changed = old
                .as_ref()
                .is_none_or(|old| old.dependencies != new.dependencies);
            if !was_live || changed {
                self.beginners.add(new);
            }
            if old.is_some() {
                self.unsettled.push(key.clone());
            }
        }
        if !is_live && (was_live || old.is_none()) {
            self.ended.push((key, new.status()));
        }
        let write = TaskWrite {
            old,
            new: new.clone(),
            parameters,
            result,
        };
        write.collect_large(&mut self.large);
        self.tasks.push(write);
    }

    /// Makes the statements of the tasks, now that it is known what they wait for.
    pub fn write_tasks(&mut self, waits: &FxHashMap<Key<TaskId>, Waits>, now: Timestamp) {
        let mut updates = Vec::with_capacity(self.tasks.len());
        for write in &self.tasks {
            let key = (write.new.namespace.clone(), write.new.id.clone());
            let waits = waits.get(&key);
            match &write.old {
                None => {
                    let document = with_id(write.insert(waits, now));
                    self.inserts
                        .entry(schema::TASKS)
                        .or_default()
                        .push(document);
                }
                Some(old) => updates.push(write.update(old, waits, now)),
            }
        }
        self.updates
            .entry(schema::TASKS)
            .or_default()
            .extend(merge::together(updates));
    }
}

fn with_id(fields: Fields) -> RawDocumentBuf {
    let mut document = rawdoc! { "_id": ObjectId::new() };
    for (name, value) in fields.raw().iter().flatten() {
        document.append(name, value);
    }
    document
}
