//! Caches in two levels, this process and Redis, for what cannot be stale.
//!
//! - [`Lasting`]: values that never change under their key, such as a version of a template. They may be kept for as
//!   long as there is room, in both levels.
//! - [`Brief`]: values that may change and are believed for a moment, such as who an API key belongs to. They stay in this
//!   process.
//!
//! The state of a task, an agent or a pipeline is in neither: decisions read MongoDB.

mod generations;

#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{keys::Keys, link::Link};
use generations::Generations;

/// How long Redis keeps a value nobody asks for, in seconds: a day.
const REDIS_SECONDS: u64 = 24 * 3_600;

/// Largest value that Redis is given, in bytes. A larger one is read from MongoDB as fast.
const REDIS_BYTES_MAX: usize = 256 * 1024;

/// How often a cache was asked, and who knew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hits {
    /// Answered by this process.
    pub process: u64,
    /// Answered by Redis.
    pub redis: u64,
    /// Had to be read from MongoDB.
    pub missed: u64,
}

#[derive(Default)]
struct Counters {
    process: AtomicU64,
    redis: AtomicU64,
    missed: AtomicU64,
}

impl Counters {
    fn hits(&self) -> Hits {
        Hits {
            process: self.process.load(Ordering::Relaxed),
            redis: self.redis.load(Ordering::Relaxed),
            missed: self.missed.load(Ordering::Relaxed),
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Values that never change under their key.
pub struct Lasting<V> {
    what: String,
    link: Option<(Arc<Link>, Keys)>,
    process: Generations<String, Arc<V>>,
    counters: Counters,
}

impl<V: Serialize + DeserializeOwned + Send + Sync> Lasting<V> {
    /// A cache that holds about `most` values here, and with a link those of all instances in Redis. `what` begins
    /// the keys there; it names the database too, for another one's values are others.
    pub(crate) fn new(
        what: impl Into<String>,
        most: usize,
        link: Option<(Arc<Link>, Keys)>,
    ) -> Self {
        Self {
            what: what.into(),
            link,
            process: Generations::new(most),
            counters: Counters::default(),
        }
    }

    /// The value under a key, as far as it is known without MongoDB.
    pub async fn get(&self, key: &str) -> Option<Arc<V>> {
        if let Some(value) = self.process.get(key) {
            count(&self.counters.process);
            return Some(value);
        }
        if let Some(value) = self.get_shared(key).await {
            count(&self.counters.redis);
            let value = Arc::new(value);
            self.process.put(key.to_owned(), value.clone());
            return Some(value);
        }
        count(&self.counters.missed);
        None
    }

    /// Remembers a value that was read or written. It must be durable, and never another one.
    pub async fn put(&self, key: &str, value: &Arc<V>) {
        self.process.put(key.to_owned(), value.clone());
        let Some((link, keys)) = &self.link else {
            return;
        };
        let Ok(json) = serde_json::to_string(&**value) else {
            return;
        };
        if json.len() > REDIS_BYTES_MAX {
            return;
        }
        let mut command = redis::cmd("SET");
        command
            .arg(keys.cached(&format!("{}:{key}", self.what)))
            .arg(json)
            .arg("EX")
            .arg(REDIS_SECONDS);
        // A cache that cannot be filled is only slower.
        let _: Result<redis::Value, _> = link
            .call(|mut connection| async move { command.query_async(&mut connection).await })
            .await;
    }

    /// How often it was asked, and who knew.
    pub fn hits(&self) -> Hits {
        self.counters.hits()
    }

    async fn get_shared(&self, key: &str) -> Option<V> {
        let (link, keys) = self.link.as_ref()?;
        let mut command = redis::cmd("GET");
        command.arg(keys.cached(&format!("{}:{key}", self.what)));
        let json: Option<String> = link
            .call(|mut connection| async move { command.query_async(&mut connection).await })
            .await
            .ok()?;
        // A form that this program does not know is a miss.
        serde_json::from_str(&json?).ok()
    }
}

/// Values that are believed for a moment.
pub struct Brief<K, V> {
    believed: Duration,
    process: Generations<K, (Instant, V)>,
    counters: Counters,
}

impl<K: std::hash::Hash + Eq, V: Clone> Brief<K, V> {
    /// A cache of about `most` values, each believed for so long.
    pub fn new(most: usize, believed: Duration) -> Self {
        Self {
            believed,
            process: Generations::new(most),
            counters: Counters::default(),
        }
    }

    /// The value under a key, if it is young enough.
    pub fn get(&self, key: &K) -> Option<V> {
        let found = self.process.get(key);
        let young = found.filter(|(since, _)| since.elapsed() < self.believed);
        count(match young {
            Some(_) => &self.counters.process,
            None => &self.counters.missed,
        });
        young.map(|(_, value)| value)
    }

    /// Remembers a value as it is now.
    pub fn put(&self, key: K, value: V) {
        self.process.put(key, (Instant::now(), value));
    }

    /// Forgets a value that changed here.
    pub fn forget(&self, key: &K) {
        self.process.remove(key);
    }

    /// How often it was asked, and who knew.
    pub fn hits(&self) -> Hits {
        self.counters.hits()
    }
}
