//! Tasks that wait for others: `waiting_on` and `doomed_by`, kept in the transaction of each change.
//!
//! A task that begins to wait also touches what it waits for, so that a concurrent end of that task meets
//! it and one of the two is tried again: no end passes unnoticed. What was not there to be touched is
//! looked at again by [`crate::read`]'s question for doomed tasks.

use mcpanel_domain::{
    Namespace, TaskId, Timestamp,
    task::{Status, Task},
};
use mcpanel_store::{Key, hot::DependencyState};
use mongodb::bson::{Bson, Document, RawDocumentBuf, doc};
use rustc_hash::FxHashMap;

use super::{Failed, Txn};
use crate::{
    documents::{derived, phase::refresh},
    read, schema,
};

/// What one task waits for.
#[derive(Debug, Clone, Default)]
pub struct Waits {
    /// Dependencies that are not completed.
    pub on: Vec<TaskId>,
    /// Those of them that will not complete of themselves.
    pub doomed: Vec<TaskId>,
}

/// Tasks that begin to wait, and what their dependencies are.
#[derive(Default)]
pub struct Beginners(Vec<(Key<TaskId>, Vec<TaskId>)>);

impl Beginners {
    /// Notes a task that begins to wait, or whose dependencies changed.
    pub fn add(&mut self, task: &Task) {
        let key = (task.namespace.clone(), task.id.clone());
        self.0.push((key, task.dependencies.to_vec()));
    }

    /// Looks how their dependencies stand, and touches those that are not completed.
    pub async fn resolve(
        &self,
        txn: &mut Txn<'_>,
        in_group: &FxHashMap<Key<TaskId>, Status>,
    ) -> Result<FxHashMap<Key<TaskId>, Waits>, Failed> {
        let mut stored: FxHashMap<Key<TaskId>, Status> = FxHashMap::default();
        for (namespace, ids) in by_namespace(self.0.iter().flat_map(|(key, dependencies)| {
            dependencies.iter().map(|id| (key.0.clone(), id.clone()))
        })) {
            let outside: Vec<TaskId> = ids
                .into_iter()
                .filter(|id| !in_group.contains_key(&(namespace.clone(), id.clone())))
                .collect();
            if outside.is_empty() {
                continue;
            }
            let mut touched = Vec::new();
            for (id, status) in statuses(txn, &namespace, &outside).await? {
                if status != Status::Completed {
                    touched.push(id.to_string());
                }
                stored.insert((namespace.clone(), id), status);
            }
            if !touched.is_empty() {
                let filter =
                    doc! { "namespace": namespace.as_str(), "task_id": { "$in": touched } };
                let touch = Bson::Document(doc! { "$inc": { derived::DEPENDENTS: 1 } });
                txn.update_any(schema::TASKS, vec![many(filter, touch)?])
                    .await?;
            }
        }
        let waits = self.0.iter().map(|(key, dependencies)| {
            let mut waits = Waits::default();
            for dependency in dependencies {
                let on = (key.0.clone(), dependency.clone());
                let status = in_group.get(&on).or_else(|| stored.get(&on)).copied();
                match DependencyState::of(status) {
                    DependencyState::Completed => {}
                    DependencyState::Open => waits.on.push(dependency.clone()),
                    DependencyState::Dead => {
                        waits.on.push(dependency.clone());
                        waits.doomed.push(dependency.clone());
                    }
                }
            }
            (key.clone(), waits)
        });
        Ok(waits.collect())
    }
}

/// How tasks stand, as far as they exist.
async fn statuses(
    txn: &mut Txn<'_>,
    namespace: &Namespace,
    ids: &[TaskId],
) -> Result<Vec<(TaskId, Status)>, Failed> {
    let ids = ids.iter().map(TaskId::as_str);
    let query = read::by_ids(schema::TASKS, "task_id", namespace, ids).only(&["task_id", "status"]);
    let found = txn.find(&query).await?;
    Ok(found
        .iter()
        .filter_map(|task| {
            let id = TaskId::parse(task.get_str("task_id").ok()?).ok()?;
            Some((id, Status::parse(task.get_str("status").ok()?)?))
        })
        .collect())
}

