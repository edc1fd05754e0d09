//! What a group of commits replaces, as it is stored now, and which of the commits cannot hold.

use std::{borrow::Cow, sync::Arc};

use mcpanel_domain::{
    AgentId, Namespace, PipelineId, TaskId, agent::Agent, pipeline::Pipeline, task::Task,
};
use mcpanel_store::{Key, Result, Subject, Target};
use mongodb::bson::RawDocument;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Committer, queue::Job};
use crate::{
    documents::{Reader, Shelf, Unreadable, agent, pipeline, small, task},
    mongo::Mongo,
    read::{self, Query},
    schema,
};

/// What is stored now, as far as it is needed to write what follows.
#[derive(Default)]
pub struct Present {
    /// Tasks.
    pub tasks: FxHashMap<Key<TaskId>, Arc<Task>>,
    /// Agents.
    pub agents: FxHashMap<Key<AgentId>, Arc<Agent>>,
    /// Pipelines.
    pub pipelines: FxHashMap<Key<PipelineId>, Arc<Pipeline>>,
}

/// Revisions by what they are of; what is not there is at none.
type Revisions = FxHashMap<Subject, u64>;

impl Committer {
    /// What the commits replace. Those that cannot hold are answered and taken out. With `look`, every
    /// document is looked at; without, only those whose former state is needed.
    pub(super) async fn present(&self, jobs: &mut Vec<Job>, look: bool) -> Result<Present> {
        let heads = &self.heads;
        let mut present = Present::default();
        let mut found = Revisions::default();
        let mut ask: Vec<&Target> = Vec::new();
        for target in jobs.iter().flat_map(|job| &job.targets) {
            let known = match &target.subject {
                Subject::Task(key) if target.expected > 0 => heads
                    .task(key, target.expected)
                    .map(|task| present.tasks.insert(key.clone(), task))
                    .is_some(),
                Subject::Task(key) => !look && !heads.knows_task(key),
                Subject::Logs(key) => heads.knows_task(key),
                Subject::Agent(key) if target.expected > 0 => heads
                    .agent(key, target.expected)
                    .map(|agent| present.agents.insert(key.clone(), agent))
                    .is_some(),
                Subject::Pipeline(key) if target.expected > 0 => heads
                    .pipeline(key, target.expected)
                    .map(|pipeline| present.pipelines.insert(key.clone(), pipeline))
                    .is_some(),
                Subject::Template(_) => false,
                _ => !look,
            };
            if !known {
                ask.push(target);
            }
        }
        ask_all(&self.mongo, &ask, &mut present, &mut found).await?;
        let asked: FxHashSet<Subject> = ask
            .into_iter()
            .map(|target| target.subject.clone())
            .collect();
        let mut holding = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            let broken = job.targets.iter().find_map(|target| {
                if !asked.contains(&target.subject) {
                    return None;
                }
                let at = found.get(&target.subject).copied().unwrap_or(0);
                (!target.holds(at)).then(|| target.conflict(at))
            });
            match broken {
                Some(conflict) => job.answer(Err(conflict.into())),
                None => holding.push(job),
            }
        }
        *jobs = holding;
        Ok(present)
    }
}

