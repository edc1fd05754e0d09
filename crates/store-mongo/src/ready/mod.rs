//! Claims without Redis: the ready queue as an index of MongoDB.
//!
//! Which tasks are ready, and in which order within a class, an index knows. What is set aside for a
//! claim that has not committed is remembered by this instance only: two instances may offer the same
//! task, and MongoDB's revision decides who gets it. Pipelines take turns within the best
//! [`WINDOW`] tasks of each class.

mod reserved;
mod turns;
mod waiters;

use std::sync::Arc;

use async_trait::async_trait;
use mcpanel_domain::{Namespace, PipelineId, TaskId, Timestamp, event::Numbered, task::Task};
use mcpanel_store::{Offer, Result};
use mongodb::{
    bson::{Bson, Document, RawDocumentBuf, doc},
    options::Hint,
};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{
    documents::{
        Reader,
        derived::{self, class_of},
        fields::date,
        phase,
    },
    error::unavailable,
    mongo::Mongo,
    project::{Change, Projection},
    read::{self, Query},
    schema,
};
use reserved::Reserved;
use turns::Turns;
use waiters::Waiters;

/// Tasks of a class that are looked at for one claim: as many as one claim may take, so that a
/// pipeline behind another's thousand waits at most that long for its turn.
const WINDOW: usize = 1_000;

/// The queue.
pub struct Queue {
    mongo: Mongo,
    reserved: Mutex<Reserved>,
    turns: Mutex<Turns>,
    waiters: Mutex<Waiters>,
    /// When a task of this instance next becomes ready by itself, as far as it knows.
    next_later: Mutex<Timestamp>,
}

/// A task that could be given out, as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    /// Highest first.
    priority: std::cmp::Reverse<i32>,
    /// Earliest first.
    ready_by: Timestamp,
    created_at: Timestamp,
    id: TaskId,
    pipeline: Option<PipelineId>,
}

impl Queue {
    /// Nothing is set aside.
    pub fn new(mongo: Mongo) -> Self {
        Self {
            mongo,
            reserved: Mutex::new(Reserved::default()),
            turns: Mutex::new(Turns::default()),
            waiters: Mutex::new(Waiters::default()),
            next_later: Mutex::new(Timestamp::ZERO),
        }
    }

    /// Sets aside the best tasks for an offer, but none that was given out without saying so in its document; `held` is
    /// how many its session holds already.
    pub async fn take(
        &self,
        offer: &Offer,
        held: u32,
        now: Timestamp,
        given: &(dyn Fn(&TaskId) -> bool + Sync),
    ) -> Result<Vec<TaskId>> {
        if *self.next_later.lock() <= now {
            self.promote(now).await?;
        }
        if self.room(offer, held) == 0 {
            return Ok(Vec::new());
        }
        let mut candidates = Vec::new();
        for class in self.classes(&offer.namespace).await? {
            if read::class_suits(&class, offer) {
                let query = read::ready_in(&offer.namespace, &class, WINDOW);
                for found in self.mongo.find(&query).await? {
                    candidates.push(candidate(&found)?);
                }
            }
        }
        // Nothing waits between here and the end, so no other claim of this instance sees the same.
        let mut reserved = self.reserved.lock();
        candidates.retain(|each| !reserved.has(&offer.namespace, &each.id) && !given(&each.id));
        let room = offer.concurrency.saturating_sub(
            held.saturating_add(reserved.of_agent(&offer.namespace, &offer.agent_id)),
        );
        let room = usize::try_from(room.min(offer.max)).unwrap_or(usize::MAX);
        let chosen = self.turns.lock().choose(&offer.namespace, candidates, room);
        for id in &chosen {
            reserved.add(&offer.namespace, id, &offer.agent_id);
        }
        Ok(chosen)
    }

    fn room(&self, offer: &Offer, held: u32) -> u32 {
        let reserved = self
            .reserved
            .lock()
            .of_agent(&offer.namespace, &offer.agent_id);
        offer
            .concurrency
            .saturating_sub(held.saturating_add(reserved))
            .min(offer.max)
    }

    /// Classes of which tasks are ready.
    async fn classes(&self, namespace: &Namespace) -> Result<Vec<String>> {
        // A bound instead of `$exists`, so that the index can step from one value to the next.
        let filter = doc! { derived::PHASE: phase::all_ready(namespace).filter() };
        let found = self
            .mongo
            .raw(schema::TASKS)
            .distinct(derived::PHASE, filter)
            .max_time(Query::MAX_TIME)
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(found
            .into_iter()
            .filter_map(|class| match class {
                Bson::String(phase) => phase::class_in(&phase).map(str::to_owned),
                _ => None,
            })
            .collect())
    }

    /// Notes at which revision tasks were set aside, once they are read; those that are gone are let go.
    pub fn confirm(&self, namespace: &Namespace, ids: &[TaskId], tasks: &[Arc<Task>]) {
        let mut reserved = self.reserved.lock();
        for id in ids {
            match tasks.iter().find(|task| task.id == *id) {
                Some(task) => reserved.confirm(namespace, id, task.revision),
                None => reserved.remove(namespace, id),
            }
        }
    }

    /// Gives back what was set aside at these revisions.
    pub fn give_back(&self, namespace: &Namespace, tasks: &[Arc<Task>]) {
        let returned: Vec<Arc<Task>> = {
            let mut reserved = self.reserved.lock();
            let back = |task: &&Arc<Task>| reserved.give_back(namespace, &task.id, task.revision);
            tasks.iter().filter(back).cloned().collect()
        };
        let mut waiters = self.waiters.lock();
        for task in &returned {
            waiters.wake_for(task);
        }
    }

