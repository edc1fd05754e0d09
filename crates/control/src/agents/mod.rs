//! Agents: sign-on, heartbeats, settings, liveness.

use std::{collections::HashSet, sync::Arc};

use mcpanel_domain::{
    AgentId, Namespace, Rejection, SessionId, TaskId,
    agent::{self, Agent, Changes, Command, Health, Registration, Status},
    event::Kind,
    limits::HEARTBEAT_INTERVAL_MS,
    task::{self, command::LeaseLoss},
};
use mcpanel_store::{Commit, Held, Write};

use crate::{Created, Error, Idempotency, Result, Scope, act, core::Core};

/// Agents.
#[derive(Clone)]
pub struct AgentManager {
    core: Arc<Core>,
}

/// An agent with what is counted from its leases.
#[derive(Debug, Clone)]
pub struct AgentView {
    /// The agent.
    pub agent: Arc<Agent>,
    /// Its live leases.
    pub leases: Vec<Held>,
    /// The status that follows.
    pub status: Status,
}

/// What an agent hears when it says that it is alive.
#[derive(Debug, Clone)]
pub struct HeartbeatAnswer {
    /// The agent now.
    pub view: AgentView,
    /// Tasks it holds that should stop.
    pub cancel: Vec<TaskId>,
    /// Tasks it named that it does not hold any more: stop, and do not report.
    pub lost: Vec<TaskId>,
    /// When the next heartbeat is expected, in milliseconds from now.
    pub interval_ms: u64,
}

impl AgentManager {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// A fresh agent id.
    pub fn new_id(&self) -> AgentId {
        AgentId::generate(self.core.now(), self.core.random())
    }

