//! The store that several servers share: a database that keeps what it acknowledged, and a queue that may forget
//! anything at any time.
//!
//! The database is a [`MemoryStore`](mcpanel_store::memory::MemoryStore) of documents guarded by revisions. What
//! it does that one process alone does not:
//!
//! - a commit may be written though its server never hears of it, at once or after a while;
//! - a server that is gone, or whose caller hung up, does not take its commit back;
//! - documents that are due are told to every server that asks.
//!
//! The queue ([`queue`](super::queue)) says which tasks might be ready and what is set aside. It is told of every
//! commit, or misses it; entries and reservations vanish, strange ones appear, now and then everything is gone. A
//! server that ticks sets it right from the database now and then. So only three things may be relied on: the
//! document as it is read, the revision that guards it, and that the queue is right some time after the last fault.
//! It also remembers assignments that no document says yet ([`grants`](super::grants)), as badly as everything else.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
};

use mcpanel_domain::{
    Namespace, TaskId, Timestamp,
    task::{Status, Task},
};
use mcpanel_store::{
    Commit, Due, Offer, Receipt, Result, Store, Write,
    query::{Page, TaskFilter},
};
use parking_lot::Mutex;

use super::{SimStore, grants::Given, queue::Queue};
use crate::{
    executor::{at_once, yield_now},
    mutation::Mutation,
    shared::Operation,
};

/// More documents than any run makes.
const ALL: usize = 100_000;

/// True milliseconds between two looks of one server at whether the queue is right.
const VERIFY_EVERY_MS: u64 = 10_000;

/// Longest that a commit may be under way after its server gave it up, in true milliseconds.
const LATE_MS_MAX: u64 = 5_000;

/// What all servers of a run share, beside the documents.
#[derive(Default)]
pub struct Common {
    pub queue: Mutex<Queue>,
    late: Mutex<Vec<Late>>,
    /// When a document is due after all, while it is at this revision.
    pub(super) rearmed: Mutex<BTreeMap<Due, (u64, Timestamp)>>,
}

/// A commit that will be written when nobody waits for it any more.
struct Late {
    /// In true time.
    at_ms: u64,
    commit: Commit,
    operation: Option<Arc<Operation>>,
}

/// What one server of several has of its own.
pub struct Instance {
    pub number: usize,
    pub common: Arc<Common>,
    /// What it was told is due, and until when it does not look again, in true time.
    pub(super) told: Mutex<BTreeMap<Due, u64>>,
    /// What it gave out and nobody wrote yet, as far as it knows.
    pub given: Mutex<Given>,
    verified_at: Mutex<u64>,
}

impl Instance {
    /// A server that has just begun.
    pub fn new(number: usize, common: Arc<Common>) -> Self {
        Self {
            number,
            common,
            told: Mutex::default(),
            given: Mutex::default(),
            verified_at: Mutex::new(0),
        }
    }
}

/// A commit on its way to the database: it gets there also when nobody waits for it any more.
struct UnderWay<'a> {
    store: &'a SimStore,
    instance: &'a Instance,
    commit: Option<(Commit, Option<Arc<Operation>>)>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some((commit, operation)) = self.commit.take() {
            self.store.write_later(self.instance, commit, operation);
        }
    }
}

impl SimStore {
    /// Writes what is due to be written late.
    pub(super) fn settle_late(&self, instance: &Instance) {
        let now = self.shared.clock.elapsed_ms();
        let ripe: Vec<Late> = {
            let mut late = instance.common.late.lock();
            let (ripe, rest) = std::mem::take(&mut *late)
                .into_iter()
                .partition(|each| each.at_ms <= now);
            *late = rest;
            ripe
        };
        for each in ripe {
            self.shared
                .trace(|| "a commit that nobody waits for gets there".to_owned());
            // Refused when its documents changed meanwhile: that is what revisions are for.
            let _ = at_once(self.write_as(each.commit, each.operation));
        }
    }

    fn write_later(&self, instance: &Instance, commit: Commit, operation: Option<Arc<Operation>>) {
        let wait = self.shared.random.lock().within(0..=LATE_MS_MAX);
        let at_ms = self.shared.clock.elapsed_ms() + wait;
        self.shared.trace(|| "gives a commit up".to_owned());
        instance.common.late.lock().push(Late {
            at_ms,
            commit,
            operation,
        });
    }

    /// Sends a commit, and answers what came back, if anything did.
    pub(super) async fn commit_shared(
        &self,
        instance: &Instance,
        commit: Commit,
    ) -> Result<Receipt> {
        let operation = self.shared.current.lock().clone();
        let draw = self.shared.random.lock().within(0..=999);
        let faults = *self.shared.faults.lock();
        let mut under_way = UnderWay {
            store: self,
            instance,
            commit: Some((commit, operation.clone())),
        };
        if draw < faults.unknown {
            // Half of them have been written already.
            if draw.is_multiple_of(2)
                && let Some((commit, operation)) = under_way.commit.take()
            {
                let _ = self.write_as(commit, operation).await;
            }
            return self.unheard();
        }
        yield_now().await;
        let Some((commit, operation)) = under_way.commit.take() else {
            return self.unheard();
        };
        match self.shared.mutation {
            Some(mutation) => self.commit_broken(mutation, commit).await,
            None => self.write_as(commit, operation).await,
        }
    }

