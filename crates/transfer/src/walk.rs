//! Reading everything of a store, page by page.
//!
//! Lists give the newest first, and a copy needs the oldest first, because tasks refer to older ones. So a first walk
//! notes where each page begins, and a second takes the pages from the last to the first.

use std::{collections::HashMap, sync::Arc};

use futures::{StreamExt, TryStreamExt, stream};
use mcpanel_domain::{
    Namespace, Payload, TaskId, Timestamp,
    artifact::Artifact,
    log::Line,
    operation::Operation,
    pipeline::{Pipeline, Template},
    task::Task,
};
use mcpanel_store::{
    IdempotencyRecord, Portable, Result,
    query::{
        ArtifactFilter, Listing, OperationFilter, Page, Payloads, PipelineFilter, Position,
        TaskFilter,
    },
};

/// Documents read at once, without payloads: a page of the usual size of one.
pub const PAGE: usize = 500;
/// Tasks whose payloads are held at once. Parameters and result have 8 MiB at most each, so that this is never more than
/// 128 MiB; and larger groups would be no faster, for each task's log is a question of its own.
pub const PAYLOADS: usize = 8;
/// Logs that are asked for at once: each is a question of its own, and most are answered in a millisecond.
pub const LOGS_AT_ONCE: usize = 16;
/// Lines of a log read at once.
pub const LINES: usize = 1_000;

/// A task with all that belongs to it.
pub struct Whole {
    pub task: Arc<Task>,
    pub parameters: Payload,
    pub result: Option<Payload>,
    pub lines: Vec<Line>,
}

/// A list of documents, page by page.
pub trait Pages {
    /// What is listed.
    type Item: Send + Sync;

    /// One page, newest first.
    fn page(
        &self,
        store: &dyn Portable,
        namespace: &Namespace,
        page: &Page,
    ) -> impl Future<Output = Result<Listing<Self::Item>>> + Send;
}

/// The tasks.
pub struct Tasks;
/// The pipelines.
pub struct Pipelines;
/// What is known about artifacts.
pub struct Artifacts;
/// The operations.
pub struct Operations;

impl Pages for Tasks {
    type Item = Arc<Task>;

    async fn page(
        &self,
        store: &dyn Portable,
        namespace: &Namespace,
        page: &Page,
    ) -> Result<Listing<Arc<Task>>> {
        store
            .list_tasks(namespace, &TaskFilter::default(), page)
            .await
    }
}

impl Pages for Pipelines {
    type Item = Arc<Pipeline>;

    async fn page(
        &self,
        store: &dyn Portable,
        namespace: &Namespace,
        page: &Page,
    ) -> Result<Listing<Arc<Pipeline>>> {
        store
            .list_pipelines(namespace, &PipelineFilter::default(), page)
            .await
    }
}

impl Pages for Artifacts {
    type Item = Arc<Artifact>;

    async fn page(
        &self,
        store: &dyn Portable,
        namespace: &Namespace,
        page: &Page,
    ) -> Result<Listing<Arc<Artifact>>> {
        store
            .list_artifacts(namespace, &ArtifactFilter::default(), page)
            .await
    }
}

impl Pages for Operations {
    type Item = Arc<Operation>;

    async fn page(
        &self,
        store: &dyn Portable,
        namespace: &Namespace,
        page: &Page,
    ) -> Result<Listing<Arc<Operation>>> {
        store
            .list_operations(namespace, &OperationFilter::default(), page)
            .await
    }
}

/// Where each page of a list begins, newest first.
pub async fn beginnings<P: Pages>(
    pages: &P,
    store: &dyn Portable,
    namespace: &Namespace,
) -> Result<Vec<Option<Position>>> {
    let mut found = vec![None];
    loop {
        let after = found.last().cloned().flatten();
        match pages.page(store, namespace, &page(after)).await?.next {
            Some(next) => found.push(Some(next)),
            None => return Ok(found),
        }
    }
}

/// A page of the usual size.
pub fn page(after: Option<Position>) -> Page {
    Page { after, limit: PAGE }
}

