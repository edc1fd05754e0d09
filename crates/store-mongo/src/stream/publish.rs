//! Publishing numbered events, in order.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
    time::Duration,
};

use mcpanel_domain::event::Numbered;
use parking_lot::Mutex;
use redis::streams::StreamRangeReply;
use tokio::sync::Notify;

use super::{EVENTS_KEPT, last_of};
use crate::{
    Away,
    link::{Link, Script},
    source::Source,
};

/// Events that wait to be published at most; more than these are read from MongoDB again.
const WAITING_MAX: usize = 20_000;

/// Events in one entry: some 60 kB.
const RUN_MAX: usize = 200;

/// How often a run is tried again while what comes before it is missing, and how long between, in
/// milliseconds: the instance that has it is most likely about to publish it.
const PATIENCE: u32 = 10;
const PATIENCE_MS: u64 = 20;

/// After how long without news an instance looks whether events are missing at the end, in milliseconds: an instance
/// that died after numbering them told nobody.
const QUIET_MS: u64 = 1_000;

/// How long until the next try when Redis is away, in milliseconds.
const AWAY_MS: u64 = 250;

/// Events that this instance numbered, on their way to the stream.
pub(crate) struct Publisher {
    link: Arc<Link>,
    key: String,
    script: Script,
    waiting: Mutex<VecDeque<Arc<Numbered>>>,
    added: Notify,
}

/// What came of a run.
enum Outcome {
    Done,
    Missing { top: u64 },
    Partly { top: u64 },
}

impl Publisher {
    pub(crate) fn new(link: Arc<Link>, key: String) -> Arc<Self> {
        Arc::new(Self {
            link,
            key,
            script: Script::of(&[include_str!("publish.lua")]),
            waiting: Mutex::default(),
            added: Notify::new(),
        })
    }

    /// Takes events to publish. It never waits: what does not fit is found missing by the next
    /// publication and read from MongoDB.
    pub(crate) fn push(&self, events: &[Arc<Numbered>]) {
        let mut waiting = self.waiting.lock();
        waiting.extend(events.iter().cloned());
        let over = waiting.len().saturating_sub(WAITING_MAX);
        waiting.drain(..over);
        drop(waiting);
        self.added.notify_one();
    }

    /// Publishes for as long as there is a source.
    pub(crate) async fn work(&self, source: Weak<dyn Source>) {
        while source.strong_count() > 0 {
            let run = self.next_run();
            if run.is_empty() {
                let added = self.added.notified();
                let quiet = tokio::time::timeout(Duration::from_millis(QUIET_MS), added).await;
                if quiet.is_err()
                    && let Some(source) = source.upgrade()
                {
                    self.catch_up(&*source).await;
                }
                continue;
            }
            if self.publish(run.clone(), &source).await.is_err() {
                self.put_back(run);
                tokio::time::sleep(Duration::from_millis(AWAY_MS)).await;
            }
        }
    }

    /// Puts a run back in front, unless newer events took the place.
    fn put_back(&self, run: Vec<Arc<Numbered>>) {
        let mut waiting = self.waiting.lock();
        for event in run.into_iter().rev() {
            if waiting.len() < WAITING_MAX {
                waiting.push_front(event);
            }
        }
    }

    /// The oldest events that follow on each other.
    fn next_run(&self) -> Vec<Arc<Numbered>> {
        let mut waiting = self.waiting.lock();
        let mut run: Vec<Arc<Numbered>> = Vec::new();
        while run.len() < RUN_MAX
            && let Some(next) = waiting.front()
        {
            match run.last() {
                Some(last) if next.seq <= last.seq => {
                    waiting.pop_front();
                    continue;
                }
                Some(last) if next.seq != last.seq + 1 => break,
                _ => run.extend(waiting.pop_front()),
            }
        }
        run
    }