/// Reads documents as they are now.
async fn ask_all(
    mongo: &Mongo,
    targets: &[&Target],
    present: &mut Present,
    found: &mut Revisions,
) -> Result<()> {
    let mut by_place: FxHashMap<(&'static str, &Namespace), Vec<&Target>> = FxHashMap::default();
    for target in targets {
        let (collection, _, namespace) = place(target);
        by_place
            .entry((collection, namespace))
            .or_default()
            .push(target);
    }
    for targets in by_place.into_values() {
        ask(mongo, &targets, present, found).await?;
    }
    Ok(())
}

/// Reads the documents of one collection and namespace.
async fn ask(
    mongo: &Mongo,
    targets: &[&Target],
    present: &mut Present,
    found: &mut Revisions,
) -> Result<()> {
    let Some((collection, field, namespace)) = targets.first().map(|first| place(first)) else {
        return Ok(());
    };
    let ids: Vec<Cow<'_, str>> = targets.iter().map(|target| id_of(target)).collect();
    let query = read::by_ids(collection, field, namespace, ids.iter().map(AsRef::as_ref));
    match collection {
        schema::TASKS => {
            let query = query.without(&["parameters", "parameters_json", "result", "result_json"]);
            for task in all(mongo, &query, task::decode).await? {
                let key = (task.namespace.clone(), task.id.clone());
                found.insert(Subject::Task(key.clone()), task.revision);
                found.insert(Subject::Logs(key.clone()), task.revision);
                present.tasks.insert(key, Arc::new(task));
            }
        }
        schema::AGENTS => {
            for agent in all(mongo, &query, agent::decode).await? {
                let key = (agent.namespace.clone(), agent.id.clone());
                found.insert(Subject::Agent(key.clone()), agent.revision);
                present.agents.insert(key, Arc::new(agent));
            }
        }
        schema::PIPELINES => {
            for pipeline in all(mongo, &query, pipeline::decode).await? {
                let key = (pipeline.namespace.clone(), pipeline.id.clone());
                found.insert(Subject::Pipeline(key.clone()), pipeline.revision);
                present.pipelines.insert(key, Arc::new(pipeline));
            }
        }
        schema::IDEMPOTENCY => {
            let now = mongo.now();
            for record in all(mongo, &query, small::decode_idempotency).await? {
                if record.expires_at > now {
                    found.insert(Subject::Idempotency((record.namespace, record.key)), 1);
                }
            }
        }
        schema::TEMPLATES => ask_templates(mongo, targets, found).await?,
        _ => {
            ask_revisions(
                mongo,
                query.only(&[field, "revision"]),
                targets,
                field,
                found,
            )
            .await?
        }
    }
    Ok(())
}

/// A template's revision is its newest version.
async fn ask_templates(mongo: &Mongo, targets: &[&Target], found: &mut Revisions) -> Result<()> {
    for target in targets {
        let Subject::Template(key) = &target.subject else {
            continue;
        };
        let newest = read::template(&key.0, &key.1, None).only(&["version"]);
        let version = match mongo.find(&newest).await?.first() {
            Some(found) => Reader::new(found)?.int("version")?,
            None => 0,
        };
        found.insert(target.subject.clone(), version);
    }
    Ok(())
}

/// Documents whose former state nothing follows from.
async fn ask_revisions(
    mongo: &Mongo,
    query: Query,
    targets: &[&Target],
    field: &str,
    found: &mut Revisions,
) -> Result<()> {
    let documents = mongo.find(&query).await?;
    let mut revisions: FxHashMap<&str, u64> = FxHashMap::default();
    for document in &documents {
        let reader = Reader::new(document)?;
        // What never changes has no revision, and is at its first.
        let revision = reader.int_opt("revision")?.unwrap_or(1);
        revisions.insert(reader.text(field)?, revision);
    }
    for target in targets {
        let revision = revisions.get(&*id_of(target)).copied();
        found.insert(target.subject.clone(), revision.unwrap_or(0));
    }
    Ok(())
}

async fn all<T>(
    mongo: &Mongo,
    query: &Query,
    decode: fn(&RawDocument, &Shelf) -> std::result::Result<T, Unreadable>,
) -> Result<Vec<T>> {
    let documents = mongo.find(query).await?;
    mongo
        .decode(&documents, |raw, shelf| decode(raw, shelf))
        .await
}

/// The collection of a target, the field that names it there, and its namespace.
fn place(target: &Target) -> (&'static str, &'static str, &Namespace) {
    match &target.subject {
        Subject::Task(key) | Subject::Logs(key) => (schema::TASKS, "task_id", &key.0),
        Subject::Agent(key) => (schema::AGENTS, "agent_id", &key.0),
        Subject::Pipeline(key) => (schema::PIPELINES, "pipeline_id", &key.0),
        Subject::Template(key) => (schema::TEMPLATES, "template_id", &key.0),
        Subject::Artifact(key) => (schema::ARTIFACTS, "artifact_id", &key.0),
        Subject::Key(key) => (schema::API_KEYS, "key_id", &key.0),
        Subject::Idempotency(key) => (schema::IDEMPOTENCY, "key", &key.0),
        Subject::Operation(key) => (schema::OPERATIONS, "operation_id", &key.0),
        Subject::Sample(key) => (schema::SAMPLES, "sample_id", &key.0),
    }
}

fn id_of(target: &Target) -> Cow<'_, str> {
    Cow::Borrowed(match &target.subject {
        Subject::Task(key) | Subject::Logs(key) => key.1.as_str(),
        Subject::Agent(key) => key.1.as_str(),
        Subject::Pipeline(key) => key.1.as_str(),
        Subject::Template(key) => key.1.as_str(),
        Subject::Artifact(key) => key.1.as_str(),
        Subject::Key(key) => key.1.as_str(),
        Subject::Idempotency(key) => key.1.as_str(),
        Subject::Operation(key) => key.1.as_str(),
        Subject::Sample(key) => return Cow::Owned(key.1.to_string()),
    })
}
