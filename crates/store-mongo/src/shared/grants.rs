//! What an instance knows of assignments that their documents do not say yet.
//!
//! The queue in Redis holds them for everybody ([`crate::queue`]); the instance that gave one also remembers it
//! until it was written, so that it is written in time also when Redis forgets or is away.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use mcpanel_domain::{AgentId, Namespace, SessionId, TaskId, event::Numbered, task::Task};
use mcpanel_store::{Error, Grant, Grants, Key, Result};
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::time::Instant;

use super::Shared;
use crate::{Away, Change, Projection};

/// How old a grant gets before it is written, in milliseconds. What is done sooner costs one write less; what takes
/// longer is worth it.
const RIPE_MS: u64 = 1_000;

/// Grants of one instance that wait to be written: seconds of what a MongoDB takes. While there are more, claims write
/// what they give out.
const GIVEN_MAX: usize = 50_000;

/// The grants of one instance, and its way to those of the others. Without Redis it remembers none, and knows the key
/// that proves those of instances that have it.
pub(crate) struct Ledger {
    shared: Option<Arc<Shared>>,
    key: [u8; 32],
    given: Mutex<FxHashMap<Key<TaskId>, (Grant, Instant)>>,
}

impl Shared {
    /// Grants that another instance should have had written by now.
    pub(super) fn left_behind(&self, namespace: &Namespace, grants: Vec<Grant>) {
        let mut left = self.left.lock();
        for grant in grants {
            left.insert((namespace.clone(), grant.task_id.clone()), grant);
        }
    }

    /// They need not be told any more.
    fn forget_left(&self, key: &Key<TaskId>, is_over: impl FnOnce(&Grant) -> bool) {
        let mut left = self.left.lock();
        if left.get(key).is_some_and(is_over) {
            left.remove(key);
        }
    }
}

impl Ledger {
    pub(crate) fn new(shared: Option<Arc<Shared>>, key: [u8; 32]) -> Self {
        Self {
            shared,
            key,
            given: Mutex::default(),
        }
    }

    /// Whether this instance gave out the task as the document says it, and nothing was written since.
    pub(crate) fn has_given(&self, document: &Task) -> bool {
        let key = (document.namespace.clone(), document.id.clone());
        let given = self.given.lock();
        given
            .get(&key)
            .is_some_and(|(grant, _)| grant.holds(document))
    }

    /// Whether this instance gave out the task and does not know that anything was written since.
    pub(crate) fn may_have_given(&self, namespace: &Namespace, id: &TaskId) -> bool {
        let key = (namespace.clone(), id.clone());
        self.given.lock().contains_key(&key)
    }

    /// How many tasks were given to a session by this instance and are not written.
    pub(crate) fn given_to(&self, namespace: &Namespace, session: &SessionId) -> u32 {
        let given = self.given.lock();
        let of_session = |(key, (grant, _)): &(&Key<TaskId>, &(Grant, Instant))| {
            key.0 == *namespace && grant.session == *session
        };
        u32::try_from(given.iter().filter(of_session).count()).unwrap_or(u32::MAX)
    }
}

#[async_trait]
impl Grants for Ledger {
    fn key(&self) -> &[u8; 32] {
        &self.key
    }

    async fn note(&self, namespace: &Namespace, grants: &[Grant]) -> Result<Vec<bool>> {
        if self.given.lock().len() >= GIVEN_MAX {
            return Err(Error::Overloaded {
                what: format!("{GIVEN_MAX} assignments wait to be written"),
            });
        }
        let shared = self.shared.as_ref().ok_or_else(unknown)?;
        let Ok(noted) = shared.queue.grant(namespace, grants).await else {
            shared.note_disturbance();
            return Err(unknown());
        };
        let now = Instant::now();
        let mut given = self.given.lock();
        for (grant, noted) in grants.iter().zip(&noted) {
            if *noted {
                let key = (namespace.clone(), grant.task_id.clone());
                given.insert(key, (grant.clone(), now));
            }
        }
        Ok(noted)
    }

