//! Pipelines, templates, and tasks that wait in vain.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mcpanel_domain::{
    Namespace, PipelineId, TaskId, TemplateId,
    pipeline::{Pipeline, StageCounts, Template},
    task::Status,
};
use mcpanel_store::{
    Result,
    hot::DependencyState,
    query::{Listing, Page, PipelineFilter, Position},
};
use mongodb::bson::{Document, doc};

use super::{LivePipelines, all, distinct, one};
use crate::{
    commit::{Txn, without},
    documents::{
        Reader, derived,
        phase::{self, refresh},
        pipeline,
    },
    mongo::Mongo,
    read::{self, Query},
    schema,
};

/// A pipeline.
pub async fn pipeline(
    mongo: &Mongo,
    namespace: &Namespace,
    id: &PipelineId,
) -> Result<Option<Arc<Pipeline>>> {
    let query = read::by_ids(schema::PIPELINES, "pipeline_id", namespace, [id.as_str()]);
    one(mongo, query, pipeline::decode).await
}

/// A page of pipelines.
pub async fn list_pipelines(
    mongo: &Mongo,
    namespace: &Namespace,
    filter: &PipelineFilter,
    page: &Page,
) -> Result<Listing<Arc<Pipeline>>> {
    let query = read::list_pipelines(namespace, filter, page);
    let items = all(mongo, &query, pipeline::decode).await?;
    read::listing(items, page, |pipeline| Position {
        created_at: pipeline.created_at,
        id: pipeline.id.to_string(),
    })
}

/// How many tasks of each stage stand where.
pub async fn stage_counts(
    mongo: &Mongo,
    namespace: &Namespace,
    id: &PipelineId,
) -> Result<Vec<StageCounts>> {
    let shards = mongo.find(&read::of_pipeline(namespace, id)).await?;
    Ok(read::stages(&shards)?)
}

/// Pipelines that run, that are completed without output, or that have live tasks.
pub async fn unsettled(
    mongo: &Mongo,
    live: &LivePipelines,
) -> Result<Vec<(Namespace, PipelineId)>> {
    let query = Query::of(schema::PIPELINES, doc! { pipeline::UNFINISHED: true })
        .by("unfinished")
        .only(&["namespace", "pipeline_id"]);
    let mut unsettled = BTreeSet::new();
    for found in mongo.find(&query).await? {
        let reader = Reader::new(&found)?;
        unsettled.insert((reader.parsed("namespace")?, reader.parsed("pipeline_id")?));
    }
    unsettled.extend(live.find(mongo).await?);
    Ok(unsettled.into_iter().collect())
}

/// A version of a template.
pub async fn template(
    mongo: &Mongo,
    namespace: &Namespace,
    id: &TemplateId,
    version: Option<u32>,
) -> Result<Option<Arc<Template>>> {
    let query = read::template(namespace, id, version);
    one(mongo, query, pipeline::decode_template).await
}

/// The newest version of every template of a namespace, by id.
pub async fn templates(mongo: &Mongo, namespace: &Namespace) -> Result<Vec<Arc<Template>>> {
    let filter = doc! { "namespace": namespace.as_str(), "template_id": { "$gte": "" } };
    let ids = distinct(mongo, schema::TEMPLATES, "template_id", filter).await?;
    let mut templates = Vec::with_capacity(ids.len());
    for id in ids {
        if let Ok(id) = TemplateId::parse(&id) {
            templates.extend(template(mongo, namespace, &id, None).await?);
        }
    }
    templates.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(templates)
}

