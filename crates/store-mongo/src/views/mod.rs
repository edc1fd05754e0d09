//! The specification's keys, kept readable for operators and dashboards: `agents:active`, `tasks:pending`,
//! `pipeline:{id}:progress` and their kin.
//!
//! They are views and decide nothing. The queue's scripts note what moved; one instance per namespace, whichever
//! holds a short lock, looks at what was noted and writes how it stands now. One writer means that nothing overtakes
//! anything, and a task that came and went in between costs nothing. What was noted stays noted until it is shown.

mod agents;
mod pipelines;
mod tasks;

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use mcpanel_domain::Namespace;
use redis::{Cmd, Value};
use rustc_hash::FxHashMap;
use tokio::time::Instant;

use crate::{
    Away,
    keys::Keys,
    link::Link,
    queue::{Move, Queue},
    source::Source,
};

/// How often what moved is looked at, in milliseconds: well within the second that readers are promised, and seldom
/// enough that a busy pipeline is written five times a second at most.
const LOOK_MS: u64 = 200;

/// The same where nothing moved of late, in milliseconds: of many namespaces most are quiet.
const QUIET_MS: u64 = 600;

/// How often an instance that does not keep the views asks whether it should, in milliseconds.
const STAND_BY_MS: u64 = 1_000;

/// How long an instance keeps the views after its last look, in milliseconds.
const KEPT_MS: u64 = 3_000;

/// A look that took longer than this writes nothing, in milliseconds: another instance may have taken over.
const STALE_MS: u64 = 2_000;

/// What is looked at in one go.
const MOVES_MAX: usize = 1_000;

/// How often in a row, before other namespaces have their turn.
const ROUNDS_MAX: usize = 20;

/// Writes the views.
pub(crate) struct Views {
    link: Arc<Link>,
    keys: Keys,
    queue: Arc<Queue>,
    source: Weak<dyn Source>,
    who: String,
}

/// What came of a look.
enum Seen {
    /// Something moved.
    Some,
    /// Nothing did.
    Nothing,
    /// Another instance keeps these views.
    NotMine,
}

/// Commands to send, each with its key.
#[derive(Default)]
struct Writes(Vec<(String, Cmd)>);

impl Writes {
    fn push(&mut self, key: &str, name: &str, rest: impl FnOnce(&mut Cmd)) {
        let mut command = redis::cmd(name);
        command.arg(key);
        rest(&mut command);
        self.0.push((key.to_owned(), command));
    }
}

/// Why a look did not come to its end. It is taken again.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error(transparent)]
    Redis(#[from] Away),
    #[error("the documents cannot be read: {0}")]
    Documents(#[from] mcpanel_store::Error),
    #[error("the look took too long")]
    Stale,
    #[error("the store is closed")]
    Closed,
}

impl Views {
    pub(crate) fn new(
        link: Arc<Link>,
        keys: Keys,
        queue: Arc<Queue>,
        source: Weak<dyn Source>,
        who: String,
    ) -> Self {
        Self {
            link,
            keys,
            queue,
            source,
            who,
        }
    }

    /// Keeps the views for as long as there is a source. `namespaces` tells which there are.
    pub(crate) async fn keep(self, namespaces: impl Fn() -> Vec<Namespace> + Send) {
        let mut next: FxHashMap<Namespace, Instant> = FxHashMap::default();
        while self.source.strong_count() > 0 {
            for namespace in namespaces() {
                let now = Instant::now();
                if next.get(&namespace).is_some_and(|next| now < *next) {
                    continue;
                }
                let pause = match self.look(&namespace).await {
                    Ok(Seen::Some) => LOOK_MS,
                    Ok(Seen::Nothing) => QUIET_MS,
                    Ok(Seen::NotMine) => STAND_BY_MS,
                    Err(error) => {
                        tracing::debug!(namespace = %namespace, error = %error, "views are late");
                        QUIET_MS
                    }
                };
                next.insert(namespace, now + Duration::from_millis(pause));
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        }
    }

    /// Shows what moved.
    async fn look(&self, namespace: &Namespace) -> Result<Seen, Interrupted> {
        let mut seen = Seen::Nothing;
        for _ in 0..ROUNDS_MAX {
            let begun = Instant::now();
            let moves = self
                .queue
                .moves(namespace, &self.who, KEPT_MS, MOVES_MAX)
                .await?;
            if !moves.mine {
                return Ok(Seen::NotMine);
            }
            if moves.moves.is_empty() {
                break;
            }
            seen = Seen::Some;
            self.show(namespace, &moves.moves, begun).await?;
            self.queue.seen(namespace, &self.who, moves).await?;
        }
        Ok(seen)
    }

    async fn show(
        &self,
        namespace: &Namespace,
        moves: &[Move],
        begun: Instant,
    ) -> Result<(), Interrupted> {
        let source = self.source.upgrade().ok_or(Interrupted::Closed)?;
        let mut writes = Writes::default();
        tasks::show(&self.keys, namespace, moves, &mut writes);
        agents::show(self, &*source, namespace, moves, &mut writes).await?;
        pipelines::show(&self.keys, &*source, namespace, moves, &mut writes).await?;
        if begun.elapsed() > Duration::from_millis(STALE_MS) {
            return Err(Interrupted::Stale);
        }
        let commands = writes.0;
        self.link
            .call(|mut connection| async move { connection.send_all::<Value>(commands).await })
            .await?;
        Ok(())
    }
}