/// Tells those that wait for ended tasks; answers with those for which something changed.
pub async fn tell(
    txn: &mut Txn<'_>,
    ended: &[(Key<TaskId>, Status)],
    now: Timestamp,
) -> Result<Vec<Key<TaskId>>, Failed> {
    let mut told = Vec::new();
    for completed in [true, false] {
        let of_kind = ended
            .iter()
            .filter(|(_, status)| (*status == Status::Completed) == completed)
            .map(|(key, _)| key.clone());
        for (namespace, ids) in by_namespace(of_kind) {
            let ids: Vec<&str> = ids.iter().map(TaskId::as_str).collect();
            let query = read::waiting_on(&namespace, &ids);
            let waiting: Vec<String> = txn
                .find(&query)
                .await?
                .iter()
                .filter_map(|task| task.get_str("task_id").ok().map(str::to_owned))
                .collect();
            if waiting.is_empty() {
                continue;
            }
            let mut steps = vec![match completed {
                true => without(&ids),
                false => doomed(&ids),
            }];
            steps.extend(refresh(now));
            let filter = doc! { "namespace": namespace.as_str(), "task_id": { "$in": &waiting } };
            txn.update_any(schema::TASKS, vec![many(filter, all(steps))?])
                .await?;
            told.extend(
                waiting
                    .iter()
                    .filter_map(|id| TaskId::parse(id).ok())
                    .map(|id| (namespace.clone(), id)),
            );
        }
    }
    Ok(told)
}

/// Works out anew whether tasks with dependencies are ready.
pub async fn settle(
    txn: &mut Txn<'_>,
    tasks: &[Key<TaskId>],
    now: Timestamp,
) -> Result<(), Failed> {
    for (namespace, ids) in by_namespace(tasks.iter().cloned()) {
        let ids: Vec<&str> = ids.iter().map(TaskId::as_str).collect();
        let filter = doc! { "namespace": namespace.as_str(), "task_id": { "$in": ids } };
        txn.update_any(schema::TASKS, vec![many(filter, all(refresh(now)))?])
            .await?;
    }
    Ok(())
}

/// A step that takes completed tasks out of what is waited for.
pub fn without(ids: &[&str]) -> Document {
    let less = |field: &str| {
        doc! { "$setDifference": [
            { "$ifNull": [format!("${field}"), []] }, { "$literal": ids },
        ] }
    };
    doc! { "$set": {
        derived::WAITING_ON: less(derived::WAITING_ON), derived::DOOMED_BY: less(derived::DOOMED_BY),
    } }
}

fn doomed(ids: &[&str]) -> Document {
    let known = doc! { "$ifNull": [format!("${}", derived::DOOMED_BY), []] };
    let more = doc! { "$setIntersection": [
        { "$ifNull": [format!("${}", derived::WAITING_ON), []] }, { "$literal": ids },
    ] };
    doc! { "$set": { derived::DOOMED_BY: { "$setUnion": [known, more] } } }
}

fn all(steps: Vec<Document>) -> Bson {
    Bson::Array(steps.into_iter().map(Bson::Document).collect())
}

fn many(filter: Document, change: Bson) -> Result<RawDocumentBuf, Failed> {
    RawDocumentBuf::try_from(&doc! { "q": filter, "u": change, "multi": true })
        .map_err(|error| Failed::Refused(error.to_string()))
}

/// Ids by namespace, each once.
pub fn by_namespace(keys: impl IntoIterator<Item = Key<TaskId>>) -> Vec<(Namespace, Vec<TaskId>)> {
    let mut groups: Vec<(Namespace, Vec<TaskId>)> = Vec::new();
    for (namespace, id) in keys {
        match groups.iter_mut().find(|(each, _)| *each == namespace) {
            Some((_, ids)) => ids.push(id),
            None => groups.push((namespace, vec![id])),
        }
    }
    for (_, ids) in &mut groups {
        ids.sort();
        ids.dedup();
    }
    groups
}
