//! The way to Redis: one server or a cluster, with a bounded wait and a circuit that opens fast.
//!
//! Nothing in Redis is a truth, so nobody waits long for it: a call ends within [`ANSWER_MS_MAX`]
//! with an answer or with [`Away`]. After a few failures in a row the circuit opens and calls end at
//! once; a prober tries again in the background and tells those who [watch](Link::watch).

mod address;
mod admission;
mod circuit;
mod connection;
mod listen;
mod node;
mod policy;

#[cfg(test)]
mod tests;

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use redis::RedisResult;
use tokio::{sync::watch, task::JoinHandle};

use crate::Away;

pub use address::{Address, InvalidAddress};
pub use admission::{Refused, admission};
pub(crate) use connection::Connection;
pub(crate) use listen::listen;
pub(crate) use node::Script;
pub use policy::{Advice, advice};

use circuit::{Circuit, Parts, Verdict};

/// Longest wait for one answer, in milliseconds: a script takes a few at most, so that this is a server that
/// stands still, and MongoDB is asked instead.
pub const ANSWER_MS_MAX: u64 = 500;

/// How often a server that is away is tried, in milliseconds.
const PROBE_INTERVAL_MS: u64 = 250;

/// How often one that answers is asked whether it still does, in milliseconds, so that an idle instance
/// notices too.
const HEALTH_INTERVAL_MS: u64 = 1_000;

/// Longest time to make a connection, in milliseconds: twice an answer's, for name resolution and TLS.
const CONNECT_MS_MAX: u64 = 1_000;

/// How many calls fail one after another before the circuit opens, with one server: the second
/// failure is no accident.
const FAILURES_MAX: u32 = 2;

/// The same for a cluster, of which one part may be away while the others work.
const CLUSTER_FAILURES_MAX: u32 = 6;

/// How often it is written down that the server refuses calls (out of memory, a permission that is missing), in
/// milliseconds: each call is refused then.
const REFUSED_INTERVAL_MS: u64 = 10_000;

/// The connection that all of an instance's calls share.
pub struct Link {
    address: Address,
    connection: Mutex<Option<Connection>>,
    circuit: Mutex<Circuit>,
    parts: Mutex<Parts>,
    refused_at: Mutex<Option<Instant>>,
    /// Why it is away, as it was told last.
    why: Mutex<Option<String>>,
    up: watch::Sender<bool>,
    prober: Mutex<Option<JoinHandle<()>>>,
}

/// How the way to Redis is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkHealth {
    /// Whether calls are made at present.
    pub up: bool,
    /// Why not, as Redis or the network told it last; while calls are made, why Redis refuses some of them.
    pub reason: Option<String>,
    /// Calls that were answered.
    pub answered: u64,
    /// Calls that failed or took too long.
    pub failed: u64,
    /// Calls that were not made because the circuit was open.
    pub spared: u64,
    /// How often the circuit opened.
    pub opened: u64,
    /// How long an answer took of late, in microseconds (a moving average).
    pub latency_us: u64,
}

impl Link {
    /// Begins to connect; answers when there is a connection or the first try failed. A server that
    /// is away is no error: it is tried again for as long as the link lives.
    pub async fn open(address: Address) -> Arc<Self> {
        let failures_max = if address.is_cluster() {
            CLUSTER_FAILURES_MAX
        } else {
            FAILURES_MAX
        };
        let link = Arc::new(Self {
            address,
            connection: Mutex::new(None),
            circuit: Mutex::new(Circuit::new(failures_max)),
            parts: Mutex::default(),
            refused_at: Mutex::default(),
            why: Mutex::default(),
            up: watch::Sender::new(false),
            prober: Mutex::new(None),
        });
        if let Err(reason) = link.probe().await {
            tracing::warn!(redis = %link.address, reason, "redis is away; going on without it");
        }
        let prober = tokio::spawn(watch_over(Arc::downgrade(&link)));
        *link.prober.lock() = Some(prober);
        link
    }

    /// Where it leads.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Whether calls are made at present.
    pub fn is_up(&self) -> bool {
        *self.up.borrow()
    }

