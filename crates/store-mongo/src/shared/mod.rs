//! What instances share through Redis: the queue, the views and the event stream, kept in step with the documents.
//!
//! All of it can be lost at any time and follows from MongoDB alone. A change that could not be told is told
//! later from the document as it is then; a queue that was lost is built anew; a sweep now and then finds what slipped
//! through. Until a queue is whole again it answers [`Away`], and work goes on from MongoDB.

mod build;
mod grants;
mod keep;
mod overdue;
mod peers;
mod project;
mod strays;

#[cfg(test)]
mod tests;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use mcpanel_domain::{Namespace, TaskId, Timestamp};
use mcpanel_store::{Grant, Key};
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::Notify, task::JoinHandle, time::Instant};

pub(crate) use grants::Ledger;
use overdue::Overdue;

use crate::{
    Away,
    cache::Lasting,
    keys::Keys,
    link::{Address, InvalidAddress, Link, LinkHealth, Script},
    queue::Queue,
    rates::Rates,
    source::Source,
    stream::{EventStream, Publisher},
};

pub use peers::{Peer, Peers};

/// Queues that are looked at in one go, to see whether they are whole. One that was emptied is noticed by its next use;
/// this is for quiet ones and for a server that was started from a snapshot.
const LOOKS_MAX: usize = 50;

/// How long after something went wrong with Redis its count of an agent's leases is compared with MongoDB's, in
/// milliseconds: by then, what instances could not tell has been told.
const UNSURE_MS: u64 = 10_000;

/// A function that tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How to reach Redis and what to call things there.
#[derive(Clone)]
pub struct SharedSettings {
    /// `redis://…` and its kin; see [`Address`].
    pub url: String,
    /// What all keys begin with, so that several installations can share a server. Usually empty: then the keys
    /// have the specification's names.
    pub prefix: String,
    /// The time.
    pub clock: Clock,
}

/// What an instance has of Redis.
pub struct Shared {
    link: Arc<Link>,
    keys: Keys,
    queue: Arc<Queue>,
    events: EventStream,
    publisher: Arc<Publisher>,
    clock: Clock,
    lock: Script,
    /// This instance, in locks.
    who: String,
    known: Arc<Mutex<FxHashSet<Namespace>>>,
    /// Changes that could not be told.
    overdue: Mutex<Overdue>,
    /// Grants that other instances left behind, to be written.
    left: Mutex<FxHashMap<Key<TaskId>, Grant>>,
    /// When something last went wrong with Redis.
    disturbed: Mutex<Option<Instant>>,
    /// Queues that are to be built.
    wanted: Mutex<FxHashSet<Namespace>>,
    figures: Figures,
    looked: AtomicUsize,
    /// Told when a queue is wanted, and when one was built.
    nudge: Notify,
    built: Notify,
    /// An instance is gone that may not have told everything.
    peer_lost: AtomicBool,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// What this instance asked of the queue.
#[derive(Debug, Default)]
struct Figures {
    claims: AtomicU64,
    claims_away: AtomicU64,
    changes: AtomicU64,
    changes_overdue: AtomicU64,
    builds: AtomicU64,
}

/// What this instance asked of the queue, so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SharedFigures {
    /// Claims that the queue answered.
    pub claims: u64,
    /// Claims that MongoDB had to answer.
    pub claims_away: u64,
    /// Changes of tasks that were told.
    pub changes: u64,
    /// Changes that could not be told at once.
    pub changes_overdue: u64,
    /// Queues that were built or swept.
    pub builds: u64,
}

impl Shared {
    /// Begins to connect. That Redis is away now is no error.
    pub async fn open(settings: SharedSettings) -> Result<Arc<Self>, InvalidAddress> {
        let address = Address::parse(&settings.url)?;
        let link = Link::open(address.clone()).await;
        let keys = Keys::with_prefix(&settings.prefix);
        let random = RandomState::new().build_hasher().finish();
        let known = FxHashSet::from_iter([Namespace::default_namespace()]);
        Ok(Arc::new(Self {
            queue: Queue::new(link.clone(), keys.clone(), true),
            events: EventStream::follow(address, &keys),
            publisher: Publisher::new(link.clone(), keys.events()),
            link,
            keys,
            clock: settings.clock,
            lock: Script::of(&[include_str!("../queue/lua/lock.lua")]),
            who: format!("{random:016x}"),
            known: Arc::new(Mutex::new(known)),
            overdue: Mutex::default(),
            left: Mutex::default(),
            disturbed: Mutex::default(),
            wanted: Mutex::default(),
            figures: Figures::default(),
            looked: AtomicUsize::new(0),
            nudge: Notify::new(),
            built: Notify::new(),
            peer_lost: AtomicBool::new(false),
            workers: Mutex::default(),
        }))
    }