/// Waiting tasks one of whose dependencies failed or was cancelled: (task, dependency).
///
/// A mark can be out of date: a dependency that came late or was replayed takes nobody's mark away. So each
/// is looked at again, and the marks that do not hold any more are taken away here.
pub async fn doomed(mongo: &Mongo, limit: usize) -> Result<Vec<(Namespace, TaskId, TaskId)>> {
    let filter = doc! { derived::PHASE: phase::all_doomed().filter() };
    let query = Query::of(schema::TASKS, filter)
        .by("by_phase")
        .only(&["namespace", "task_id", derived::DOOMED_BY])
        .at_most(limit);
    let mut marked: BTreeMap<Namespace, Vec<(TaskId, Vec<TaskId>)>> = BTreeMap::new();
    for found in mongo.find(&query).await? {
        let reader = Reader::new(&found)?;
        let mark = (
            reader.parsed("task_id")?,
            reader.list_of(derived::DOOMED_BY)?,
        );
        marked
            .entry(reader.parsed("namespace")?)
            .or_default()
            .push(mark);
    }
    let mut doomed = Vec::new();
    for (namespace, marks) in marked {
        let ids: BTreeSet<&TaskId> = marks.iter().flat_map(|(_, by)| by).collect();
        let states = states(mongo, &namespace, &ids).await?;
        for (task, mut by) in marks {
            by.sort();
            for dependency in by {
                match states
                    .get(&dependency)
                    .copied()
                    .unwrap_or(DependencyState::Dead)
                {
                    DependencyState::Dead => {
                        doomed.push((namespace.clone(), task.clone(), dependency));
                    }
                    state => unmark(mongo, &namespace, &task, &dependency, state).await,
                }
            }
        }
    }
    doomed.truncate(limit);
    Ok(doomed)
}

async fn states(
    mongo: &Mongo,
    namespace: &Namespace,
    ids: &BTreeSet<&TaskId>,
) -> Result<BTreeMap<TaskId, DependencyState>> {
    let ids = ids.iter().map(|id| id.as_str());
    let query = read::by_ids(schema::TASKS, "task_id", namespace, ids).only(&["task_id", "status"]);
    let mut states = BTreeMap::new();
    for found in mongo.find(&query).await? {
        let reader = Reader::new(&found)?;
        let status = reader.word("status", Status::parse)?;
        states.insert(reader.parsed("task_id")?, DependencyState::of(Some(status)));
    }
    Ok(states)
}

/// Takes a mark away in a transaction that also touches the dependency, so that an end of it at the same
/// moment is not overlooked. Whoever loses such a race looks again the next time.
async fn unmark(
    mongo: &Mongo,
    namespace: &Namespace,
    task: &TaskId,
    dependency: &TaskId,
    state: DependencyState,
) {
    let ids = [dependency.as_str()];
    let mut steps = match state {
        DependencyState::Completed => vec![without(&ids)],
        DependencyState::Open | DependencyState::Dead => {
            let less = doc! { "$setDifference": [format!("${}", derived::DOOMED_BY), { "$literal": &ids }] };
            vec![doc! { "$set": { derived::DOOMED_BY: less } }]
        }
    };
    steps.extend(refresh(mongo.now()));
    let attempt = async {
        let mut session = mongo.client().start_session().await?;
        let mut txn = Txn::begin(mongo.db(), &mut session).await?;
        let words: Vec<&str> = Status::ALL
            .into_iter()
            .filter(|status| DependencyState::of(Some(*status)) == state)
            .map(Status::as_str)
            .collect();
        let still = doc! {
            "namespace": namespace.as_str(), "task_id": dependency.as_str(),
            "status": { "$in": words },
        };
        let touch = doc! { "$inc": { derived::DEPENDENTS: 1 } };
        if txn.change_one(schema::TASKS, still, touch).await?.is_some() {
            let own: Document = doc! {
                "namespace": namespace.as_str(), "task_id": task.as_str(),
                derived::DOOMED_BY: dependency.as_str(),
            };
            txn.change_steps(schema::TASKS, own, steps).await?;
            txn.commit().await
        } else {
            txn.abort().await;
            Ok(())
        }
    };
    if let Err(failed) = attempt.await {
        tracing::debug!(?failed, "a task's dependencies are looked at again later");
    }
}
