//! The ready queue that all instances share, kept in Redis.
//!
//! A namespace's queue lies in one slot, so that each operation is one script: the best of all lanes
//! is found, the agent's free slots are counted and the tasks set aside in one indivisible step, in exactly the
//! order of the in-memory queue. It holds nothing but what follows from the documents; each record carries the
//! revision it came from, so that news may come twice, late, and out of order. Whoever takes a
//! task reads the document afterwards, and the commit of the assignment decides.
//!
//! - [`entry`]: a task as the scripts see it
//! - [`grants`]: assignments that documents do not say yet
//! - [`returns`]: reservations that are out, and on their way back
//! - [`waiters`]: claims of this instance that wait, and what wakes them

mod entry;
mod grants;
mod moves;
mod returns;
mod scripts;
#[cfg(test)]
mod tests;
mod waiters;
mod wake;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use mcpanel_domain::{Namespace, TaskId, Timestamp, task::Task};
use mcpanel_store::{Grant, Offer};
use parking_lot::Mutex;
use rustc_hash::FxHashSet;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{Away, keys::Keys, link::Link};

pub(crate) use moves::{Move, Record};

use returns::Returns;
use scripts::Scripts;
use waiters::Waiters;

/// How long a reservation lasts that is neither committed nor given back, in milliseconds: longer
/// than a commit may take, short enough that the tasks of an instance that died soon go on.
pub const RESERVATION_MS: u64 = 5_000;

/// Tasks in one script: a few milliseconds in which the server does nothing else.
const TASKS_MAX: usize = 500;

/// The queue, as one instance uses it.
pub struct Queue {
    link: Arc<Link>,
    keys: Keys,
    scripts: Scripts,
    /// Whether scripts note what the views must look at.
    views: bool,
    waiters: Waiters,
    returns: Returns,
    nonces: AtomicU64,
    /// How long what is taken stays set aside: [`RESERVATION_MS`], but where a test must not be overtaken by it.
    pub(super) reservation_ms: AtomicU64,
    /// The latest time a caller named, for what is done in the background.
    latest: AtomicI64,
    /// Namespaces that this instance has named in the set of all.
    named: Mutex<FxHashSet<Namespace>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// How changes were taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Put {
    /// Whether the queue holds everything.
    pub whole: bool,
    /// Tasks that were not where their records say: the server dropped keys.
    pub torn: u64,
}

/// What a claim was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Whether the queue holds everything. When not, it gives out nothing.
    pub whole: bool,
    /// Free slots of the session before, as far as the queue knows.
    pub room: i64,
    /// The tasks, best first, with the revision at which each was set aside.
    pub tasks: Vec<(TaskId, u64)>,
}

/// How a namespace's queue is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Whether it holds everything.
    pub whole: bool,
    /// Tasks that could be given out.
    pub ready: u64,
    /// When the next task's time comes.
    pub next: Option<Timestamp>,
    /// Grants that somebody should have had written by now.
    pub left: Vec<Grant>,
}

impl Queue {
    /// The queue behind a link. With `views`, changes are noted for whoever keeps the views.
    pub(crate) fn new(link: Arc<Link>, keys: Keys, views: bool) -> Arc<Self> {
        let queue = Arc::new(Self {
            link,
            keys,
            scripts: Scripts::new(),
            views,
            waiters: Waiters::default(),
            returns: Returns::default(),
            nonces: AtomicU64::new(random()),
            reservation_ms: AtomicU64::new(RESERVATION_MS),
            latest: AtomicI64::new(0),
            named: Mutex::default(),
            workers: Mutex::default(),
        });
        *queue.workers.lock() = wake::workers(&queue);
        queue
    }

    /// Takes in tasks as they are now, each with whether it waits for other tasks. Old news is passed over. With
    /// `verify`, tasks that are known already are looked for where they should be.
    pub async fn put(
        &self,
        namespace: &Namespace,
        tasks: &[(Arc<Task>, bool)],
        now: Timestamp,
        verify: bool,
    ) -> Result<Put, Away> {
        self.name(namespace).await?;
        self.returns
            .spend(namespace, tasks.iter().map(|(task, _)| &task.id));
        self.latest.fetch_max(now.as_ms(), Ordering::Relaxed);
        let mut put = Put {
            whole: true,
            torn: 0,
        };
        for some in tasks.chunks(TASKS_MAX) {
            let mut arguments = self.head(namespace);
            arguments.push(now.as_ms().to_string());
            arguments.push(u8::from(self.views).to_string());
            arguments.push(u8::from(verify).to_string());
            for (task, blocked) in some {
                arguments.push(task.id.to_string());
                arguments.push(entry::fields(task, *blocked));
            }
            let key = self.keys.queue(namespace);
            let (whole, torn): (i64, u64) =
                self.scripts.apply.run(&self.link, &key, &arguments).await?;
            put.whole &= whole == 1;
            put.torn += torn;
        }
        Ok(put)
    }