    /// See [`Store::wait_ready`](mcpanel_store::Store::wait_ready).
    pub fn wait(&self, offer: &Offer) -> oneshot::Receiver<()> {
        self.waiters.lock().add(offer)
    }

    /// Wakes those who wait where a task is ready: other instances' tasks make no noise here.
    pub async fn look_for_others(&self) {
        let namespaces = self.waiters.lock().namespaces();
        for namespace in namespaces {
            let filter = doc! { derived::PHASE: phase::all_ready(&namespace).filter() };
            let some = Query::of(schema::TASKS, filter)
                .by("by_phase")
                .only(&["task_id"])
                .at_most(1);
            match self.mongo.find(&some).await {
                Ok(found) if !found.is_empty() => self.waiters.lock().wake_all(&namespace),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "no look at the queue for those who wait");
                    return;
                }
            }
        }
    }

    /// Ready tasks of the same class that come before this one.
    pub async fn ahead(&self, task: &Task) -> Result<Option<u64>> {
        let phase = phase::ready(&task.namespace, &class_of(task));
        let own = doc! {
            "namespace": task.namespace.as_str(), "task_id": task.id.as_str(),
            derived::PHASE: phase.as_str(),
        };
        let own = Query::of(schema::TASKS, own).by("by_id").only(&["task_id"]);
        if self.mongo.find(&own).await?.is_empty()
            || self.reserved.lock().has(&task.namespace, &task.id)
        {
            return Ok(None);
        }
        let base = doc! { derived::PHASE: phase };
        let mut above = base.clone();
        above.insert("priority", doc! { "$gt": task.priority });
        let mut beside = base;
        beside.insert("priority", task.priority);
        beside.insert(
            "pipeline_id",
            match &task.place {
                Some(place) => Bson::String(place.pipeline_id.to_string()),
                None => Bson::Document(doc! { "$exists": false }),
            },
        );
        let by = date(task.deadline.unwrap_or(Timestamp::MAX));
        let created = date(task.created_at);
        beside.insert("$or", vec![
            doc! { "ready_by": { "$lt": by } },
            doc! { "ready_by": by, "created_at": { "$lt": created } },
            doc! { "ready_by": by, "created_at": created, "task_id": { "$lt": task.id.as_str() } },
        ]);
        let count = self.count(above).await? + self.count(beside).await?;
        Ok(Some(count))
    }

    /// How many tasks of a namespace could be given out.
    pub async fn ready(&self, namespace: &Namespace) -> Result<u64> {
        let filter = doc! { derived::PHASE: phase::all_ready(namespace).filter() };
        let all = self.count(filter).await?;
        Ok(all.saturating_sub(self.reserved.lock().of_namespace(namespace)))
    }

    async fn count(&self, filter: Document) -> Result<u64> {
        self.mongo
            .raw(schema::TASKS)
            .count_documents(filter)
            .hint(Hint::Name("by_phase".to_owned()))
            .max_time(Query::MAX_TIME)
            .await
            .map_err(|error| unavailable(&error))
    }

    /// Makes tasks ready whose time has come, and those that wait for them are woken.
    pub async fn promote(&self, now: Timestamp) -> Result<()> {
        let come = doc! { derived::PHASE: phase::later_until(now).filter() };
        let some = Query::of(schema::TASKS, come.clone())
            .by("by_phase")
            .at_most(1);
        if !self.mongo.find(&some).await?.is_empty() {
            self.mongo
                .raw(schema::TASKS)
                .update_many(come, phase::refresh(now))
                .hint(Hint::Name("by_phase".to_owned()))
                .await
                .map_err(|error| unavailable(&error))?;
            self.look_for_others().await;
        }
        let next = self.next_later_stored().await?;
        *self.next_later.lock() = next.unwrap_or(Timestamp::MAX);
        Ok(())
    }

    /// When a task next becomes ready by itself.
    pub async fn next_later_stored(&self) -> Result<Option<Timestamp>> {
        let all = doc! { derived::PHASE: phase::all_later().filter() };
        let query = Query::of(schema::TASKS, all)
            .by("by_phase")
            .sorted(doc! { derived::PHASE: 1 })
            .only(&[derived::READY_FROM])
            .at_most(1);
        match self.mongo.find(&query).await?.first() {
            None => Ok(None),
            Some(found) => Ok(Some(Reader::new(found)?.date(derived::READY_FROM)?)),
        }
    }
}

#[async_trait]
impl Projection for Queue {
    async fn apply(&self, changes: &[Change]) {
        let now = self.mongo.now();
        for change in changes {
            let Change::Task { old, new, blocked } = change else {
                continue;
            };
            let same = old.as_ref().is_some_and(|old| old.revision == new.revision);
            if !same {
                self.reserved.lock().remove(&new.namespace, &new.id);
            }
            match new.ready_at() {
                Some(at) if !blocked && at <= now => self.waiters.lock().wake_for(new),
                Some(at) if !blocked => {
                    let mut next = self.next_later.lock();
                    *next = (*next).min(at);
                }
                _ => {}
            }
            if let Some(held) = old.as_ref().and_then(|old| old.lease())
                && new.lease().is_none()
            {
                self.waiters
                    .lock()
                    .wake_agent(&new.namespace, &held.agent_id);
            }
        }
    }

    async fn publish(&self, _: &[Arc<Numbered>]) {}
}

fn candidate(found: &RawDocumentBuf) -> Result<Candidate> {
    let reader = Reader::new(found)?;
    Ok(Candidate {
        priority: std::cmp::Reverse(reader.int("priority")?),
        ready_by: reader.date(derived::READY_BY)?,
        created_at: reader.date("created_at")?,
        id: reader.parsed("task_id")?,
        pipeline: reader.parsed_opt("pipeline_id")?,
    })
}
