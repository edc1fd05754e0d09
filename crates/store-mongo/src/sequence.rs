//! Numbers for events: from 1, without gaps, the same for all instances.
//!
//! A commit leaves its events as a block without a number. Right after it an instance numbers every
//! such block it sees, its own and others', in a small transaction of its own that moves the counter and marks
//! the blocks: once a number is visible, all below it are. Instances that do so at once meet at the
//! counter, and whoever comes second finds its work done. Blocks of an instance that died are numbered by
//! the others within [`SWEEP`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use mcpanel_domain::event::{Event, Numbered};
use mongodb::{
    ClientSession,
    bson::{Document, RawDocumentBuf, doc, oid::ObjectId, rawdoc},
};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::{Notify, oneshot, watch};

use crate::{
    chance::below,
    commit::{Failed, Txn},
    documents::{Reader, fields::long},
    follow::Followers,
    mongo::{Mongo, number},
    read::{self, Query},
    schema,
    sessions::BLOCKED,
};

/// How often an instance looks for numbers that others gave, and for blocks that others left.
pub const SWEEP: Duration = Duration::from_millis(250);

/// Most blocks numbered at once.
const BLOCKS_MAX: usize = 500;

/// Old events are deleted whenever so many new ones came.
const TRIM_EVERY: u64 = 10_000;

/// Longest pause after meeting another instance, in milliseconds.
const PAUSE_MS_MAX: u32 = 20;

/// The document that holds the newest number.
pub const COUNTER: &str = "events";

/// A block of this instance that has no number yet.
struct Own {
    events: Vec<Event>,
    numbered: oneshot::Sender<u64>,
}

/// Gives numbers to blocks.
pub struct Sequencer {
    mongo: Mongo,
    last: watch::Sender<u64>,
    bell: Notify,
    own: Mutex<FxHashMap<ObjectId, Own>>,
    followers: Arc<Followers>,
    events_kept: u64,
    closing: AtomicBool,
}

impl Sequencer {
    /// A sequencer that goes on where the database is.
    pub async fn new(
        mongo: Mongo,
        followers: Arc<Followers>,
        events_kept: u64,
    ) -> mcpanel_store::Result<Self> {
        let last = newest(&mongo).await?;
        Ok(Self {
            mongo,
            last: watch::Sender::new(last),
            bell: Notify::new(),
            own: Mutex::new(FxHashMap::default()),
            followers,
            events_kept,
            closing: AtomicBool::new(false),
        })
    }

    /// The newest number that is known here.
    pub fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// The newest number, as it changes.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// Takes note that numbers up to this one exist, whoever gave them.
    pub fn advance(&self, to: u64) {
        self.last.send_if_modified(|last| {
            let newer = to > *last;
            *last = (*last).max(to);
            newer
        });
    }

    /// Asks for the first number of a block that is durable.
    pub fn expect(&self, block: ObjectId, events: Vec<Event>) -> oneshot::Receiver<u64> {
        let (numbered, first) = oneshot::channel();
        self.own.lock().insert(block, Own { events, numbered });
        self.bell.notify_one();
        first
    }