    /// Signs an agent on: opens a new session and ends the leases of the one before.
    pub async fn register(
        &self,
        scope: &Scope,
        registration: Registration,
        idempotency: Option<&Idempotency>,
    ) -> Result<Created<AgentView>> {
        for _ in Core::tries() {
            if let Some((id, session)) =
                Idempotency::outcome::<(AgentId, SessionId)>(idempotency, &self.core, scope).await?
            {
                let view = self.get(scope, &id).await?;
                // The credential of a newer session is not for who signed on before.
                if view.agent.session.id != session {
                    return Err(Rejection::SessionSuperseded { agent_id: id }.into());
                }
                return Ok(Created::replayed(view));
            }
            let known = self
                .core
                .store
                .agent(&scope.namespace, &registration.id)
                .await?;
            let now = self.core.now();
            let session = SessionId::generate(now, self.core.random());
            let decision = agent::register(
                known.as_deref(),
                registration.clone(),
                &scope.namespace,
                session,
                now,
            )?;
            let Some(next) = decision.agent.map(Arc::new) else {
                return Ok(Created::new(self.get(scope, &registration.id).await?));
            };
            let mut commit = Commit::of(Write::Agent(next.clone())).with_events(decision.events);
            if let Some(request) = idempotency {
                let outcome = (&next.id, &next.session.id);
                commit
                    .writes
                    .push(request.record(&self.core, scope, &outcome)?);
            }
            match self.core.commit(commit.caused_by(&scope.actor)).await {
                Ok(()) => {
                    end_other_sessions(&self.core, &scope.namespace, &next, LeaseLoss::Superseded)
                        .await;
                    return Ok(Created::new(self.view(next).await?));
                }
                Err(error) if error.conflict().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended {
            id: registration.id.to_string(),
        })
    }

    /// An agent.
    pub async fn get(&self, scope: &Scope, id: &AgentId) -> Result<AgentView> {
        let agent = self.core.agent(&scope.namespace, id).await?;
        self.view(agent).await
    }

    /// All agents of the namespace, by id.
    pub async fn list(&self, scope: &Scope) -> Result<Vec<AgentView>> {
        let mut views = Vec::new();
        for agent in self.core.store.agents(&scope.namespace).await? {
            views.push(self.view(agent).await?);
        }
        Ok(views)
    }

    /// The agent is alive. `holds`, where it says so, is what it has in hand.
    pub async fn heartbeat(
        &self,
        scope: &Scope,
        id: &AgentId,
        session: Option<&SessionId>,
        health: Option<Health>,
        holds: Option<&[TaskId]>,
    ) -> Result<HeartbeatAnswer> {
        let agent = self
            .core
            .change_agent(&scope.namespace, Some(&scope.actor), id, |agent, now| {
                let session = session.unwrap_or(&agent.session.id).clone();
                let command = Command::Heartbeat {
                    session,
                    health: health.clone(),
                };
                Ok(agent::decide(agent, command, now)?)
            })
            .await?;
        let (leases, all_known) = self.core.leases(&scope.namespace, id).await?;
        let view = view_of(agent, leases);
        let mine: Vec<&Held> = view
            .leases
            .iter()
            .filter(|held| held.session == view.agent.session.id)
            .collect();
        let ids: Vec<TaskId> = mine.iter().map(|held| held.task_id.clone()).collect();
        let tasks = self.core.store.tasks(&scope.namespace, &ids).await?;
        let cancel = tasks
            .iter()
            .flatten()
            .filter(|task| task.lease().is_some() && task.cancel_requested.is_some())
            .map(|task| task.id.clone())
            .collect();
        let mut lost = Vec::new();
        if let Some(holds) = holds {
            let named: HashSet<&TaskId> = holds.iter().collect();
            let held: HashSet<&TaskId> = ids.iter().collect();
            lost.extend(holds.iter().filter(|id| !held.contains(id)).cloned());
            if !all_known {
                self.keep_unknown(scope, &mut lost).await?;
            }
            for each in mine.iter().filter(|held| !named.contains(&held.task_id)) {
                lose(&self.core, &scope.namespace, each, LeaseLoss::Undelivered).await;
            }
        }
        Ok(HeartbeatAnswer {
            view,
            cancel,
            lost,
            interval_ms: HEARTBEAT_INTERVAL_MS,
        })
    }

    /// Takes out of what seems lost the tasks that wait: they may have been given to this agent, and nobody who
    /// remembers can be asked now. A later heartbeat tells.
    async fn keep_unknown(&self, scope: &Scope, lost: &mut Vec<TaskId>) -> Result<()> {
        let tasks = self.core.store.tasks(&scope.namespace, lost).await?;
        let waiting: HashSet<TaskId> = tasks
            .iter()
            .flatten()
            .filter(|task| task.ready_at().is_some())
            .map(|task| task.id.clone())
            .collect();
        lost.retain(|id| !waiting.contains(id));
        Ok(())
    }

    /// Changes an agent's settings. With `revision`, only when its settings are still at that one.
    pub async fn update(
        &self,
        scope: &Scope,
        id: &AgentId,
        changes: Changes,
        revision: Option<u64>,
    ) -> Result<AgentView> {
        let agent = self
            .core
            .change_agent(&scope.namespace, Some(&scope.actor), id, |agent, now| {
                if let Some(given) = revision.filter(|given| *given != agent.settings_revision) {
                    return Err(Rejection::RevisionMismatch {
                        what: "agent",
                        current: agent.settings_revision,
                        given,
                    }
                    .into());
                }
                Ok(agent::decide(agent, Command::Update(changes.clone()), now)?)
            })
            .await?;
        self.view(agent).await
    }

    /// Signs an agent off: it is forgotten, and what it held goes back to the queue.
    pub async fn unregister(&self, scope: &Scope, id: &AgentId) -> Result<()> {
        for _ in Core::tries() {
            let agent = self.core.agent(&scope.namespace, id).await?;
            let event = agent::event(&agent, Kind::AgentUnregistered, self.core.now());
            let commit = Commit::of(Write::DeleteAgent {
                namespace: agent.namespace.clone(),
                id: agent.id.clone(),
                revision: agent.revision,
            })
            .with_events([event])
            .caused_by(&scope.actor);
            match self.core.commit(commit).await {
                Ok(()) => {
                    if let Ok((leases, _)) = self.core.leases(&scope.namespace, id).await {
                        for held in leases {
                            lose(&self.core, &scope.namespace, &held, LeaseLoss::Unregistered)
                                .await;
                        }
                    }
                    return Ok(());
                }
                Err(error) if error.conflict().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended { id: id.to_string() })
    }

    async fn view(&self, agent: Arc<Agent>) -> Result<AgentView> {
        let (leases, _) = self.core.leases(&agent.namespace, &agent.id).await?;
        Ok(view_of(agent, leases))
    }
}

fn view_of(agent: Arc<Agent>, leases: Vec<Held>) -> AgentView {
    let mine = leases
        .iter()
        .filter(|held| held.session == agent.session.id)
        .count();
    let status = agent.status(u32::try_from(mine).unwrap_or(u32::MAX));
    AgentView {
        agent,
        leases,
        status,
    }
}

/// Ends the leases that belong to other sessions than the agent's present one.
async fn end_other_sessions(core: &Core, namespace: &Namespace, agent: &Agent, cause: LeaseLoss) {
    let leases = match core.leases(namespace, &agent.id).await {
        Ok((leases, _)) => leases,
        Err(error) => {
            tracing::warn!(agent.id = %agent.id, %error, "cannot read leases now; a sweep will end them");
            return;
        }
    };
    for held in leases
        .iter()
        .filter(|held| held.session != agent.session.id)
    {
        lose(core, namespace, held, cause).await;
    }
}

/// Ends one lease without its holder's doing, and does what follows.
pub(crate) async fn lose(core: &Core, namespace: &Namespace, held: &Held, cause: LeaseLoss) {
    let changed = core
        .change_task(namespace, None, &held.task_id, |_, _| {
            Ok(task::Command::LoseLease {
                session: held.session.clone(),
                attempt: held.attempt,
                cause,
            })
        })
        .await;
    match changed {
        Ok(changed) => act::perform(core, namespace, changed.effects).await,
        Err(error) => {
            tracing::warn!(task.id = %held.task_id, %error, "cannot end a lease now; a sweep will");
        }
    }
}