    /// Whether calls are made, as it changes.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.up.subscribe()
    }

    /// Figures for operators.
    pub fn health(&self) -> LinkHealth {
        let up = self.is_up();
        let refuses = Duration::from_millis(2 * REFUSED_INTERVAL_MS);
        let refused = self
            .refused_at
            .lock()
            .is_some_and(|at| at.elapsed() < refuses);
        let reason = (!up || refused).then(|| self.why.lock().clone()).flatten();
        self.circuit.lock().health(up, reason)
    }

    /// Makes a call, if the circuit allows, within [`ANSWER_MS_MAX`].
    pub(crate) async fn call<T, F>(&self, call: impl FnOnce(Connection) -> F) -> Result<T, Away>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.judged(call).await.0
    }

    /// Makes a call about one key. In a cluster of which a part is away, calls about its keys are
    /// spared while the others are made.
    pub(crate) async fn call_at<T, F>(
        &self,
        key: &str,
        call: impl FnOnce(Connection) -> F,
    ) -> Result<T, Away>
    where
        F: Future<Output = RedisResult<T>>,
    {
        if !self.address.is_cluster() {
            return self.call(call).await;
        }
        if self.parts.lock().is_spared(key) {
            self.circuit.lock().spare();
            return Err(Away);
        }
        let (answer, verdict) = self.judged(call).await;
        self.parts.lock().note(key, verdict);
        answer
    }

    async fn judged<T, F>(
        &self,
        call: impl FnOnce(Connection) -> F,
    ) -> (Result<T, Away>, Option<Verdict>)
    where
        F: Future<Output = RedisResult<T>>,
    {
        let connection = if self.is_up() {
            self.connection.lock().clone()
        } else {
            None
        };
        let Some(connection) = connection else {
            self.circuit.lock().spare();
            return (Err(Away), None);
        };
        let begun = tokio::time::Instant::now();
        let outcome = tokio::time::timeout(answer_max(), call(connection)).await;
        let (answer, verdict) = match outcome {
            Ok(Ok(answer)) => (Some(answer), Verdict::Well(begun.elapsed())),
            Ok(Err(error)) => {
                *self.why.lock() = Some(error.to_string());
                (None, self.judge(&error))
            }
            Err(_) => {
                *self.why.lock() = Some(format!("no answer within {ANSWER_MS_MAX} ms"));
                (None, Verdict::Slow)
            }
        };
        if self.circuit.lock().note(verdict) {
            self.lost();
        }
        (answer.ok_or(Away), Some(verdict))
    }

    /// Whether an error means that the server is away. An error of a call of ours is written down
    /// here, for nobody above can do anything about it.
    fn judge(&self, error: &redis::RedisError) -> Verdict {
        use redis::{ErrorKind, ServerErrorKind as Server};
        match error.kind() {
            ErrorKind::Io | ErrorKind::ClusterConnectionNotFound if !self.address.is_cluster() => {
                Verdict::Gone
            }
            ErrorKind::Io
            | ErrorKind::ClusterConnectionNotFound
            | ErrorKind::Parse
            | ErrorKind::AuthenticationFailed
            | ErrorKind::Server(
                Server::BusyLoading
                | Server::ClusterDown
                | Server::MasterDown
                | Server::ReadOnly
                | Server::Moved
                | Server::Ask
                | Server::TryAgain,
            ) => Verdict::Slow,
            _ => {
                let mut refused_at = self.refused_at.lock();
                let quiet = Duration::from_millis(REFUSED_INTERVAL_MS);
                if refused_at.is_none_or(|at| at.elapsed() >= quiet) {
                    *refused_at = Some(Instant::now());
                    tracing::error!(error = %error, "redis refuses calls");
                }
                Verdict::Refused
            }
        }
    }

    /// Opens the circuit. A cluster's connection finds new masters by itself, but one that
    /// keeps failing is made anew, from the addresses that were given.
    fn lost(&self) {
        *self.connection.lock() = None;
        if self.up.send_replace(false) {
            tracing::warn!(redis = %self.address, "redis is away; going on without it");
        }
    }

    /// Tries to reach the server when it is away, and sees whether it still is there when it is not.
    async fn probe(&self) -> Result<(), String> {
        if self.is_up() {
            // What comes of it is for the circuit to know.
            let _ = self
                .call(|mut connection| async move { connection.ping().await })
                .await;
            return Ok(());
        }
        let connect = async {
            let mut connection =
                Connection::open(&self.address, connect_max(), answer_max()).await?;
            connection.ping().await?;
            RedisResult::Ok(connection)
        };
        match tokio::time::timeout(connect_max(), connect).await {
            Ok(Ok(connection)) => {
                *self.connection.lock() = Some(connection);
                self.circuit.lock().close();
                *self.refused_at.lock() = None;
                self.up.send_replace(true);
                tracing::info!(redis = %self.address, "redis is there");
                Ok(())
            }
            Ok(Err(error)) => Err(self.still_away(error.to_string())),
            Err(_) => Err(self.still_away(format!("no connection within {CONNECT_MS_MAX} ms"))),
        }
    }

    fn still_away(&self, reason: String) -> String {
        *self.why.lock() = Some(reason.clone());
        reason
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(prober) = self.prober.lock().take() {
            prober.abort();
        }
    }
}

async fn watch_over(link: std::sync::Weak<Link>) {
    loop {
        let Some(up) = link.upgrade().map(|link| link.is_up()) else {
            return;
        };
        let pause = if up {
            HEALTH_INTERVAL_MS
        } else {
            PROBE_INTERVAL_MS
        };
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let Some(link) = link.upgrade() else { return };
        if let Err(reason) = link.probe().await {
            tracing::debug!(reason, "redis is still away");
        }
    }
}

fn answer_max() -> Duration {
    Duration::from_millis(ANSWER_MS_MAX)
}

fn connect_max() -> Duration {
    Duration::from_millis(CONNECT_MS_MAX)
}