/// Tasks with payloads and logs, in the order given.
pub async fn whole(
    store: &dyn Portable,
    namespace: &Namespace,
    tasks: &[Arc<Task>],
) -> Result<Vec<Whole>> {
    let ids: Vec<TaskId> = tasks.iter().map(|task| task.id.clone()).collect();
    let payloads = payloads(store, namespace, tasks).await?;
    let logs: Vec<Vec<Line>> = stream::iter(ids)
        .map(|id| async move { lines(store, namespace, &id).await })
        .buffered(LOGS_AT_ONCE)
        .try_collect()
        .await?;
    let parts = tasks.iter().cloned().zip(payloads).zip(logs);
    Ok(parts
        .map(|((task, payloads), lines)| Whole {
            task,
            parameters: payloads.parameters,
            result: payloads.result,
            lines,
        })
        .collect())
}

/// The payloads of tasks, in the order given.
pub async fn payloads(
    store: &dyn Portable,
    namespace: &Namespace,
    tasks: &[Arc<Task>],
) -> Result<Vec<Payloads>> {
    let ids: Vec<TaskId> = tasks.iter().map(|task| task.id.clone()).collect();
    let found = store.payloads(namespace, &ids).await?;
    ids.iter()
        .zip(found)
        .map(|(id, payloads)| {
            payloads.ok_or_else(|| mcpanel_store::Error::Damaged {
                what: format!("task `{id}` has no parameters"),
            })
        })
        .collect()
}

/// How many lines a task's log has.
pub async fn log_length(store: &dyn Portable, namespace: &Namespace, id: &TaskId) -> Result<usize> {
    let (mut length, mut after) = (0, 0);
    loop {
        let lines = store.logs(namespace, id, after, LINES).await?;
        length += lines.len();
        match lines.last() {
            Some(last) if lines.len() == LINES => after = last.seq,
            _ => return Ok(length),
        }
    }
}

/// A log, numbered from 1: the store that it is copied to knows nothing of lines that were forgotten before.
async fn lines(store: &dyn Portable, namespace: &Namespace, id: &TaskId) -> Result<Vec<Line>> {
    let mut all = Vec::new();
    loop {
        let after = all.last().map_or(0, |line: &Line| line.seq);
        let more = store.logs(namespace, id, after, LINES).await?;
        let is_last = more.len() < LINES;
        all.extend(more);
        if is_last {
            all.iter_mut()
                .zip(1..)
                .for_each(|(line, seq)| line.seq = seq);
            return Ok(all);
        }
    }
}

/// Every version of every template, oldest first.
pub async fn templates(store: &dyn Portable, namespace: &Namespace) -> Result<Vec<Arc<Template>>> {
    let mut all = Vec::new();
    for newest in store.templates(namespace).await? {
        for version in 1..newest.version {
            all.extend(store.template(namespace, &newest.id, Some(version)).await?);
        }
        all.push(newest);
    }
    Ok(all)
}

/// Every memory of an answered request.
pub async fn idempotency(
    store: &dyn Portable,
    namespace: &Namespace,
) -> Result<Vec<IdempotencyRecord>> {
    let mut all: Vec<IdempotencyRecord> = Vec::new();
    loop {
        let after = all.last().map_or("", |record| record.key.as_str());
        let more = store.idempotency_records(namespace, after, PAGE).await?;
        let is_last = more.len() < PAGE;
        all.extend(more);
        if is_last {
            return Ok(all);
        }
    }
}

/// All time.
pub fn always() -> (Timestamp, Timestamp) {
    (Timestamp::from_ms(0), Timestamp::from_ms(i64::MAX))
}

/// Puts what others of the group wait for before them; otherwise the order stays.
pub fn dependencies_first(group: Vec<Arc<Task>>) -> Vec<Arc<Task>> {
    let mut left: HashMap<TaskId, Arc<Task>> = group
        .iter()
        .map(|task| (task.id.clone(), task.clone()))
        .collect();
    let mut sorted = Vec::with_capacity(group.len());
    for task in group {
        // By hand instead of by recursion: a chain may be as long as the group.
        let mut open = vec![task];
        while let Some(task) = open.pop() {
            if !left.contains_key(&task.id) {
                continue;
            }
            let waits_for = task
                .dependencies
                .iter()
                .filter_map(|id| left.get(id).cloned())
                .find(|dependency| !open.iter().any(|waiting| waiting.id == dependency.id));
            match waits_for {
                Some(dependency) => {
                    open.push(task);
                    open.push(dependency);
                }
                None => {
                    left.remove(&task.id);
                    sorted.push(task);
                }
            }
        }
    }
    sorted
}
