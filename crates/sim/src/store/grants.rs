//! Assignments that the documents do not say yet, as a model: a queue that may forget them, servers that remember
//! their own until they die, answers that get lost, and entries that somebody forged.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use mcpanel_control::sign_lease;
use mcpanel_domain::{AgentId, Namespace, TaskId, agent::Agent, task::Task};
use mcpanel_store::{Commit, Error, Grant, Grants, Result, Store, Write};

use super::{SimStore, distributed::Instance};
use crate::{executor::at_once, mutation::Mutation};

/// The key that leases of all runs are signed with.
const KEY: [u8; 32] = *b"the simulated servers all share!";

/// How old a grant gets before its server writes it, in true milliseconds.
const RIPE_MS: u64 = 1_000;

/// How old before every server does.
const LEFT_MS: u64 = 3_000;

/// What one server remembers of what it gave, with when in true time.
pub type Given = BTreeMap<TaskId, (Grant, u64)>;

impl SimStore {
    /// What a commit wrote needs no memory.
    pub(super) fn forget_written(&self, instance: &Instance, commit: &Commit) {
        let mut given = instance.given.lock();
        for write in &commit.writes {
            if let Write::Task { task, .. } = write
                && given
                    .get(&task.id)
                    .is_some_and(|(grant, _)| grant.revision < task.revision)
            {
                given.remove(&task.id);
            }
        }
    }

    /// Somebody who can write to the queue notes that a task was given to an agent. The rule broken that a grant must be
    /// signed is the same as that somebody knowing the key.
    pub(super) fn forge(&self, instance: &Instance) {
        let mut random = self.shared.random.lock();
        let observer = self.shared.observer.lock();
        let waiting: Vec<&Arc<Task>> = observer
            .tasks()
            .values()
            .filter(|task| task.ready_at().is_some())
            .collect();
        let agents: Vec<&Arc<Agent>> = observer.agents().values().collect();
        let (Some(task), Some(agent)) = (random.pick(&waiting), random.pick(&agents)) else {
            return;
        };
        let at = task.updated_at;
        let signed = sign_lease(&KEY, task, &agent.id, &agent.session.id, at);
        let nonce = match self.shared.breaks(Mutation::BelieveLeases) {
            true => signed,
            false => signed ^ 1,
        };
        let grant = Grant {
            task_id: task.id.clone(),
            revision: task.revision,
            attempt: task.attempt + 1,
            nonce,
            agent_id: agent.id.clone(),
            session: agent.session.id.clone(),
            granted_at: at,
        };
        self.shared.trace(|| format!("somebody forges {grant:?}"));
        let now = self.shared.clock.elapsed_ms();
        instance.common.queue.lock().forge(&grant, now);
    }
}

fn away() -> Error {
    Error::Unavailable {
        reason: "the queue did not answer".to_owned(),
    }
}

#[async_trait]
impl Grants for SimStore {
    fn key(&self) -> &[u8; 32] {
        &KEY
    }

    async fn note(&self, _: &Namespace, grants: &[Grant]) -> Result<Vec<bool>> {
        self.interleave().await;
        let instance = self.instance.as_ref().ok_or_else(away)?;
        let unknown = self.ill(|faults| faults.unknown);
        // Half of those that are not answered never got there.
        if unknown && self.shared.random.lock().chance(50) {
            return Err(away());
        }
        let now = self.shared.clock.elapsed_ms();
        let operation = self.shared.current.lock().clone();
        let mut noted = Vec::with_capacity(grants.len());
        for grant in grants {
            let mut queue = instance.common.queue.lock();
            let granted = queue.grant(grant, now);
            noted.push(granted);
            if !granted {
                continue;
            }
            self.shared.trace(|| format!("the queue notes {grant:?}"));
            let of_session = queue.granted_to(&grant.agent_id, &grant.session);
            self.shared
                .observer
                .lock()
                .granted(grant, &of_session, operation.as_deref());
        }
        self.interleave().await;
        if unknown {
            return Err(away());
        }
        let mut given = instance.given.lock();
        for (grant, noted) in grants.iter().zip(&noted) {
            if *noted {
                given.insert(grant.task_id.clone(), (grant.clone(), now));
            }
        }
        Ok(noted)
    }

    async fn of_tasks(&self, _: &Namespace, tasks: &[(TaskId, u64)]) -> Vec<Option<Grant>> {
        self.interleave().await;
        let Some(instance) = &self.instance else {
            return vec![None; tasks.len()];
        };
        let away = self.ill(|faults| faults.unknown);
        let given = instance.given.lock();
        let queue = instance.common.queue.lock();
        tasks
            .iter()
            .map(|(id, revision)| {
                let own = given.get(id).map(|(grant, _)| grant);
                let own = own.filter(|grant| grant.revision == *revision);
                own.or_else(|| queue.grant_of(id).filter(|_| !away))
                    .cloned()
            })
            .collect()
    }

    async fn of_agent(&self, _: &Namespace, id: &AgentId) -> (Vec<Grant>, bool) {
        self.interleave().await;
        let Some(instance) = &self.instance else {
            return (Vec::new(), true);
        };
        let away = self.ill(|faults| faults.unknown);
        let mut grants = match away {
            true => Vec::new(),
            false => instance.common.queue.lock().granted_to_agent(id),
        };
        let given = instance.given.lock();
        let own = given.values().map(|(grant, _)| grant);
        for grant in own.filter(|grant| grant.agent_id == *id) {
            if !grants.iter().any(|known| known.task_id == grant.task_id) {
                grants.push(grant.clone());
            }
        }
        (grants, !away)
    }

    async fn ripe(&self, limit: usize) -> Vec<(Namespace, Grant)> {
        self.interleave().await;
        let Some(instance) = &self.instance else {
            return Vec::new();
        };
        let now = self.shared.clock.elapsed_ms();
        let given = instance.given.lock();
        let own = given.values().filter(|(_, at)| at + RIPE_MS <= now);
        let mut ripe: Vec<Grant> = own.map(|(grant, _)| grant.clone()).collect();
        let left = instance.common.queue.lock().granted_before(now, LEFT_MS);
        for grant in left {
            if !ripe.iter().any(|known| known.task_id == grant.task_id) {
                ripe.push(grant);
            }
        }
        ripe.truncate(limit);
        ripe.into_iter()
            .map(|grant| (Namespace::default_namespace(), grant))
            .collect()
    }

    async fn drop_void(&self, namespace: &Namespace, grants: &[Grant]) {
        self.interleave().await;
        let Some(instance) = &self.instance else {
            return;
        };
        for grant in grants {
            instance.given.lock().retain(|_, (known, _)| known != grant);
            let id = std::slice::from_ref(&grant.task_id);
            let document = at_once(self.inner.tasks(namespace, id)).unwrap_or_default();
            let mut queue = instance.common.queue.lock();
            if queue.drop_grant(grant)
                && let Some(document) = document.into_iter().next().flatten()
            {
                queue.learn(&document, self.is_open(&document));
            }
        }
    }
}
