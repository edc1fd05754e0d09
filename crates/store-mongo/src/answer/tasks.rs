//! Tasks.

use std::{collections::BTreeSet, sync::Arc};

use mcpanel_domain::{Namespace, TaskId, limits::LOG_LINES_KEPT, log::Line, task::Task};
use mcpanel_store::{
    Result,
    query::{Listing, Page, Payloads, Position, Queue, TaskFilter},
};
use mongodb::bson::{RawDocumentBuf, doc};
use rustc_hash::FxHashMap;

use super::{all, distinct, sums};
use crate::{
    activity,
    documents::{Reader, derived, fields::long, payload, small, task},
    error::unavailable,
    mongo::Mongo,
    read::{self, Query},
    schema,
    source::Standing,
};

/// What no rule looks into, and lists leave out.
const PAYLOADS: [&str; 4] = ["parameters", "parameters_json", "result", "result_json"];

/// Tasks by id, in the order asked, each with whether it waits for others.
pub async fn standing(
    mongo: &Mongo,
    namespace: &Namespace,
    ids: &[TaskId],
) -> Result<Vec<Option<Standing>>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = read::by_ids(
        schema::TASKS,
        "task_id",
        namespace,
        ids.iter().map(TaskId::as_str),
    );
    let found = stand(mongo, &query.without(&PAYLOADS)).await?;
    let by_id: FxHashMap<TaskId, Standing> = found
        .into_iter()
        .map(|standing| (standing.0.id.clone(), standing))
        .collect();
    Ok(ids.iter().map(|id| by_id.get(id).cloned()).collect())
}

/// The tasks that a query asks for, each with whether it waits for others.
pub async fn stand(mongo: &Mongo, query: &Query) -> Result<Vec<Standing>> {
    let documents = mongo.find(query).await?;
    let read = |raw: &RawDocumentBuf, shelf: &_| {
        Ok((Arc::new(task::decode(raw, shelf)?), task::is_blocked(raw)))
    };
    mongo.decode(&documents, read).await
}

/// Inputs and outputs by id, in the order asked.
pub async fn payloads(
    mongo: &Mongo,
    namespace: &Namespace,
    ids: &[TaskId],
) -> Result<Vec<Option<Payloads>>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = read::by_ids(
        schema::TASKS,
        "task_id",
        namespace,
        ids.iter().map(TaskId::as_str),
    );
    let mut fields = vec!["task_id", "parameters_stored_as", "result_stored_as"];
    fields.extend(PAYLOADS);
    let documents = mongo.find(&query.only(&fields)).await?;
    let read = |raw: &RawDocumentBuf, shelf: &_| {
        let reader = Reader::new(raw)?;
        let id: TaskId = reader.parsed("task_id")?;
        let parameters = payload::get(&reader, "parameters", shelf)?;
        let result = payload::get(&reader, "result", shelf)?;
        Ok((
            id,
            parameters.map(|parameters| Payloads { parameters, result }),
        ))
    };
    let found: FxHashMap<TaskId, Option<Payloads>> =
        mongo.decode(&documents, read).await?.into_iter().collect();
    Ok(ids
        .iter()
        .map(|id| found.get(id).cloned().flatten())
        .collect())
}

/// A page of tasks.
pub async fn list_tasks(
    mongo: &Mongo,
    namespace: &Namespace,
    filter: &TaskFilter,
    page: &Page,
) -> Result<Listing<Arc<Task>>> {
    let query = read::list_tasks(namespace, filter, page);
    let items = all(mongo, &query, task::decode).await?;
    read::listing(items, page, |task| Position {
        created_at: task.created_at,
        id: task.id.to_string(),
    })
}

/// How many tasks pass a filter, counted up to `cap`.
pub async fn count_tasks(
    mongo: &Mongo,
    namespace: &Namespace,
    filter: &TaskFilter,
    cap: u64,
) -> Result<u64> {
    if cap == 0 {
        return Ok(0);
    }
    let query = read::list_tasks(namespace, filter, &Page::default());
    let collection = mongo.raw(query.collection);
    let mut count = collection
        .count_documents(query.filter)
        .limit(cap)
        .max_time(Query::MAX_TIME);
    if let Some(hint) = query.hint {
        count = count.hint(mongodb::options::Hint::Name(hint.to_owned()));
    }
    count.await.map_err(|error| unavailable(&error))
}

/// Live tasks that wait for this one.
pub async fn dependents(mongo: &Mongo, namespace: &Namespace, id: &TaskId) -> Result<Vec<TaskId>> {
    let query = read::waiting_on(namespace, &[id.as_str()]);
    let mut dependents = Vec::new();
    for found in mongo.find(&query).await? {
        dependents.push(Reader::new(&found)?.parsed("task_id")?);
    }
    dependents.sort();
    Ok(dependents)
}

/// Lines of a task's log.
pub async fn logs(
    mongo: &Mongo,
    namespace: &Namespace,
    id: &TaskId,
    after: u64,
    limit: usize,
) -> Result<Vec<Line>> {
    let task = read::by_ids(schema::TASKS, "task_id", namespace, [id.as_str()]);
    let found = mongo
        .find(&task.only(&["task_id", derived::LOG_LINES]))
        .await?;
    let written: u64 = match found.first() {
        None => return Ok(Vec::new()),
        Some(task) => Reader::new(task)?.int_opt(derived::LOG_LINES)?.unwrap_or(0),
    };
    let after = after.max(written.saturating_sub(LOG_LINES_KEPT));
    // A block holds at least one line.
    let kept = usize::try_from(LOG_LINES_KEPT).unwrap_or(usize::MAX);
    let query = read::logs(namespace, id, long(after), limit.min(kept));
    let mut lines = Vec::new();
    for block in mongo.find(&query).await? {
        lines.extend(
            small::decode_lines(&block)?
                .into_iter()
                .filter(|line| line.seq > after),
        );
    }
    lines.truncate(limit);
    Ok(lines)
}

/// Tasks by status.
pub async fn task_counts(mongo: &Mongo, namespace: &Namespace) -> Result<[u64; 7]> {
    let shards = mongo.find(&read::of_namespace(namespace)).await?;
    Ok(read::totals(&shards)?)
}

/// Tasks that have not ended, by type.
pub async fn queues(mongo: &Mongo, namespace: &Namespace) -> Result<Vec<Queue>> {
    let steps = activity::queues(namespace);
    let found = sums(mongo, schema::TASKS, steps, "by_phase").await?;
    let mut queues = Vec::with_capacity(found.len());
    for each in &found {
        let reader = Reader::new(each)?;
        queues.push(Queue {
            task_type: reader.parsed("_id")?,
            waiting: reader.int("waiting")?,
            oldest: reader.date_opt("oldest")?,
            running: reader.int("running")?,
        });
    }
    Ok(queues)
}

/// Namespaces that have tasks or agents.
pub async fn namespaces(mongo: &Mongo) -> Result<Vec<Namespace>> {
    let mut all = BTreeSet::new();
    for collection in [schema::TASKS, schema::AGENTS] {
        // The bound lets the server step through an index that begins with the namespace.
        let filter = doc! { "namespace": { "$gte": "" } };
        all.extend(distinct(mongo, collection, "namespace", filter).await?);
    }
    Ok(all
        .iter()
        .filter_map(|name| Namespace::parse(name).ok())
        .collect())
}