    /// Drops tasks of which MongoDB knows nothing.
    pub async fn remove(&self, namespace: &Namespace, ids: &[TaskId]) -> Result<(), Away> {
        for some in ids.chunks(TASKS_MAX) {
            let mut arguments = self.head(namespace);
            arguments.push(u8::from(self.views).to_string());
            arguments.extend(some.iter().map(ToString::to_string));
            let key = self.keys.queue(namespace);
            let _: i64 = self
                .scripts
                .forget
                .run(&self.link, &key, &arguments)
                .await?;
        }
        Ok(())
    }

    /// Sets the best tasks aside for an offer: at most `most` and no more than its session has
    /// free slots, by what the queue knows of its leases.
    pub async fn take(&self, offer: &Offer, most: u32, now: Timestamp) -> Result<Taken, Away> {
        // What this instance gave back before must be there for it.
        if self.returns.any_under_way() {
            self.send_returns().await;
        }
        self.latest.fetch_max(now.as_ms(), Ordering::Relaxed);
        let nonce = self.nonces.fetch_add(1, Ordering::Relaxed);
        let capabilities: Vec<&str> = offer
            .capabilities
            .iter()
            .map(|name| name.as_str())
            .collect();
        let mut arguments = self.head(&offer.namespace);
        arguments.extend([
            now.as_ms().to_string(),
            offer.agent_id.to_string(),
            offer.session.to_string(),
            capabilities.join(","),
            offer.concurrency.to_string(),
            most.min(offer.max).to_string(),
            nonce.to_string(),
            self.reservation_ms.load(Ordering::Relaxed).to_string(),
        ]);
        let key = self.keys.queue(&offer.namespace);
        let (whole, room, taken): (i64, i64, Vec<String>) =
            self.scripts.take.run(&self.link, &key, &arguments).await?;
        let tasks: Vec<(TaskId, u64)> = taken
            .chunks_exact(2)
            .filter_map(|pair| Some((TaskId::parse(&pair[0]).ok()?, pair[1].parse().ok()?)))
            .collect();
        self.returns.reserve(&offer.namespace, &tasks, nonce);
        Ok(Taken {
            whole: whole == 1,
            room,
            tasks,
        })
    }

