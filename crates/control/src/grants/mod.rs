//! Assignments that their documents do not say yet, seen and written.
//!
//! A store may remember a claim's assignments beside the documents ([`mcpanel_store::Grants`]). Then a task *stands*
//! otherwise than its document says: [`Standing`] is the document with its grant applied by the rules, still at the
//! document's revision. Whatever is decided on it is committed guarded by that revision, with the assignment's event
//! before its own, so the assignment and what followed become durable together.
//!
//! - [`token`]: leases that can be verified though everybody forgot them
//! - [`settle`]: writing grants that outlived a short task

pub(crate) mod settle;
pub(crate) mod token;

use std::{collections::HashMap, sync::Arc};

use mcpanel_domain::{
    AgentId, Namespace, SessionId, TaskId, Timestamp,
    agent::Agent,
    event::Event,
    limits::LEASE_TTL_MS,
    task::{self, Command, Decision, Proof, Task},
};
use mcpanel_store::{Grant, Held};

use crate::{Result, core::Core};

/// A task as it stands: its document, or that with the assignment which it does not say yet.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// The task, at the revision of its document.
    pub(crate) task: Arc<Task>,
    /// What is to be recorded of the assignment, before anything else.
    pub(crate) granted: Vec<Event>,
}

impl Standing {
    /// As the document says.
    pub(crate) fn written(task: Arc<Task>) -> Self {
        Self {
            task,
            granted: Vec::new(),
        }
    }

    /// With an assignment that it does not say; as the document says when that is void.
    fn with(document: Arc<Task>, grant: Option<&Grant>, key: &[u8; 32]) -> Self {
        let decision = grant.and_then(|grant| assignment(&document, grant, key));
        match decision {
            Some(Decision {
                task: Some(mut task),
                events,
                ..
            }) => {
                task.revision = document.revision;
                Self {
                    task: Arc::new(task),
                    granted: events,
                }
            }
            _ => Self::written(document),
        }
    }

    /// The events of a change of it, with those that were not told yet before them.
    pub(crate) fn events(self, of_change: Vec<Event>) -> Vec<Event> {
        let mut events = self.granted;
        events.extend(of_change);
        events
    }
}

/// What a caller shows to prove that it holds a task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// The agent that the caller is, if it is one.
    pub(crate) agent: Option<&'a AgentId>,
    /// Its lease.
    pub(crate) proof: Proof,
}

/// The assignment that a grant stands for, as the rules make it; none when the document moved on, or nobody with the
/// key gave it. The same grant on the same document is the same assignment, whoever works it out and when.
fn assignment(document: &Task, grant: &Grant, key: &[u8; 32]) -> Option<Decision> {
    if !grant.holds(document) || !token::is_genuine(key, document, grant) {
        return None;
    }
    let command = Command::Assign {
        agent_id: grant.agent_id.clone(),
        session: grant.session.clone(),
        nonce: grant.nonce,
        lease_ttl_ms: LEASE_TTL_MS,
    };
    let mut decision = task::decide(document, command, grant.granted_at).ok()?;
    // Whoever writes it: the agent took it.
    let by = taken_by(&grant.agent_id);
    for event in &mut decision.events {
        event.by = Some(by.clone());
    }
    Some(decision)
}

/// Who causes it that a task is given out: the agent, whoever speaks for it.
pub(crate) fn taken_by(agent: &AgentId) -> Arc<str> {
    format!("agent:{agent}").into()
}

/// Agents as one decision sees them, each read once.
pub(crate) struct Agents<'a> {
    core: &'a Core,
    namespace: &'a Namespace,
    seen: HashMap<AgentId, Option<Arc<Agent>>>,
}

impl<'a> Agents<'a> {
    pub(crate) fn new(core: &'a Core, namespace: &'a Namespace) -> Self {
        Self {
            core,
            namespace,
            seen: HashMap::new(),
        }
    }

