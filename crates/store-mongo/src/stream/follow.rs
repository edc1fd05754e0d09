//! Following the stream.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mcpanel_domain::event::Numbered;
use parking_lot::Mutex;
use redis::streams::{StreamRangeReply, StreamReadReply};
use tokio::{sync::watch, task::JoinHandle};

use super::{last_of, read, ring::Ring};
use crate::{
    keys::Keys,
    link::{Address, Connection, InvalidAddress},
};

/// How long one look waits for news, in milliseconds. News comes at once; this only bounds how late a lost connection is
/// noticed.
const BLOCK_MS: u64 = 1_000;

/// How much later than that an answer may come, in milliseconds.
const ANSWER_MS: u64 = 1_000;

/// Longest time to connect, in milliseconds.
const CONNECT_MS: u64 = 1_000;

/// How long until the next try when Redis is away, in milliseconds.
const AWAY_MS: u64 = 250;

/// Entries read in one go.
const ENTRIES_MAX: usize = 64;

/// The events of all instances, as they are published. It needs nothing but Redis; while that is away it stays
/// where it is, and [`is_live`](Self::is_live) says so.
pub struct EventStream {
    ring: Arc<Mutex<Ring>>,
    last: Arc<watch::Sender<u64>>,
    live: Arc<AtomicBool>,
    address: Address,
    key: String,
    follower: JoinHandle<()>,
}

/// What the stream has of the events asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Replay {
    /// The events, oldest first, without gaps; empty when there is nothing newer.
    Events(Vec<Arc<Numbered>>),
    /// Some are not in the stream any more: the oldest it has is this one.
    Gone {
        /// The oldest number still kept; one above the newest when there are none.
        first_kept: u64,
    },
}

impl EventStream {
    /// Follows the events of the Redis at `url` (see [`Address`]), of an installation whose keys begin with `prefix`.
    pub fn connect(url: &str, prefix: &str) -> Result<Self, InvalidAddress> {
        Ok(Self::follow(
            Address::parse(url)?,
            &Keys::with_prefix(prefix),
        ))
    }

    pub(crate) fn follow(address: Address, keys: &Keys) -> Self {
        let follower = Follower {
            ring: Arc::default(),
            last: Arc::new(watch::Sender::new(0)),
            live: Arc::default(),
            address: address.clone(),
            key: keys.events(),
        };
        Self {
            ring: follower.ring.clone(),
            last: follower.last.clone(),
            live: follower.live.clone(),
            address,
            key: follower.key.clone(),
            follower: tokio::spawn(follower.work()),
        }
    }

    /// The newest event number, as it changes. It is zero until the stream was first read.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// The newest event number that was heard of.
    pub fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// Whether news is heard at present.
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }

    /// Events above `after` that are in memory; `None` when some of them are not.
    pub fn recent(&self, after: u64, limit: usize) -> Option<Vec<Arc<Numbered>>> {
        self.ring.lock().after(after, limit)
    }

    /// Events above `after`, at most `limit`, from memory or from the stream.
    pub async fn replay(&self, after: u64, limit: usize) -> redis::RedisResult<Replay> {
        if let Some(events) = self.recent(after, limit) {
            return Ok(Replay::Events(events));
        }
        let mut connection = connect(&self.address).await?;
        let from = format!("({after}-0");
        let entries: StreamRangeReply = redis::cmd("XRANGE")
            .arg(&self.key)
            .arg(from)
            .arg("+")
            .arg("COUNT")
            .arg(limit)
            .query_async(&mut connection)
            .await?;
        let mut events: Vec<Arc<Numbered>> = Vec::new();
        for entry in &entries.ids {
            let expected = events.last().map_or(after, |event| event.seq) + 1;
            match read(entry) {
                Some(run) if run.first <= expected => {
                    let new = run.events.into_iter().filter(|event| event.seq >= expected);
                    events.extend(new);
                }
                Some(run) if events.is_empty() => {
                    return Ok(Replay::Gone {
                        first_kept: run.first,
                    });
                }
                _ => break,
            }
        }
        if events.is_empty() {
            return Ok(Replay::Gone {
                first_kept: self.last() + 1,
            });
        }
        events.truncate(limit);
        Ok(Replay::Events(events))
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

async fn connect(address: &Address) -> redis::RedisResult<Connection> {
    Connection::open(
        address,
        Duration::from_millis(CONNECT_MS),
        Duration::from_millis(BLOCK_MS + ANSWER_MS),
    )
    .await
}

struct Follower {
    ring: Arc<Mutex<Ring>>,
    last: Arc<watch::Sender<u64>>,
    live: Arc<AtomicBool>,
    address: Address,
    key: String,
}

impl Follower {
    async fn work(self) {
        loop {
            if let Err(error) = self.follow().await {
                tracing::debug!(error = %error, "events are not heard now");
            }
            self.live.store(false, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(AWAY_MS)).await;
        }
    }

    /// Reads until the connection fails.
    async fn follow(&self) -> redis::RedisResult<()> {
        let mut connection = connect(&self.address).await?;
        if self.ring.lock().last() == 0 {
            self.begin(&mut connection).await?;
        }
        self.live.store(true, Ordering::Relaxed);
        loop {
            let after = self.ring.lock().last();
            let reply: Option<StreamReadReply> = redis::cmd("XREAD")
                .arg("COUNT")
                .arg(ENTRIES_MAX)
                .arg("BLOCK")
                .arg(BLOCK_MS)
                .arg("STREAMS")
                .arg(&self.key)
                .arg(format!("{after}-0"))
                .query_async(&mut connection)
                .await?;
            for entry in reply
                .iter()
                .flat_map(|reply| &reply.keys)
                .flat_map(|key| &key.ids)
            {
                match read(entry) {
                    Some(run) => {
                        self.ring.lock().add(run);
                    }
                    None => self.skip(last_of(&entry.id)),
                }
            }
            self.tell();
        }
    }

    /// Begins with what is newest.
    async fn begin(&self, connection: &mut Connection) -> redis::RedisResult<()> {
        let newest: StreamRangeReply = redis::cmd("XREVRANGE")
            .arg(&self.key)
            .arg("+")
            .arg("-")
            .arg("COUNT")
            .arg(ENTRIES_MAX)
            .query_async(connection)
            .await?;
        for entry in newest.ids.iter().rev() {
            match read(entry) {
                Some(run) => {
                    self.ring.lock().add(run);
                }
                None => self.skip(last_of(&entry.id)),
            }
        }
        self.tell();
        Ok(())
    }

    /// An entry that cannot be read: a gap, behind which it goes on.
    fn skip(&self, last: Option<u64>) {
        tracing::warn!(
            "an entry of the event stream cannot be read; was it written by a newer program?"
        );
        let mut ring = self.ring.lock();
        if let Some(last) = last
            && last > ring.last()
        {
            *ring = Ring::at(last);
        }
    }

    fn tell(&self) {
        let last = self.ring.lock().last();
        self.last.send_if_modified(|known| {
            let newer = last > *known;
            *known = last.max(*known);
            newer
        });
    }
}
