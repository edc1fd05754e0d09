//! Claiming: an agent asks for work and is granted leases.

use std::sync::Arc;

use mcpanel_domain::{
    AgentId, Payload, Rejection, SessionId, TaskId,
    event::Event,
    limits::{CLAIM_TASKS_MAX, LEASE_TTL_MS},
    task::{self, Command, Proof, Task},
};
use mcpanel_store::{Commit, Grant, Offer, Reserved, Write};
use tokio::sync::oneshot;

use super::TaskManager;
use crate::{Error, Result, Scope, grants::taken_by};

/// What an agent asks for.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Who asks.
    pub agent_id: AgentId,
    /// In which session; the present one when none is named.
    pub session: Option<SessionId>,
    /// At most so many tasks.
    pub max: u32,
}

/// A task that was given out.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The task, assigned.
    pub task: Arc<Task>,
    /// Its input.
    pub parameters: Payload,
    /// What the holder shows from now on.
    pub proof: Proof,
    /// When the lease ends unless heartbeats extend it.
    pub expires_at: mcpanel_domain::Timestamp,
}

impl TaskManager {
    /// Gives the agent the best ready tasks, as many as it has slots for; none when there is
    /// nothing for it.
    pub async fn claim(&self, scope: &Scope, claim: &Claim) -> Result<Vec<Claimed>> {
        let offer = self.offer(scope, claim).await?;
        let mut claimed = Vec::new();
        // A task that another instance or a cancellation took first is skipped; look for others
        // instead of answering with less than there is.
        loop {
            let wanted = Offer {
                max: offer
                    .max
                    .saturating_sub(u32::try_from(claimed.len()).unwrap_or(u32::MAX)),
                ..offer.clone()
            };
            let tasks = self.core.store.take_ready(&wanted, self.core.now()).await?;
            let reserved = Reserved::new(self.core.store.clone(), scope.namespace.clone(), tasks);
            if reserved.tasks.is_empty() {
                return Ok(claimed);
            }
            let before = claimed.len();
            claimed.extend(self.assign(scope, &offer, &reserved.tasks).await?);
            if claimed.len() == before || claimed.len() >= offer.max as usize {
                return Ok(claimed);
            }
        }
    }

    /// Fires when a claim that found nothing may find something. Ask for it before the last look.
    pub async fn wait_ready(&self, scope: &Scope, claim: &Claim) -> Result<oneshot::Receiver<()>> {
        let offer = self.offer(scope, claim).await?;
        Ok(self.core.store.wait_ready(&offer))
    }

    /// Gives back what was claimed for a caller that has gone.
    pub async fn return_claimed(&self, scope: &Scope, claimed: &[Claimed]) {
        for each in claimed {
            let given_back = self
                .release(
                    scope,
                    &each.task.id,
                    each.proof,
                    "the caller went away".to_owned(),
                )
                .await;
            if let Err(error) = given_back {
                tracing::debug!(task.id = %each.task.id, %error, "cannot give back an undelivered task");
            }
        }
    }

    async fn offer(&self, scope: &Scope, claim: &Claim) -> Result<Offer> {
        if claim.max == 0 || claim.max > CLAIM_TASKS_MAX {
            return Err(Rejection::fault(
                "/max",
                "out_of_range",
                format!("is {}; must be from 1 to {CLAIM_TASKS_MAX}", claim.max),
            )
            .into());
        }
        let agent = self.core.agent(&scope.namespace, &claim.agent_id).await?;
        if claim
            .session
            .as_ref()
            .is_some_and(|session| *session != agent.session.id)
        {
            return Err(Rejection::SessionSuperseded {
                agent_id: agent.id.clone(),
            }
            .into());
        }
        if let Some(why) = agent.unavailable() {
            return Err(Rejection::AgentUnavailable {
                agent_id: agent.id.clone(),
                why,
            }
            .into());
        }
        Ok(Offer {
            namespace: scope.namespace.clone(),
            agent_id: agent.id.clone(),
            session: agent.session.id.clone(),
            capabilities: agent.capabilities.clone(),
            concurrency: agent.concurrency,
            max: claim.max,
        })
    }