    /// Ends [`Self::run`] once all own blocks have their numbers.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.bell.notify_one();
    }

    /// Numbers blocks for as long as the store is open.
    pub async fn run(self: Arc<Self>) {
        let mut session = None;
        let mut trimmed = self.last();
        loop {
            let rung = tokio::time::timeout(SWEEP, self.bell.notified())
                .await
                .is_ok();
            let idle = self.own.lock().is_empty();
            if idle && self.closing.load(Ordering::Relaxed) {
                return;
            }
            if !rung && idle {
                match self.look().await {
                    Ok(false) => continue,
                    Ok(true) => {}
                    Err(error) => {
                        tracing::debug!(%error, "the newest event number cannot be read");
                        continue;
                    }
                }
            }
            self.number_all(&mut session).await;
            self.find_own().await;
            let last = self.last();
            if last >= trimmed + TRIM_EVERY {
                trimmed = last;
                self.trim(last).await;
            }
        }
    }

    /// Takes note of numbers that others gave; tells whether somebody left blocks without one.
    async fn look(&self) -> mcpanel_store::Result<bool> {
        self.advance(newest(&self.mongo).await?);
        let left = self.mongo.find(&unnumbered().at_most(1)).await?;
        Ok(!left.is_empty())
    }

    async fn number_all(&self, session: &mut Option<ClientSession>) {
        let began = Instant::now();
        loop {
            let mut fresh = match session.take() {
                Some(session) => session,
                None => match self.mongo.sessions().start().await {
                    Ok(session) => session,
                    Err(error) => {
                        tracing::debug!(%error, "no session to number events in");
                        return;
                    }
                },
            };
            match self.number_some(&mut fresh).await {
                Ok(numbered) => {
                    *session = Some(fresh);
                    if numbered < BLOCKS_MAX {
                        return;
                    }
                }
                Err(Failed::Raced(_)) => {
                    *session = Some(fresh);
                    if began.elapsed() > BLOCKED {
                        self.mongo.sessions().end_others().await;
                    }
                    let pause = u64::from(below(PAUSE_MS_MAX));
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                Err(failed) => {
                    // The blocks stay, and so does the wish to number them.
                    tracing::debug!(
                        ?failed,
                        "events could not be numbered, which is tried again"
                    );
                    return;
                }
            }
        }
    }

    async fn number_some(&self, session: &mut ClientSession) -> Result<usize, Failed> {
        let mut txn = Txn::begin(self.mongo.db(), session).await?;
        match self.mark(&mut txn).await {
            Ok(None) => {
                txn.abort().await;
                Ok(0)
            }
            Ok(Some(marked)) => {
                txn.commit().await?;
                let count = marked.blocks.len();
                self.announce(marked).await;
                Ok(count)
            }
            Err(failed) => {
                txn.abort().await;
                Err(failed)
            }
        }
    }

    async fn mark(&self, txn: &mut Txn<'_>) -> Result<Option<Marked>, Failed> {
        let blocks = txn.find(&unnumbered()).await?;
        if blocks.is_empty() {
            return Ok(None);
        }
        let mut counted = Vec::with_capacity(blocks.len());
        let mut total = 0;
        for block in &blocks {
            let (id, count) = id_and_count(block)
                .ok_or_else(|| Failed::Refused("an event block without its count".to_owned()))?;
            counted.push((id, count));
            total += count;
        }
        let counter = txn
            .change_one(
                schema::COUNTERS,
                doc! { "_id": COUNTER },
                doc! { "$inc": { "value": long(total) } },
            )
            .await?;
        let last = counter
            .as_ref()
            .and_then(|counter| number(counter, "value"))
            .and_then(|value| u64::try_from(value).ok())
            .ok_or_else(|| Failed::Refused("the event counter is not a number".to_owned()))?;
        let mut marked = Marked {
            blocks: Vec::with_capacity(counted.len()),
            last,
        };
        let mut next = last - total + 1;
        let mut statements = Vec::with_capacity(counted.len());
        for (id, count) in counted {
            statements.push(rawdoc! {
                "q": { "_id": id, "waits": true },
                "u": {
                    "$set": { "first_seq": long(next), "last_seq": long(next + count - 1) },
                    "$unset": { "waits": true, "order": true },
                },
            });
            marked.blocks.push((id, next));
            next += count;
        }
        let expected = statements.len();
        txn.update(schema::EVENT_BLOCKS, statements, expected)
            .await?;
        Ok(Some(marked))
    }

    /// Tells callers and followers of numbers that are durable.
    async fn announce(&self, marked: Marked) {
        let mut events = Vec::new();
        let mut strangers = Vec::new();
        let mut waiting = Vec::new();
        for (id, first) in marked.blocks {
            match self.own.lock().remove(&id) {
                Some(own) => {
                    let numbers = first..;
                    events.extend(
                        own.events
                            .into_iter()
                            .zip(numbers)
                            .map(|(event, seq)| Arc::new(Numbered { seq, event })),
                    );
                    waiting.push((own.numbered, first));
                }
                None => strangers.push(id),
            }
        }
        self.advance(marked.last);
        for (numbered, first) in waiting {
            // Whoever asked may have gone on without.
            let _ = numbered.send(first);
        }
        events.extend(self.read(&strangers).await);
        events.sort_by_key(|event| event.seq);
        self.followers.publish(&events).await;
    }

    /// Events of other instances' blocks that were numbered here.
    async fn read(&self, blocks: &[ObjectId]) -> Vec<Arc<Numbered>> {
        if blocks.is_empty() {
            return Vec::new();
        }
        let query = Query::of(schema::EVENT_BLOCKS, doc! { "_id": { "$in": blocks } });
        match self.mongo.find(&query).await {
            Ok(found) => found
                .iter()
                .filter_map(|block| read::numbered(block).ok())
                .flatten()
                .collect(),
            Err(error) => {
                tracing::debug!(%error, "events of other instances could not be read");
                Vec::new()
            }
        }
    }

    /// Own blocks that another instance has numbered.
    async fn find_own(&self) {
        let ids: Vec<ObjectId> = self.own.lock().keys().copied().collect();
        if ids.is_empty() {
            return;
        }
        let filter = doc! { "_id": { "$in": ids }, "first_seq": { "$exists": true } };
        let mut query = Query::of(schema::EVENT_BLOCKS, filter);
        query.fields = Some(doc! { "first_seq": 1, "last_seq": 1 });
        let Ok(found) = self.mongo.find(&query).await else {
            return;
        };
        for block in found {
            let Ok(id) = block.get_object_id("_id") else {
                continue;
            };
            let bounds = Reader::new(&block).and_then(|reader| {
                Ok((
                    reader.int::<u64>("first_seq")?,
                    reader.int::<u64>("last_seq")?,
                ))
            });
            if let (Ok((first, last)), Some(own)) = (bounds, self.own.lock().remove(&id)) {
                self.advance(last);
                let _ = own.numbered.send(first);
            }
        }
        if !self.own.lock().is_empty() {
            self.bell.notify_one();
            tokio::time::sleep(Duration::from_millis(u64::from(below(PAUSE_MS_MAX)))).await;
        }
    }

    /// Deletes what is older than the events that are kept.
    async fn trim(&self, last: u64) {
        let before = last.saturating_sub(self.events_kept);
        if before == 0 {
            return;
        }
        let old = doc! { "last_seq": { "$lte": long(before) } };
        let blocks = self.mongo.db().collection::<Document>(schema::EVENT_BLOCKS);
        if let Err(error) = blocks.delete_many(old).await {
            tracing::debug!(%error, "old events could not be deleted, which is tried again");
        }
    }
}

/// Blocks that got their numbers.
struct Marked {
    /// Each with its first number.
    blocks: Vec<(ObjectId, u64)>,
    /// The newest number.
    last: u64,
}

/// Blocks without a number, in the order in which they came about.
pub fn unnumbered() -> Query {
    let mut query = Query::of(schema::EVENT_BLOCKS, doc! { "waits": true })
        .by("unnumbered")
        .sorted(doc! { "order": 1, "_id": 1 })
        .at_most(BLOCKS_MAX);
    query.fields = Some(doc! { "count": 1 });
    query
}

fn id_and_count(block: &RawDocumentBuf) -> Option<(ObjectId, u64)> {
    let count = Reader::new(block).ok()?.int("count").ok()?;
    Some((block.get_object_id("_id").ok()?, count))
}

/// The newest number in the database.
pub async fn newest(mongo: &Mongo) -> mcpanel_store::Result<u64> {
    let query = Query::of(schema::COUNTERS, doc! { "_id": COUNTER });
    let found = mongo.find(&query).await?;
    match found.first() {
        None => Ok(0),
        Some(counter) => Ok(Reader::new(counter)?.int("value")?),
    }
}
