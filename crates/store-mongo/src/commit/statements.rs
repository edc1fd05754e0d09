//! A group's transaction, between its beginning and its commit.

use std::sync::Arc;

use mcpanel_domain::{TaskId, Timestamp, event::Event, task::Task};
use mcpanel_store::Key;
use mongodb::bson::{DateTime, RawDocumentBuf, doc, oid::ObjectId, rawdoc};
use rustc_hash::FxHashMap;

use super::{Failed, Txn, group::Group, waits};
use crate::{
    documents::{Fields, Shelf, derived, event, fields::long, small, task},
    mongo::number,
    project::Change,
    read::{self, BLOCK_EVENTS_MAX},
    schema,
};

/// What became durable.
pub struct Done {
    /// Whom and what to tell of.
    pub changes: Vec<Change>,
    /// Blocks of events, each with how many it holds.
    pub blocks: Vec<(ObjectId, Vec<Event>)>,
    /// The tasks, as they are now.
    pub tasks: Vec<Arc<Task>>,
}

impl Group {
    /// Everything between the beginning and the commit.
    pub async fn run(
        &mut self,
        txn: &mut Txn<'_>,
        now: Timestamp,
        shard: u32,
    ) -> Result<Done, Failed> {
        let waits = self.beginners.resolve(txn, &self.statuses).await?;
        self.write_tasks(&waits, now);
        for (namespace, key) in &self.forgotten {
            let filter = doc! {
                "namespace": namespace.as_str(), "key": key,
                "expires_at": { "$lte": DateTime::from_millis(now.as_ms()) },
            };
            txn.delete_any(schema::IDEMPOTENCY, filter).await?;
        }
        for (collection, documents) in std::mem::take(&mut self.inserts) {
            txn.insert(collection, documents).await?;
        }
        for (collection, statements) in std::mem::take(&mut self.updates) {
            let expected = statements.iter().map(|each| each.documents).sum();
            let raw = statements.into_iter().map(|each| each.raw).collect();
            txn.update(collection, raw, expected).await?;
        }
        for (collection, filters) in std::mem::take(&mut self.deletes) {
            txn.delete(collection, filters).await?;
        }
        self.write_logs(txn).await?;
        let mut told = Vec::new();
        if !self.ended.is_empty() {
            told = waits::tell(txn, &self.ended, now).await?;
        }
        if !self.unsettled.is_empty() {
            waits::settle(txn, &self.unsettled, now).await?;
        }
        let counts = self.counts.statements(shard);
        if !counts.is_empty() {
            txn.update_any(schema::TASK_COUNTS, counts).await?;
        }
        let blocks = write_events(txn, std::mem::take(&mut self.events)).await?;
        let mut changes = std::mem::take(&mut self.changes);
        let tasks = self.task_changes(txn, told, &mut changes).await?;
        for pipeline in &self.pipelines {
            changes.push(Change::Pipeline {
                new: pipeline.clone(),
            });
        }
        Ok(Done {
            changes,
            blocks,
            tasks,
        })
    }

    /// The changes of tasks, and those of tasks that were only told that another ended.
    async fn task_changes(
        &self,
        txn: &mut Txn<'_>,
        told: Vec<Key<TaskId>>,
        changes: &mut Vec<Change>,
    ) -> Result<Vec<Arc<Task>>, Failed> {
        let waiting = self
            .tasks
            .iter()
            .filter(|write| !write.new.dependencies.is_empty() && !write.new.status().is_terminal())
            .map(|write| (write.new.namespace.clone(), write.new.id.clone()));
        let look: Vec<Key<TaskId>> = waiting.chain(told.iter().cloned()).collect();
        let mut looked: FxHashMap<Key<TaskId>, RawDocumentBuf> = FxHashMap::default();
        for (namespace, ids) in waits::by_namespace(look) {
            let query = read::by_ids(
                schema::TASKS,
                "task_id",
                &namespace,
                ids.iter().map(TaskId::as_str),
            )
            .without(&["parameters", "parameters_json", "result", "result_json"]);
            for document in txn.find(&query).await? {
                if let Some(id) = document
                    .get_str("task_id")
                    .ok()
                    .and_then(|id| TaskId::parse(id).ok())
                {
                    looked.insert((namespace.clone(), id), document);
                }
            }
        }
        let mut tasks = Vec::with_capacity(self.tasks.len());
        for write in &self.tasks {
            let key = (write.new.namespace.clone(), write.new.id.clone());
            let blocked = looked
                .remove(&key)
                .is_some_and(|document| task::is_blocked(&document));
            tasks.push(write.new.clone());
            changes.push(Change::Task {
                old: write.old.clone(),
                new: write.new.clone(),
                blocked,
            });
        }
        for document in looked.into_values() {
            // Large parts are not needed by those who follow; one that cannot be read is theirs to find.
            if let Ok(task) = task::decode(&document, &Shelf::default()) {
                let task = Arc::new(task);
                changes.push(Change::Task {
                    old: Some(task.clone()),
                    new: task,
                    blocked: task::is_blocked(&document),
                });
            }
        }
        Ok(tasks)
    }

    async fn write_logs(&self, txn: &mut Txn<'_>) -> Result<(), Failed> {
        for ((namespace, id), lines) in &self.logs {
            let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
            let filter = doc! { "namespace": namespace.as_str(), "task_id": id.as_str() };
            let change = doc! { "$inc": { derived::LOG_LINES: long(count) } };
            let Some(task) = txn.change_one(schema::TASKS, filter, change).await? else {
                return Err(Failed::Raced("its task is not there"));
            };
            let last = number(&task, derived::LOG_LINES).unwrap_or_default();
            if lines.is_empty() {
                continue;
            }
            let last = u64::try_from(last).unwrap_or(0);
            let fields = small::encode_lines(namespace, id, last - count + 1, lines);
            txn.insert(schema::TASK_LOGS, vec![fields.into_raw()])
                .await?;
            let kept = mcpanel_domain::limits::LOG_LINES_KEPT;
            if last > kept {
                let filter = doc! {
                    "namespace": namespace.as_str(), "task_id": id.as_str(),
                    "last": { "$lte": long(last - kept) },
                };
                txn.delete_any(schema::TASK_LOGS, filter).await?;
            }
        }
        Ok(())
    }
}

async fn write_events(
    txn: &mut Txn<'_>,
    events: Vec<Event>,
) -> Result<Vec<(ObjectId, Vec<Event>)>, Failed> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut blocks = Vec::new();
    let mut statements = Vec::new();
    for part in events.chunks(BLOCK_EVENTS_MAX) {
        let id = ObjectId::new();
        let mut fields = Fields::new();
        fields.put("waits", true);
        fields.put("count", long(u64::try_from(part.len()).unwrap_or(u64::MAX)));
        fields.put_all("events", part.iter().map(event::encode));
        // The cluster's own time: a block that another was caused by has an earlier one, whichever
        // instances wrote them.
        let order = rawdoc! { "$set": { "order": "$$CLUSTER_TIME" } };
        let block = rawdoc! { "$replaceWith": { "$mergeObjects": ["$$ROOT", { "$literal": fields.into_raw() }] } };
        statements.push(rawdoc! { "q": { "_id": id }, "u": [block, order], "upsert": true });
        blocks.push((id, part.to_vec()));
    }
    txn.update_any(schema::EVENT_BLOCKS, statements).await?;
    Ok(blocks)
}