    /// Grants the leases: all in one piece, or one by one when one of them was taken first.
    async fn assign(
        &self,
        scope: &Scope,
        offer: &Offer,
        tasks: &[Arc<Task>],
    ) -> Result<Vec<Claimed>> {
        match self.assign_together(scope, offer, tasks).await {
            Err(error) if error.conflict().is_some() && tasks.len() > 1 => {
                let mut claimed = Vec::new();
                for task in tasks {
                    match self
                        .assign_together(scope, offer, std::slice::from_ref(task))
                        .await
                    {
                        Ok(one) => claimed.extend(one),
                        Err(error) if error.conflict().is_some() => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(claimed)
            }
            Err(error) if error.conflict().is_some() => Ok(Vec::new()),
            other => other,
        }
    }

    async fn assign_together(
        &self,
        scope: &Scope,
        offer: &Offer,
        tasks: &[Arc<Task>],
    ) -> Result<Vec<Claimed>> {
        let assigned = self.decide_assignments(offer, tasks);
        if assigned.is_empty() {
            return Ok(Vec::new());
        }
        // Read first: nothing may be granted that cannot be delivered.
        let ids: Vec<TaskId> = assigned.iter().map(|each| each.task.id.clone()).collect();
        let payloads = self.core.store.payloads(&scope.namespace, &ids).await?;
        let given = match self.remember(scope, &assigned).await {
            Some(given) => given,
            None => {
                let mut commit = Commit::default();
                for each in &assigned {
                    commit.events.extend(each.events.iter().cloned());
                    commit.writes.push(Write::Task {
                        task: each.task.clone(),
                        parameters: None,
                        result: None,
                    });
                }
                self.core
                    .commit(commit.caused_by(&taken_by(&offer.agent_id)))
                    .await?;
                assigned.into_iter().map(|each| Some(each.task)).collect()
            }
        };
        given
            .into_iter()
            .zip(payloads)
            .filter_map(|(task, payloads)| Some((task?, payloads)))
            .map(|(task, payloads)| claimed(task, payloads.map(|payloads| payloads.parameters)))
            .collect()
    }

    fn decide_assignments(&self, offer: &Offer, tasks: &[Arc<Task>]) -> Vec<Assigned> {
        let now = self.core.now();
        let mut assigned = Vec::with_capacity(tasks.len());
        for document in tasks {
            let now = now.not_before(document.updated_at);
            let (agent, session) = (&offer.agent_id, &offer.session);
            let command = Command::Assign {
                agent_id: agent.clone(),
                session: session.clone(),
                nonce: self.core.nonce(document, agent, session, now),
                lease_ttl_ms: LEASE_TTL_MS,
            };
            // Refused when its deadline passed a moment ago: its timer will end it.
            if let Ok(decision) = task::decide(document, command, now)
                && let Some(next) = decision.task
            {
                assigned.push(Assigned {
                    revision: document.revision,
                    task: Arc::new(next),
                    events: decision.events,
                });
            }
        }
        assigned
    }

    /// Has the store remember the assignments without writing them, where it can do so now. Answers with the tasks as
    /// they stand then; none for those that were taken away meanwhile.
    async fn remember(
        &self,
        scope: &Scope,
        assigned: &[Assigned],
    ) -> Option<Vec<Option<Arc<Task>>>> {
        let remembered = self.core.store.grants()?;
        let grant_of = |each: &Assigned| {
            let lease = each.task.lease()?;
            Some(Grant::of(each.task.id.clone(), each.revision, lease))
        };
        let grants: Vec<Grant> = assigned.iter().filter_map(grant_of).collect();
        let noted = match remembered.note(&scope.namespace, &grants).await {
            Ok(noted) => noted,
            Err(error) => {
                tracing::debug!(%error, "assignments are written, as they cannot be remembered now");
                return None;
            }
        };
        let given = assigned.iter().zip(noted).map(|(each, noted)| {
            noted.then(|| {
                // Until it is written, the document is the revision it is.
                Arc::new(Task {
                    revision: each.revision,
                    ..(*each.task).clone()
                })
            })
        });
        Some(given.collect())
    }
}

/// An assignment that the rules allow.
struct Assigned {
    /// The revision of the document that it was decided on.
    revision: u64,
    task: Arc<Task>,
    events: Vec<Event>,
}

fn claimed(task: Arc<Task>, parameters: Option<Payload>) -> Result<Claimed> {
    let damaged = || {
        Error::Store(mcpanel_store::Error::Damaged {
            what: format!("the parameters of task `{}`", task.id),
        })
    };
    let parameters = parameters.ok_or_else(damaged)?;
    let lease = task.lease().ok_or_else(damaged)?;
    Ok(Claimed {
        proof: lease.proof(),
        expires_at: lease.expires_at,
        parameters,
        task: task.clone(),
    })
}
