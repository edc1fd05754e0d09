//! Building a queue from the documents, and looking whether one is as it should be.

use std::{sync::atomic::Ordering, time::Duration};

use mcpanel_domain::{AgentId, Namespace, PipelineId, TaskId};

use mcpanel_store::query::Position;

use super::Shared;
use crate::{Away, source::Source};

/// Tasks read and told in one go.
const PAGE: usize = 500;

/// How long a builder holds its lock without a sign of life, in milliseconds.
const BUILDER_MS: u64 = 10_000;

/// How long between two looks at what another instance builds, in milliseconds.
const WATCH_MS: u64 = 50;

/// Times that a queue is wiped in one building. More means that the server drops keys as fast as we write them.
const WIPES_MAX: u32 = 1;

/// Between two sweeps of a namespace, in milliseconds. A sweep finds what no instance remembers any more: a
/// change whose instance died between its commit and telling of it. It reads every live task.
pub(super) const SWEEP_MS: u64 = 300_000;

/// The lock that is the time until the next sweep.
pub(super) const SWEPT: &str = "swept";

/// The lock of whoever builds.
const BUILDER: &str = "builder";

#[derive(Debug, thiserror::Error)]
pub(super) enum Unbuilt {
    #[error(transparent)]
    Redis(#[from] Away),
    #[error("the documents cannot be read: {0}")]
    Documents(#[from] mcpanel_store::Error),
}

impl Shared {
    /// Makes sure that a queue is whole: builds it, or waits until the instance that does so is done.
    pub(super) async fn make_whole(
        &self,
        source: &dyn Source,
        namespace: &Namespace,
    ) -> Result<(), Unbuilt> {
        while !self.queue.look(namespace).await? {
            if self.hold(namespace, BUILDER, BUILDER_MS).await? {
                let built = self.build(source, namespace).await;
                self.release(namespace, BUILDER).await;
                return built;
            }
            tokio::time::sleep(Duration::from_millis(WATCH_MS)).await;
        }
        self.built.notify_waiters();
        Ok(())
    }

    /// Tells the queue of every task, forgets what it should not know, and says that it is whole. Changes of all instances
    /// go on meanwhile: revisions sort out what is newer.
    pub(super) async fn build(
        &self,
        source: &dyn Source,
        namespace: &Namespace,
    ) -> Result<(), Unbuilt> {
        let begun = tokio::time::Instant::now();
        self.figures.builds.fetch_add(1, Ordering::Relaxed);
        let mut wipes = 0;
        let mut told = 0;
        let mut after: Option<Position> = None;
        loop {
            let page = source.live_tasks(namespace, after.as_ref(), PAGE).await?;
            let put = self.queue.put(namespace, &page, self.now(), true).await?;
            if put.torn > 0 && wipes < WIPES_MAX {
                tracing::warn!(
                    namespace = %namespace,
                    tasks = put.torn,
                    "redis lost parts of the queue; building it anew"
                );
                wipes += 1;
                self.queue.wipe(namespace).await?;
                self.hold(namespace, BUILDER, BUILDER_MS).await?;
                (told, after) = (0, None);
                continue;
            }
            told += page.len();
            let Some((last, _)) = page.last() else { break };
            after = Some(Position {
                created_at: last.created_at,
                id: last.id.to_string(),
            });
            self.hold(namespace, BUILDER, BUILDER_MS).await?;
        }
        self.drop_strangers(source, namespace).await?;
        self.note_all(source, namespace).await?;
        self.queue.built(namespace, told == 0).await?;
        self.first(namespace, SWEPT, SWEEP_MS).await?;
        self.built.notify_waiters();
        tracing::info!(
            namespace = %namespace,
            tasks = told,
            took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            "the queue in redis is whole"
        );
        Ok(())
    }

    /// Makes sure that what is in Redis was derived from this database and not from another one (restored, or made
    /// anew under the same address): revisions and event numbers of two databases cannot be compared.
    pub(super) async fn check_origin(&self, source: &dyn Source) -> Result<(), Unbuilt> {
        let identity = source.identity().await?;
        let key = self.keys.origin();
        let mut ask = redis::cmd("GET");
        ask.arg(&key);
        let found: Option<String> = self
            .link
            .call(|mut connection| async move { ask.query_async(&mut connection).await })
            .await?;
        if found.as_deref() == Some(identity.as_str()) {
            return Ok(());
        }
        if found.is_some() {
            tracing::warn!("what is in redis belongs to another database; it is made anew");
            for namespace in self.queue.namespaces().await? {
                self.queue.wipe(&namespace).await?;
            }
            let mut forget = redis::cmd("DEL");
            forget.arg(self.keys.events());
            let _: i64 = self
                .link
                .call(|mut connection| async move { forget.query_async(&mut connection).await })
                .await?;
        }
        let mut tell = redis::cmd("SET");
        tell.arg(&key).arg(identity);
        let _: redis::Value = self
            .link
            .call(|mut connection| async move { tell.query_async(&mut connection).await })
            .await?;
        Ok(())
    }

    /// Tasks that the queue holds and that have ended, or never were.
    async fn drop_strangers(
        &self,
        source: &dyn Source,
        namespace: &Namespace,
    ) -> Result<(), Unbuilt> {
        let mut cursor = 0;
        loop {
            let (next, ids) = self.queue.known(namespace, cursor).await?;
            for some in ids.chunks(PAGE) {
                self.retell(source, namespace, some).await?;
            }
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// Tells the queue how these tasks stand now.
    pub(super) async fn retell(
        &self,
        source: &dyn Source,
        namespace: &Namespace,
        ids: &[TaskId],
    ) -> Result<(), Unbuilt> {
        let found = source.standing(namespace, ids).await?;
        let gone: Vec<TaskId> = ids
            .iter()
            .zip(&found)
            .filter(|(_, standing)| standing.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        let standing: Vec<_> = found.into_iter().flatten().collect();
        self.queue
            .put(namespace, &standing, self.now(), false)
            .await?;
        self.queue.remove(namespace, &gone).await?;
        Ok(())
    }

    /// Has all agents and running pipelines shown.
    async fn note_all(&self, source: &dyn Source, namespace: &Namespace) -> Result<(), Unbuilt> {
        let agents = source.agents(namespace).await?;
        let unsettled = source.unsettled().await?;
        let agents: Vec<&AgentId> = agents.iter().map(|agent| &agent.id).collect();
        self.note_shown(namespace, &agents).await?;
        let pipelines: Vec<&PipelineId> = unsettled
            .iter()
            .filter(|(of, _)| of == namespace)
            .map(|(_, id)| id)
            .collect();
        self.queue
            .note(namespace, agents.into_iter(), pipelines.into_iter())
            .await?;
        Ok(())
    }
}
