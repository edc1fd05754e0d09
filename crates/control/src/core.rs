//! What all managers share: the store, the world outside, and the retry on conflict.

use std::sync::Arc;

use mcpanel_domain::{
    AgentId, Namespace, Rejection, TaskId, Timestamp,
    agent::{self, Agent},
    task::{self, Task},
};
use mcpanel_store::{Commit, Store, Write};
use parking_lot::Mutex;

use crate::{
    Env, Error, Result,
    grants::{Agents, Shown, Standing},
    history::Sampling,
    operations::Retention,
    reconcile::wrong_clock::ClockWatch,
};

/// Tries of a commit whose documents keep changing. Each conflict means that somebody else got on,
/// so more than a few in a row is a sign of trouble rather than of load.
const TRIES_MAX: u32 = 32;

/// The store and the world outside.
pub(crate) struct Core {
    pub(crate) store: Arc<dyn Store>,
    env: Arc<dyn Env>,
    /// Held while dependencies of existing tasks change, so that two changes at once cannot close a
    /// circle that neither sees.
    pub(crate) dependencies: tokio::sync::Mutex<()>,
    pub(crate) clock_watch: ClockWatch,
    /// What this instance knows of samples.
    pub(crate) sampling: Mutex<Sampling>,
    /// When it looks for old operations.
    pub(crate) retention: Mutex<Retention>,
}

/// Who causes a change; none where the server does it by itself.
pub(crate) type By<'a> = Option<&'a Arc<str>>;

/// The commit with events that say who caused it.
fn caused(commit: Commit, by: By<'_>) -> Commit {
    match by {
        Some(actor) => commit.caused_by(actor),
        None => commit,
    }
}

/// A committed change of a task.
pub(crate) struct Changed {
    /// The document afterwards.
    pub(crate) task: Arc<Task>,
    /// What to do now.
    pub(crate) effects: Vec<task::Effect>,
}

impl Core {
    pub(crate) fn new(store: Arc<dyn Store>, env: Arc<dyn Env>) -> Self {
        Self {
            store,
            env,
            dependencies: tokio::sync::Mutex::new(()),
            clock_watch: ClockWatch::default(),
            sampling: Mutex::default(),
            retention: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.env.now()
    }

    pub(crate) fn random(&self) -> u128 {
        self.env.random()
    }

    /// The low half of a random number, for jitter.
    pub(crate) fn jitter(&self) -> u64 {
        (self.env.random() & u128::from(u64::MAX)) as u64
    }

    /// A task as it stands, to look at.
    pub(crate) async fn task(&self, namespace: &Namespace, id: &TaskId) -> Result<Arc<Task>> {
        Ok(self.standing(namespace, id, None).await?.0.task)
    }

    /// A task as it stands, to decide on, and until when heartbeats keep its lease. `shown` is what the caller
    /// shows who claims to hold it.
    pub(crate) async fn standing(
        &self,
        namespace: &Namespace,
        id: &TaskId,
        shown: Option<Shown<'_>>,
    ) -> Result<(Standing, Timestamp)> {
        let document = self.document(namespace, id).await?;
        let mut agents = Agents::new(self, namespace);
        let standing = agents.stand(document, shown).await?;
        let alive_until = agents.alive_until(&standing.task).await?;
        Ok((standing, alive_until))
    }

    /// A task as its document says.
    async fn document(&self, namespace: &Namespace, id: &TaskId) -> Result<Arc<Task>> {
        self.store
            .tasks(namespace, std::slice::from_ref(id))
            .await?
            .pop()
            .flatten()
            .ok_or_else(|| Rejection::not_found("task", id).into())
    }

    pub(crate) async fn agent(&self, namespace: &Namespace, id: &AgentId) -> Result<Arc<Agent>> {
        self.store
            .agent(namespace, id)
            .await?
            .ok_or_else(|| Rejection::not_found("agent", id).into())
    }

    /// Until when heartbeats keep the lease of a held task; the epoch when its session is over.
    pub(crate) async fn alive_until(&self, task: &Task) -> Result<Timestamp> {
        Agents::new(self, &task.namespace).alive_until(task).await
    }

    /// Load, decide, commit, for one task; again when somebody else was faster. The effects are
    /// left to the caller.
    pub(crate) async fn change_task<F>(
        &self,
        namespace: &Namespace,
        by: By<'_>,
        id: &TaskId,
        command: F,
    ) -> Result<Changed>
    where
        F: FnMut(&Task, Timestamp) -> Result<task::Command>,
    {
        self.change_task_shown(namespace, by, id, None, command)
            .await
    }

    /// The same for a caller who shows a lease.
    pub(crate) async fn change_task_shown<F>(
        &self,
        namespace: &Namespace,
        by: By<'_>,
        id: &TaskId,
        shown: Option<Shown<'_>>,
        mut command: F,
    ) -> Result<Changed>
    where
        F: FnMut(&Task, Timestamp) -> Result<task::Command>,
    {
        for _ in 0..TRIES_MAX {
            let (standing, alive_until) = self.standing(namespace, id, shown).await?;
            let task = &standing.task;
            let command = command(task, alive_until)?;
            let decision = task::decide(task, command, self.now())?;
            let Some(next) = decision.task else {
                return Ok(Changed {
                    task: standing.task,
                    effects: decision.effects,
                });
            };
            let next = Arc::new(next);
            let write = Write::Task {
                task: next.clone(),
                parameters: None,
                result: None,
            };
            match self
                .commit(caused(
                    Commit::of(write).with_events(standing.events(decision.events)),
                    by,
                ))
                .await
            {
                Ok(()) => {
                    return Ok(Changed {
                        task: next,
                        effects: decision.effects,
                    });
                }
                Err(error) if error.conflict().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended { id: id.to_string() })
    }

    /// Load, decide, commit, for one agent.
    pub(crate) async fn change_agent<F>(
        &self,
        namespace: &Namespace,
        by: By<'_>,
        id: &AgentId,
        mut decide: F,
    ) -> Result<Arc<Agent>>
    where
        F: FnMut(&Agent, Timestamp) -> Result<agent::Decision>,
    {
        for _ in 0..TRIES_MAX {
            let agent = self.agent(namespace, id).await?;
            let decision = decide(&agent, self.now())?;
            let Some(next) = decision.agent else {
                return Ok(agent);
            };
            let next = Arc::new(next);
            let commit = Commit::of(Write::Agent(next.clone())).with_events(decision.events);
            match self.commit(caused(commit, by)).await {
                Ok(()) => return Ok(next),
                Err(error) if error.conflict().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended { id: id.to_string() })
    }

    pub(crate) async fn commit(&self, commit: Commit) -> Result<()> {
        self.store.commit(commit).await?;
        Ok(())
    }

    /// How often a caller of its own commit loop tries.
    pub(crate) fn tries() -> std::ops::Range<u32> {
        0..TRIES_MAX
    }
}