    /// Tells the queue what was committed, unless it does not hear it.
    pub(super) fn tell_queue(&self, instance: &Instance, commit: &Commit) {
        if self.ill(|faults| faults.forget) {
            return;
        }
        let mut queue = instance.common.queue.lock();
        for write in &commit.writes {
            let Write::Task { task, .. } = write else {
                continue;
            };
            queue.learn(task, self.is_open(task));
            if task.status() != Status::Completed {
                continue;
            }
            let waiting = at_once(self.inner.dependents(&task.namespace, &task.id));
            let waiting = at_once(
                self.inner
                    .tasks(&task.namespace, &waiting.unwrap_or_default()),
            );
            for dependent in waiting.unwrap_or_default().into_iter().flatten() {
                queue.learn(&dependent, self.is_open(&dependent));
            }
        }
    }

    /// Whether nothing that a task waits for is in the way, as its document says.
    pub(super) fn is_open(&self, task: &Task) -> bool {
        let found = at_once(self.inner.tasks(&task.namespace, &task.dependencies));
        found.is_ok_and(|found| {
            found.iter().all(|each| {
                each.as_ref()
                    .is_some_and(|task| task.status() == Status::Completed)
            })
        })
    }

    /// See [`Store::take_ready`].
    pub(super) async fn take_shared(
        &self,
        instance: &Instance,
        offer: &Offer,
        now: Timestamp,
    ) -> Result<Vec<Arc<Task>>> {
        self.disturb(instance);
        let greedy = Offer {
            concurrency: u32::MAX,
            ..offer.clone()
        };
        let offer = match self.shared.breaks(Mutation::OverfillSlots) {
            true => &greedy,
            false => offer,
        };
        // First those that are not written: one that is written meanwhile is then counted once, and not missed.
        let granted = {
            let queue = instance.common.queue.lock();
            queue.granted_to(&offer.agent_id, &offer.session)
        };
        let held = self.inner.leases(&offer.namespace, &offer.agent_id).await?;
        let held: BTreeSet<TaskId> = held
            .into_iter()
            .filter(|held| held.session == offer.session)
            .map(|held| held.task_id)
            .chain(granted.into_iter().map(|grant| grant.task_id))
            .collect();
        self.interleave().await;
        let elapsed = self.shared.clock.elapsed_ms();
        let ids = {
            let mut random = self.shared.random.lock();
            let mut queue = instance.common.queue.lock();
            queue.take(offer, &held, elapsed, &mut random)
        };
        self.interleave().await;
        let trusts = self.shared.breaks(Mutation::TrustQueue);
        let found = self.inner.tasks(&offer.namespace, &ids).await?;
        // Nothing is awaited from here on: the caller's guard gives back what it is told of, and no more.
        let mut queue = instance.common.queue.lock();
        let mut taken = Vec::new();
        for (id, task) in ids.iter().zip(found) {
            let suits = task.as_ref().is_some_and(|task| {
                (trusts || self.is_open(task))
                    && task.ready_at().is_some_and(|at| at <= now)
                    && task
                        .target
                        .as_ref()
                        .is_none_or(|target| *target == offer.agent_id)
                    && task
                        .capabilities
                        .iter()
                        .all(|needed| offer.capabilities.contains(needed))
            });
            match task.filter(|_| suits) {
                Some(task) => {
                    queue.confirm(&task);
                    taken.push(task);
                }
                None => queue.drop_reservation(id),
            }
        }
        Ok(taken)
    }

    /// The queue forgets, or remembers what is not so.
    fn disturb(&self, instance: &Instance) {
        if self.ill(|faults| faults.flush) {
            self.shared.trace(|| "the queue is emptied".to_owned());
            instance.common.queue.lock().clear();
        }
        if self.ill(|faults| faults.forget) {
            let mut random = self.shared.random.lock();
            let mut queue = instance.common.queue.lock();
            match random.within(0..=6) {
                0 => queue.lose_entry(&mut random),
                1 => queue.lose_reservation(&mut random),
                2 => queue.lose_grant(&mut random),
                3 => {
                    drop((random, queue));
                    self.forge(instance);
                }
                _ => {
                    let known: Vec<Arc<Task>> = self
                        .shared
                        .observer
                        .lock()
                        .tasks()
                        .values()
                        .cloned()
                        .collect();
                    if let Some(task) = random.pick(&known) {
                        queue.invent(task);
                    }
                }
            }
        }
    }

    /// Whether an ill of so many in a thousand happens now.
    pub(super) fn ill(&self, of: impl FnOnce(&crate::shared::Faults) -> u64) -> bool {
        let per_mille = of(&self.shared.faults.lock());
        per_mille > 0 && self.shared.random.lock().within(0..=999) < per_mille
    }

    /// Compares the queue with the database, and sets it right.
    pub(super) fn verify(&self, instance: &Instance) {
        let now = self.shared.clock.elapsed_ms();
        let mut verified = instance.verified_at.lock();
        if now < *verified + VERIFY_EVERY_MS || self.shared.breaks(Mutation::NeverVerify) {
            return;
        }
        *verified = now;
        let tasks = self.live(&Namespace::default_namespace());
        let mut queue = instance.common.queue.lock();
        queue.forget_all_but(&tasks);
        for task in tasks {
            let open = self.is_open(&task);
            queue.verify(&task, open, now);
        }
    }

    pub(super) fn live(&self, namespace: &Namespace) -> Vec<Arc<Task>> {
        let filter = TaskFilter {
            statuses: vec![
                Status::Pending,
                Status::Assigned,
                Status::Running,
                Status::Retry,
            ],
            ..TaskFilter::default()
        };
        let page = Page::first(ALL);
        let found = at_once(self.inner.list_tasks(namespace, &filter, &page));
        found.map(|listing| listing.items).unwrap_or_default()
    }

    /// Whether the process that this belongs to is gone.
    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }
}