    /// Publishes a run, after what is missing before it.
    async fn publish(
        &self,
        mut run: Vec<Arc<Numbered>>,
        source: &Weak<dyn Source>,
    ) -> Result<(), Away> {
        let mut tries = 0;
        loop {
            match self.add(&run).await? {
                Outcome::Done => return Ok(()),
                Outcome::Partly { top } => run.retain(|event| event.seq > top),
                Outcome::Missing { .. } if tries < PATIENCE => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(PATIENCE_MS)).await;
                }
                Outcome::Missing { top } => {
                    let source = source.upgrade().ok_or(Away)?;
                    let first = run.first().map_or(top, |event| event.seq);
                    self.fill(&*source, top, first).await?;
                }
            }
        }
    }

    /// Publishes what is in MongoDB and not at the end of the stream. What is read a moment before its own
    /// instance tells of it is told twice, which is harmless.
    async fn catch_up(&self, source: &dyn Source) {
        let Ok(top) = self.top().await else { return };
        let Ok(newest) = source.newest_event().await else {
            return;
        };
        if newest <= top {
            return;
        }
        // A stream that was lost begins with the newest events; MongoDB has the others.
        let after = if top == 0 {
            newest.saturating_sub(RUN_MAX as u64)
        } else {
            top
        };
        if let Err(Away) = self.fill(source, after, newest + 1).await {
            tracing::debug!("events are missing in redis still");
        }
    }

    /// The number of the last event in the stream; zero when it is empty.
    async fn top(&self) -> Result<u64, Away> {
        let mut command = redis::cmd("XREVRANGE");
        command.arg(&self.key).arg("+").arg("-").arg("COUNT").arg(1);
        let newest: StreamRangeReply = self
            .link
            .call(|mut connection| async move { command.query_async(&mut connection).await })
            .await?;
        Ok(newest
            .ids
            .first()
            .and_then(|entry| last_of(&entry.id))
            .unwrap_or(0))
    }

    /// Publishes what MongoDB has between two numbers, as far as the stream would keep it.
    async fn fill(&self, source: &dyn Source, top: u64, before: u64) -> Result<(), Away> {
        let mut after = top.max(before.saturating_sub(EVENTS_KEPT));
        if after > top {
            // Too much is missing: the stream begins anew behind the hole.
            self.forget().await?;
        }
        while after + 1 < before {
            let events = source.events_after(after, RUN_MAX).await.map_err(|error| {
                tracing::warn!(error = %error, "events that are missing in redis cannot be read");
                Away
            })?;
            let run: Vec<Arc<Numbered>> = events
                .into_iter()
                .filter(|event| event.seq < before)
                .collect();
            let Some(last) = run.last().map(|event| event.seq) else {
                // MongoDB keeps none of these any more.
                return self.forget().await;
            };
            if let Outcome::Missing { .. } = self.add(&run).await? {
                // A hole in MongoDB itself: its oldest events are gone.
                self.forget().await?;
                self.add(&run).await?;
            }
            after = last;
        }
        Ok(())
    }

    async fn add(&self, run: &[Arc<Numbered>]) -> Result<Outcome, Away> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return Ok(Outcome::Done);
        };
        let json = serde_json::to_string(run).map_err(|error| {
            tracing::error!(error = %error, "events cannot be written as JSON");
            Away
        })?;
        let arguments = [
            first.seq.to_string(),
            last.seq.to_string(),
            json,
            EVENTS_KEPT.to_string(),
        ];
        let (outcome, top): (i64, u64) = self.script.run(&self.link, &self.key, &arguments).await?;
        Ok(match outcome {
            0 => Outcome::Missing { top },
            3 => Outcome::Partly { top },
            _ => Outcome::Done,
        })
    }

    async fn forget(&self) -> Result<(), Away> {
        let mut command = redis::cmd("DEL");
        command.arg(&self.key);
        let _: i64 = self
            .link
            .call(|mut connection| async move { command.query_async(&mut connection).await })
            .await?;
        Ok(())
    }
}