    /// Gives back what was set aside and not committed as assigned. It is done in the background,
    /// before the next [`take`](Self::take) of this instance.
    pub fn give_back<'a>(&self, namespace: &Namespace, tasks: impl Iterator<Item = &'a Task>) {
        self.returns.give_back(namespace, tasks);
    }

    /// Gives back all that this instance has set aside, and waits until it is done: it is about to end.
    pub async fn give_back_all(&self) {
        self.returns.give_back_all();
        self.send_returns().await;
    }

    /// Queues tasks whose time has come and returns reservations that ran out.
    pub async fn promote(&self, namespace: &Namespace, now: Timestamp) -> Result<State, Away> {
        if self.returns.any_under_way() {
            self.send_returns().await;
        }
        let mut arguments = self.head(namespace);
        arguments.extend([
            now.as_ms().to_string(),
            grants::LEFT_MS.to_string(),
            grants::LEFT_MAX.to_string(),
        ]);
        let key = self.keys.queue(namespace);
        let (whole, ready, next, left): (i64, i64, String, Vec<String>) = self
            .scripts
            .promote
            .run(&self.link, &key, &arguments)
            .await?;
        Ok(State {
            whole: whole == 1,
            ready: u64::try_from(ready).unwrap_or(0),
            next: next
                .parse::<f64>()
                .ok()
                .map(|ms| Timestamp::from_ms(ms as i64)),
            left: grants::read(&left),
        })
    }

    /// Ready tasks that come before this one for whoever could run it, and whether the queue was whole.
    pub async fn ahead(
        &self,
        namespace: &Namespace,
        id: &TaskId,
    ) -> Result<(bool, Option<u64>), Away> {
        let key = self.keys.queue(namespace);
        let (whole, ahead): (i64, i64) = self
            .scripts
            .ahead
            .run(&self.link, &key, &[id.to_string()])
            .await?;
        Ok((whole == 1, u64::try_from(ahead).ok()))
    }

    /// Fires when a task may have become ready for this offer, or a slot of the agent free, on
    /// whichever instance. May fire for nothing.
    pub fn wait(&self, offer: &Offer) -> oneshot::Receiver<()> {
        self.waiters.add(offer)
    }

    /// Whether the queue holds everything and is of this run of the server.
    pub async fn look(&self, namespace: &Namespace) -> Result<bool, Away> {
        let key = self.keys.queue(namespace);
        let arguments = ["look".to_owned()];
        let whole: i64 = self.scripts.epoch.run(&self.link, &key, &arguments).await?;
        Ok(whole == 1)
    }

    /// Says that the queue holds everything now, as the documents say it. Where there are tasks, some may have been given
    /// out without a word in them; an empty one lacks nothing.
    pub async fn built(&self, namespace: &Namespace, is_empty: bool) -> Result<(), Away> {
        let key = self.keys.queue(namespace);
        let new_ms = if is_empty { 0 } else { grants::NEW_MS };
        let arguments = ["built".to_owned(), new_ms.to_string()];
        let _: i64 = self.scripts.epoch.run(&self.link, &key, &arguments).await?;
        Ok(())
    }

    /// Drops the whole queue of a namespace, to be built anew. The server does nothing else meanwhile: about a second
    /// for a million keys.
    pub async fn wipe(&self, namespace: &Namespace) -> Result<(), Away> {
        let key = self.keys.queue(namespace);
        let _: i64 = self.scripts.wipe.run(&self.link, &key, &[]).await?;
        Ok(())
    }

    /// Ids of tasks that the queue knows, from a cursor on; zero begins, and comes back at the end. Ended ones may be
    /// among them.
    pub async fn known(
        &self,
        namespace: &Namespace,
        cursor: u64,
    ) -> Result<(u64, Vec<TaskId>), Away> {
        let key = format!("{}|tasks", self.keys.queue(namespace));
        let (next, pairs): (u64, Vec<(String, String)>) = self
            .link
            .call(|mut connection| async move {
                redis::cmd("HSCAN")
                    .arg(key)
                    .arg(cursor)
                    .arg("COUNT")
                    .arg(TASKS_MAX)
                    .query_async(&mut connection)
                    .await
            })
            .await?;
        let live = pairs.iter().filter(|(_, record)| !record.starts_with('x'));
        let ids = live.filter_map(|(id, _)| TaskId::parse(id).ok()).collect();
        Ok((next, ids))
    }

    /// Namespaces that ever had a queue, as the server remembers them.
    pub async fn namespaces(&self) -> Result<Vec<Namespace>, Away> {
        let key = self.keys.namespaces();
        let names: Vec<String> = self
            .link
            .call(|mut connection| async move {
                redis::cmd("SMEMBERS")
                    .arg(key)
                    .query_async(&mut connection)
                    .await
            })
            .await?;
        Ok(names
            .iter()
            .filter_map(|name| Namespace::parse(name).ok())
            .collect())
    }

    /// Stops the background work. Reservations that are out come back by themselves.
    pub fn stop(&self) {
        for worker in self.workers.lock().drain(..) {
            worker.abort();
        }
    }

    /// What every script that changes the queue is told first: whom to tell, and whose queue it is.
    fn head(&self, namespace: &Namespace) -> Vec<String> {
        vec![self.keys.wakes(), namespace.to_string()]
    }

    /// Puts a namespace into the set of all, once.
    async fn name(&self, namespace: &Namespace) -> Result<(), Away> {
        if self.named.lock().contains(namespace) {
            return Ok(());
        }
        let key = self.keys.namespaces();
        let _: i64 = self
            .link
            .call(|mut connection| async move {
                redis::cmd("SADD")
                    .arg(key)
                    .arg(namespace.as_str())
                    .query_async(&mut connection)
                    .await
            })
            .await?;
        self.named.lock().insert(namespace.clone());
        Ok(())
    }

    /// Forgets which namespaces were named: the server has forgotten too.
    pub(crate) fn forget_names(&self) {
        self.named.lock().clear();
    }

    async fn send_returns(&self) {
        let _one_at_a_time = self.returns.sending.lock().await;
        for (namespace, returns) in self.returns.take() {
            for some in returns.chunks(TASKS_MAX) {
                let mut arguments = self.head(&namespace);
                arguments.push(self.latest.load(Ordering::Relaxed).to_string());
                for each in some {
                    arguments.push(each.id.to_string());
                    arguments.push(each.revision.to_string());
                    arguments.push(each.nonce.to_string());
                }
                let key = self.keys.queue(&namespace);
                let sent: Result<i64, Away> = self
                    .scripts
                    .give_back
                    .run(&self.link, &key, &arguments)
                    .await;
                if sent.is_err() {
                    tracing::debug!(namespace = %namespace, "reservations come back by themselves");
                }
            }
            self.returns.done(returns.len());
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A number that other instances will hardly begin with: the standard library's hasher is seeded anew each time.
fn random() -> u64 {
    RandomState::new().build_hasher().finish() >> 1
}
