//! Who holds what: live leases by agent, and tasks set aside by claims that have not committed.
//! Slots in use are counted from these, so that no counter can leak.

use std::{collections::BTreeMap, sync::Arc};

use mcpanel_domain::{AgentId, Namespace, SessionId, TaskId, agent::Agent, task::Task};
use rustc_hash::FxHashMap;

use crate::{Held, Key, Offer};

/// Leases and reservations.
#[derive(Default)]
pub(super) struct Slots {
    leases: FxHashMap<Key<AgentId>, Leases>,
    /// Task → its revision when it was set aside, and for whom.
    reserved: FxHashMap<Key<TaskId>, (u64, AgentId)>,
    reserved_by: FxHashMap<Key<AgentId>, u32>,
}

#[derive(Default)]
struct Leases {
    held: FxHashMap<TaskId, Held>,
    /// How many each session holds; hardly ever more than two.
    by_session: Vec<(SessionId, u32)>,
}

impl Slots {
    /// How many more tasks an offer's session may take.
    pub(super) fn room(&self, offer: &Offer) -> u32 {
        let agent = (offer.namespace.clone(), offer.agent_id.clone());
        let held = self.leases.get(&agent).map_or(0, |leases| {
            leases
                .by_session
                .iter()
                .find(|(session, _)| *session == offer.session)
                .map_or(0, |(_, count)| *count)
        });
        let aside = self.reserved_by.get(&agent).copied().unwrap_or(0);
        offer.concurrency.saturating_sub(held.saturating_add(aside))
    }

    /// Takes in the lease of a task, if it has one.
    pub(super) fn hold(&mut self, task: &Task) {
        let Some(lease) = task.lease() else { return };
        let leases = self
            .leases
            .entry((task.namespace.clone(), lease.agent_id.clone()))
            .or_default();
        match leases
            .by_session
            .iter_mut()
            .find(|(session, _)| *session == lease.session)
        {
            Some((_, count)) => *count += 1,
            None => leases.by_session.push((lease.session.clone(), 1)),
        }
        let held = Held {
            task_id: task.id.clone(),
            attempt: lease.attempt,
            session: lease.session.clone(),
        };
        leases.held.insert(task.id.clone(), held);
    }

    /// Forgets the lease that a task had.
    pub(super) fn drop_lease(&mut self, old: &Task) {
        let Some(lease) = old.lease() else { return };
        let key = (old.namespace.clone(), lease.agent_id.clone());
        let Some(leases) = self.leases.get_mut(&key) else {
            return;
        };
        if leases.held.remove(&old.id).is_none() {
            return;
        }
        if let Some(at) = leases
            .by_session
            .iter()
            .position(|(session, _)| *session == lease.session)
        {
            leases.by_session[at].1 -= 1;
            if leases.by_session[at].1 == 0 {
                leases.by_session.swap_remove(at);
            }
        }
        if leases.held.is_empty() {
            self.leases.remove(&key);
        }
    }

    /// The live leases of an agent, by task.
    pub(super) fn of_agent(&self, namespace: &Namespace, id: &AgentId) -> Vec<Held> {
        let mut held: Vec<Held> = self
            .leases
            .get(&(namespace.clone(), id.clone()))
            .map(|leases| leases.held.values().cloned().collect())
            .unwrap_or_default();
        held.sort_by(|a, b| a.task_id.cmp(&b.task_id));
        held
    }

    /// The tasks of a namespace that somebody holds.
    pub(super) fn held_tasks<'a>(
        &'a self,
        namespace: &'a Namespace,
    ) -> impl Iterator<Item = Key<TaskId>> + 'a {
        self.leases
            .iter()
            .filter(move |((of, _), _)| of == namespace)
            .flat_map(|((of, _), leases)| {
                let ids = leases.held.keys();
                ids.map(move |id| (of.clone(), id.clone()))
            })
    }

    /// Leases whose session is not the present session of a registered agent.
    pub(super) fn orphans(
        &self,
        agents: &BTreeMap<Key<AgentId>, Arc<Agent>>,
        limit: usize,
    ) -> Vec<(Namespace, Held)> {
        let mut orphans = Vec::new();
        for (key, leases) in &self.leases {
            let present = agents.get(key).map(|agent| &agent.session.id);
            if leases
                .by_session
                .iter()
                .all(|(session, _)| Some(session) == present)
            {
                continue;
            }
            orphans.extend(
                leases
                    .held
                    .values()
                    .filter(|held| Some(&held.session) != present)
                    .map(|held| (key.0.clone(), held.clone())),
            );
        }
        orphans.sort_by(|a, b| (&a.0, &a.1.task_id).cmp(&(&b.0, &b.1.task_id)));
        orphans.truncate(limit);
        orphans
    }

    /// Sets a task aside.
    pub(super) fn reserve(&mut self, key: Key<TaskId>, revision: u64, agent: &AgentId) {
        let of = (key.0.clone(), agent.clone());
        self.reserved.insert(key, (revision, agent.clone()));
        *self.reserved_by.entry(of).or_insert(0) += 1;
    }

    /// Whether a task is set aside.
    pub(super) fn is_reserved(&self, key: &Key<TaskId>) -> bool {
        self.reserved.contains_key(key)
    }

    /// Ends a reservation, whatever it was made for: the task changed.
    pub(super) fn clear(&mut self, key: &Key<TaskId>) {
        if self.reserved.is_empty() {
            return;
        }
        if let Some((_, agent)) = self.reserved.remove(key) {
            self.forget(key, agent);
        }
    }

    /// Ends the reservation that was made at this revision; tells whether there was one. A later
    /// claim's reservation of the changed task is left alone.
    pub(super) fn give_back(&mut self, key: &Key<TaskId>, revision: u64) -> bool {
        match self.reserved.get(key) {
            Some((at, _)) if *at == revision => {}
            _ => return false,
        }
        if let Some((_, agent)) = self.reserved.remove(key) {
            self.forget(key, agent);
        }
        true
    }

    fn forget(&mut self, key: &Key<TaskId>, agent: AgentId) {
        let of = (key.0.clone(), agent);
        if let Some(count) = self.reserved_by.get_mut(&of) {
            *count -= 1;
            if *count == 0 {
                self.reserved_by.remove(&of);
            }
        }
    }
}