    async fn of_tasks(&self, namespace: &Namespace, tasks: &[(TaskId, u64)]) -> Vec<Option<Grant>> {
        let mut found: FxHashMap<TaskId, Grant> = {
            let given = self.given.lock();
            // Of another revision, it is what another instance wrote and gave out since that counts.
            let of = |(id, revision): &(TaskId, u64)| {
                let (grant, _) = given.get(&(namespace.clone(), id.clone()))?;
                (grant.revision == *revision).then(|| (id.clone(), grant.clone()))
            };
            tasks.iter().filter_map(of).collect()
        };
        let ids = || tasks.iter().map(|(id, _)| id);
        let elsewhere: Vec<&TaskId> = ids().filter(|id| !found.contains_key(*id)).collect();
        // Away, none is known: a task may be given out again then, and the documents tell who is first.
        if let Some(shared) = self.shared.as_ref().filter(|_| !elsewhere.is_empty())
            && let Ok(known) = shared.queue.grants_of_tasks(namespace, &elsewhere).await
        {
            found.extend(
                known
                    .into_iter()
                    .map(|grant| (grant.task_id.clone(), grant)),
            );
        }
        ids().map(|id| found.remove(id)).collect()
    }

    async fn of_agent(&self, namespace: &Namespace, id: &AgentId) -> (Vec<Grant>, bool) {
        let Some(shared) = &self.shared else {
            return (Vec::new(), true);
        };
        let (mut grants, all) = match shared.queue.grants_of_agent(namespace, id).await {
            Ok((grants, all)) => (grants, all && shared.is_steady()),
            Err(Away) => {
                shared.note_disturbance();
                (Vec::new(), false)
            }
        };
        let known: FxHashSet<TaskId> = grants.iter().map(|grant| grant.task_id.clone()).collect();
        let given = self.given.lock();
        let forgotten = given.iter().filter(|((of, task_id), (grant, _))| {
            grant.agent_id == *id && of == namespace && !known.contains(task_id)
        });
        grants.extend(forgotten.map(|(_, (grant, _))| grant.clone()));
        (grants, all)
    }

    async fn ripe(&self, limit: usize) -> Vec<(Namespace, Grant)> {
        let Some(shared) = &self.shared else {
            return Vec::new();
        };
        let told = |(namespace, _): &Key<TaskId>, grant: &Grant| (namespace.clone(), grant.clone());
        let given = self.given.lock();
        let (age, now) = (Duration::from_millis(RIPE_MS), shared.now());
        // By both clocks: this machine's may stand where leases are counted by another.
        let is_ripe = |grant: &Grant, at: &Instant| {
            at.elapsed() >= age || now.ms_since(grant.granted_at) >= RIPE_MS
        };
        let old = given.iter().filter(|(_, (grant, at))| is_ripe(grant, at));
        let mut ripe: Vec<(Namespace, Grant)> = old
            .take(limit)
            .map(|(key, (grant, _))| told(key, grant))
            .collect();
        // However many there are of either, the others get half.
        let room = limit.saturating_sub(ripe.len()).max(limit / 2);
        let left = shared.left.lock();
        let left = left.iter().filter(|(key, _)| !given.contains_key(*key));
        let left: Vec<(Namespace, Grant)> = left
            .take(room)
            .map(|(key, grant)| told(key, grant))
            .collect();
        ripe.truncate(limit - left.len());
        ripe.extend(left);
        ripe
    }

    async fn drop_void(&self, namespace: &Namespace, grants: &[Grant]) {
        {
            let mut given = self.given.lock();
            for grant in grants {
                let key = (namespace.clone(), grant.task_id.clone());
                if given.get(&key).is_some_and(|(known, _)| known == grant) {
                    given.remove(&key);
                }
            }
        }
        let Some(shared) = &self.shared else { return };
        for grant in grants {
            let key = (namespace.clone(), grant.task_id.clone());
            shared.forget_left(&key, |known| known == grant);
        }
        // Away, whoever finds them again drops them.
        let now = shared.now();
        let _ = shared.queue.drop_grants(namespace, grants, now).await;
        let ids = grants.iter().map(|grant| &grant.task_id);
        shared.owe(namespace, ids);
        shared.nudge.notify_one();
    }
}

#[async_trait]
impl Projection for Ledger {
    /// What was written needs no memory.
    async fn apply(&self, changes: &[Change]) {
        let Some(shared) = &self.shared else { return };
        let mut given = self.given.lock();
        if given.is_empty() && shared.left.lock().is_empty() {
            return;
        }
        for change in changes {
            let Change::Task { new, .. } = change else {
                continue;
            };
            let key = (new.namespace.clone(), new.id.clone());
            if given
                .get(&key)
                .is_some_and(|(grant, _)| grant.revision < new.revision)
            {
                given.remove(&key);
            }
            shared.forget_left(&key, |grant| grant.revision < new.revision);
        }
    }

    async fn publish(&self, _: &[Arc<Numbered>]) {}
}

fn unknown() -> Error {
    Error::Unavailable {
        reason: "no queue in Redis can be used now".to_owned(),
    }
}