    /// Begins to keep everything in step with the truth, for as long as that lives. Queues that are not whole are
    /// built before it answers, as far as that is quickly done.
    pub async fn attach(self: &Arc<Self>, source: Weak<dyn Source>) {
        if let Some(source) = source.upgrade() {
            self.look_at_all(&*source).await;
        }
        let workers = keep::workers(self, &source);
        *self.workers.lock() = workers;
    }

    /// The queue.
    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// The events of all instances.
    pub fn events(&self) -> &EventStream {
        &self.events
    }

    /// How the way to Redis is.
    pub fn health(&self) -> LinkHealth {
        self.link.health()
    }

    /// What was asked of the queue so far.
    pub fn figures(&self) -> SharedFigures {
        let of = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        SharedFigures {
            claims: of(&self.figures.claims),
            claims_away: of(&self.figures.claims_away),
            changes: of(&self.figures.changes),
            changes_overdue: of(&self.figures.changes_overdue),
            builds: of(&self.figures.builds),
        }
    }

    /// Rate limits that all instances count together.
    pub fn rates(&self) -> Rates {
        Rates::new(self.link.clone(), self.keys.clone())
    }

    /// A cache of what never changes under its key, shared by all instances.
    pub fn cache<V>(&self, what: impl Into<String>, most: usize) -> Lasting<V>
    where
        V: Serialize + DeserializeOwned + Send + Sync,
    {
        Lasting::new(what, most, Some((self.link.clone(), self.keys.clone())))
    }

    /// The link, for what else is kept in Redis.
    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// Gives back what is set aside and stops: this instance is about to end.
    pub async fn close(&self) {
        self.queue.give_back_all().await;
        self.say_farewell().await;
        for worker in self.workers.lock().drain(..) {
            worker.abort();
        }
        self.queue.stop();
    }

    /// Whether the queue's count of leases can be relied on: nothing was missed of late, as far as is known here.
    pub(crate) fn is_steady(&self) -> bool {
        let unsure = Duration::from_millis(UNSURE_MS);
        let disturbed = *self.disturbed.lock();
        self.link.is_up() && disturbed.is_none_or(|at| at.elapsed() > unsure)
    }

    fn note_disturbance(&self) {
        *self.disturbed.lock() = Some(Instant::now());
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn namespaces(&self) -> Vec<Namespace> {
        self.known.lock().iter().cloned().collect()
    }

    /// The next few in turn, so that many namespaces are looked at one after another.
    fn some_namespaces(&self) -> Vec<Namespace> {
        let known = self.known.lock();
        let first = self.looked.fetch_add(LOOKS_MAX, Ordering::Relaxed) % known.len().max(1);
        let in_turn = known.iter().cycle().skip(first);
        in_turn.take(LOOKS_MAX.min(known.len())).cloned().collect()
    }

    fn know(&self, namespace: &Namespace) {
        let mut known = self.known.lock();
        if !known.contains(namespace) {
            known.insert(namespace.clone());
        }
    }

    /// Has a queue built that was found not to be whole.
    fn want(&self, namespace: &Namespace) {
        self.wanted.lock().insert(namespace.clone());
        self.nudge.notify_one();
    }

    /// Takes or keeps a lock that lies with a namespace's queue.
    async fn hold(&self, namespace: &Namespace, what: &str, for_ms: u64) -> Result<bool, Away> {
        let key = format!("{}|{what}", self.keys.queue(namespace));
        let arguments = [self.who.clone(), for_ms.to_string()];
        let held: i64 = self.lock.run(&self.link, &key, &arguments).await?;
        Ok(held == 1)
    }

    /// Whether nobody, this instance neither, did this in the last so many milliseconds.
    async fn first(&self, namespace: &Namespace, what: &str, in_ms: u64) -> Result<bool, Away> {
        let mut command = redis::cmd("SET");
        command
            .arg(format!("{}|{what}", self.keys.queue(namespace)))
            .arg(&self.who)
            .arg("NX")
            .arg("PX")
            .arg(in_ms);
        let set: Option<String> = self
            .link
            .call(|mut connection| async move { command.query_async(&mut connection).await })
            .await?;
        Ok(set.is_some())
    }

    async fn release(&self, namespace: &Namespace, what: &str) {
        // Its time runs out anyway.
        let key = format!("{}|{what}", self.keys.queue(namespace));
        let _: Result<i64, Away> = self
            .link
            .call(|mut connection| async move {
                redis::cmd("DEL")
                    .arg(key)
                    .query_async(&mut connection)
                    .await
            })
            .await;
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for worker in self.workers.lock().drain(..) {
            worker.abort();
        }
    }
}