    async fn get(&mut self, id: &AgentId) -> Result<Option<Arc<Agent>>> {
        if let Some(seen) = self.seen.get(id) {
            return Ok(seen.clone());
        }
        let found = self.core.store.agent(self.namespace, id).await?;
        self.seen.insert(id.clone(), found.clone());
        Ok(found)
    }

    /// Until when heartbeats keep the lease of a held task; the epoch when its session is over.
    pub(crate) async fn alive_until(&mut self, task: &Task) -> Result<Timestamp> {
        let Some(lease) = task.lease() else {
            return Ok(Timestamp::ZERO);
        };
        let agent = self.get(&lease.agent_id).await?;
        Ok(agent
            .filter(|agent| agent.session.id == lease.session)
            .map_or(Timestamp::ZERO, |agent| agent.alive_until()))
    }

    /// How a task stands for a caller who shows a lease: one that is signed needs nobody's memory.
    pub(crate) async fn stand(
        &mut self,
        document: Arc<Task>,
        shown: Option<Shown<'_>>,
    ) -> Result<Standing> {
        let waits = document.ready_at().is_some();
        let Some(grants) = self.core.store.grants().filter(|_| waits) else {
            return Ok(Standing::written(document));
        };
        if let Some(Shown {
            agent: Some(agent),
            proof,
        }) = shown
            && let Some(agent) = self.get(agent).await?
            && let Some(grant) =
                token::verify(grants.key(), &document, &agent.id, &agent.session.id, proof)
        {
            return Ok(Standing::with(document, Some(&grant), grants.key()));
        }
        let known = grants
            .of_tasks(self.namespace, &[(document.id.clone(), document.revision)])
            .await;
        let grant = known.into_iter().next().flatten();
        Ok(Standing::with(document, grant.as_ref(), grants.key()))
    }
}

impl Core {
    /// How tasks stand.
    pub(crate) async fn stand(
        &self,
        namespace: &Namespace,
        documents: Vec<Arc<Task>>,
    ) -> Vec<Standing> {
        let waits = |task: &Arc<Task>| task.ready_at().is_some();
        let Some(grants) = self.store.grants().filter(|_| documents.iter().any(waits)) else {
            return documents.into_iter().map(Standing::written).collect();
        };
        let waiting: Vec<(TaskId, u64)> = documents
            .iter()
            .filter(|task| waits(task))
            .map(|task| (task.id.clone(), task.revision))
            .collect();
        let known = grants.of_tasks(namespace, &waiting).await;
        let known: HashMap<TaskId, Grant> = known
            .into_iter()
            .flatten()
            .map(|grant| (grant.task_id.clone(), grant))
            .collect();
        documents
            .into_iter()
            .map(|document| {
                let grant = known.get(&document.id);
                Standing::with(document, grant, grants.key())
            })
            .collect()
    }

    /// The leases of an agent in all its sessions, written or not, by task; and whether none can be missing.
    pub(crate) async fn leases(
        &self,
        namespace: &Namespace,
        id: &AgentId,
    ) -> Result<(Vec<Held>, bool)> {
        // First those that are not written: one that is written meanwhile is then seen twice, and not missed.
        let (granted, all_known) = match self.store.grants() {
            Some(grants) => grants.of_agent(namespace, id).await,
            None => (Vec::new(), true),
        };
        let mut leases = self.store.leases(namespace, id).await?;
        for grant in granted {
            if !leases.iter().any(|held| held.task_id == grant.task_id) {
                leases.push(grant.held());
            }
        }
        leases.sort_by(|a, b| a.task_id.cmp(&b.task_id));
        Ok((leases, all_known))
    }

    /// The secret part of a new lease: signed where it may have to be verified from itself.
    pub(crate) fn nonce(
        &self,
        document: &Task,
        agent: &AgentId,
        session: &SessionId,
        now: Timestamp,
    ) -> u128 {
        match self.store.grants() {
            Some(grants) => token::sign(grants.key(), document, agent, session, now),
            None => self.random(),
        }
    }
}
