//! A queue outside of the database, as a model: what might be ready, what is set aside, and what was given out without
//! a word in its document. It promises nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mcpanel_domain::{AgentId, SessionId, TaskId, task::Task};
use mcpanel_store::{Grant, Offer};

use crate::random::Random;

/// How long a task stays set aside for a claim that is not heard of again, in true milliseconds.
const RESERVED_MS: u64 = 5_000;

/// The queue.
#[derive(Default)]
pub struct Queue {
    /// Tasks that might be ready.
    entries: BTreeMap<TaskId, Entry>,
    /// Tasks that are set aside.
    reserved: BTreeMap<TaskId, Reservation>,
    /// Tasks that were given out though their documents do not say so, with when in true milliseconds.
    granted: BTreeMap<TaskId, (Grant, u64)>,
}

/// What the queue knows of a task, which may be out of date.
struct Entry {
    task: Arc<Task>,
}

struct Reservation {
    agent: AgentId,
    /// Of the document that was read then.
    revision: Option<u64>,
    until_ms: u64,
    entry: Entry,
}

impl Queue {
    /// Takes in a task as it was committed; `open` when nothing that it waits for is in the way.
    pub fn learn(&mut self, task: &Arc<Task>, open: bool) {
        if let Some((grant, _)) = self.granted.get(&task.id) {
            if grant.revision >= task.revision {
                return;
            }
            self.granted.remove(&task.id);
        }
        self.reserved.remove(&task.id);
        if open && task.ready_at().is_some() {
            let entry = Entry { task: task.clone() };
            self.entries.insert(task.id.clone(), entry);
        } else {
            self.entries.remove(&task.id);
        }
    }

    /// Compares with the document of a live task. What is set aside is left alone until its time is over.
    pub fn verify(&mut self, task: &Arc<Task>, open: bool, now_ms: u64) {
        let aside = self
            .reserved
            .get(&task.id)
            .is_some_and(|reserved| reserved.until_ms > now_ms);
        if !aside {
            self.learn(task, open);
        }
    }

    /// Forgets tasks that are not among these.
    pub fn forget_all_but(&mut self, live: &[Arc<Task>]) {
        self.entries
            .retain(|id, _| live.iter().any(|task| task.id == *id));
        self.granted
            .retain(|id, _| live.iter().any(|task| task.id == *id));
    }

    /// Sets tasks aside for an offer: as many as the session has slots, as far as is known.
    pub fn take(
        &mut self,
        offer: &Offer,
        held: &BTreeSet<TaskId>,
        now_ms: u64,
        random: &mut Random,
    ) -> Vec<TaskId> {
        let over: Vec<TaskId> = self
            .reserved
            .iter()
            .filter(|(_, reserved)| reserved.until_ms <= now_ms)
            .map(|(id, _)| id.clone())
            .collect();
        for id in over {
            self.drop_reservation(&id);
        }
        let aside = self
            .reserved
            .values()
            .filter(|reserved| reserved.agent == offer.agent_id)
            .count();
        let granted = self.granted_to(&offer.agent_id, &offer.session);
        let unheard = granted
            .iter()
            .filter(|grant| !held.contains(&grant.task_id))
            .count();
        let slots = offer.concurrency as usize;
        let room = slots
            .saturating_sub(held.len() + unheard + aside)
            .min(offer.max as usize);
        let mut candidates: Vec<TaskId> = self
            .entries
            .iter()
            .filter(|(_, entry)| suits(&entry.task, offer))
            .map(|(id, _)| id.clone())
            .collect();
        let mut taken = Vec::new();
        while taken.len() < room && !candidates.is_empty() {
            let id = candidates.swap_remove(random.below(candidates.len()));
            if let Some(entry) = self.entries.remove(&id) {
                let reservation = Reservation {
                    agent: offer.agent_id.clone(),
                    revision: None,
                    until_ms: now_ms + RESERVED_MS,
                    entry,
                };
                self.reserved.insert(id.clone(), reservation);
                taken.push(id);
            }
        }
        taken
    }

    /// Notes at which revision a task was read that is set aside.
    pub fn confirm(&mut self, task: &Arc<Task>) {
        if let Some(reserved) = self.reserved.get_mut(&task.id) {
            reserved.revision = Some(task.revision);
            reserved.entry.task = task.clone();
        }
    }

    /// Gives back what was set aside at this revision.
    pub fn give_back(&mut self, task: &Task) {
        let made_then = self
            .reserved
            .get(&task.id)
            .is_some_and(|reserved| reserved.revision == Some(task.revision));
        if made_then {
            self.drop_reservation(&task.id);
        }
    }

    /// Turns a reservation of the document as it was read into a grant, if it is still there.
    pub fn grant(&mut self, grant: &Grant, now_ms: u64) -> bool {
        let mine = self.reserved.get(&grant.task_id).is_some_and(|reserved| {
            reserved.agent == grant.agent_id
                && reserved.revision == Some(grant.revision)
                && reserved.until_ms > now_ms
        });
        if mine {
            self.reserved.remove(&grant.task_id);
            self.granted
                .insert(grant.task_id.clone(), (grant.clone(), now_ms));
        }
        mine
    }

    /// Believes that a task was given out that was not, unless it knows better.
    pub fn forge(&mut self, grant: &Grant, now_ms: u64) {
        let known = self.granted.entry(grant.task_id.clone());
        known.or_insert_with(|| (grant.clone(), now_ms));
    }

    /// The grant of a task.
    pub fn grant_of(&self, id: &TaskId) -> Option<&Grant> {
        self.granted.get(id).map(|(grant, _)| grant)
    }

    /// The grants of a session.
    pub fn granted_to(&self, agent: &AgentId, session: &SessionId) -> Vec<Grant> {
        let mut grants = self.granted_to_agent(agent);
        grants.retain(|grant| grant.session == *session);
        grants
    }

    /// The grants of an agent.
    pub fn granted_to_agent(&self, agent: &AgentId) -> Vec<Grant> {
        let grants = self.granted.values().map(|(grant, _)| grant);
        grants
            .filter(|grant| grant.agent_id == *agent)
            .cloned()
            .collect()
    }

    /// Grants of at least this age.
    pub fn granted_before(&self, now_ms: u64, age_ms: u64) -> Vec<Grant> {
        let old = self
            .granted
            .values()
            .filter(|(_, at)| at + age_ms <= now_ms);
        old.map(|(grant, _)| grant.clone()).collect()
    }

    /// Drops a grant; tells whether it was there.
    pub fn drop_grant(&mut self, grant: &Grant) -> bool {
        let there = self.grant_of(&grant.task_id) == Some(grant);
        if there {
            self.granted.remove(&grant.task_id);
        }
        there
    }

    /// Ends a reservation: the task might be ready again.
    pub fn drop_reservation(&mut self, id: &TaskId) {
        if let Some(reserved) = self.reserved.remove(id) {
            self.entries.entry(id.clone()).or_insert(reserved.entry);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.reserved.clear();
        self.granted.clear();
    }

    /// Forgets a task.
    pub fn lose_entry(&mut self, random: &mut Random) {
        let known: Vec<TaskId> = self.entries.keys().cloned().collect();
        if let Some(id) = random.pick(&known) {
            self.entries.remove(id);
        }
    }

    /// Forgets that a task is set aside: it is offered to somebody else, too.
    pub fn lose_reservation(&mut self, random: &mut Random) {
        let known: Vec<TaskId> = self.reserved.keys().cloned().collect();
        if let Some(id) = random.pick(&known) {
            self.drop_reservation(id);
        }
    }

    /// Forgets that a task was given out: whoever compares finds it waiting.
    pub fn lose_grant(&mut self, random: &mut Random) {
        let known: Vec<TaskId> = self.granted.keys().cloned().collect();
        if let Some(id) = random.pick(&known) {
            self.granted.remove(id);
        }
    }

    /// Believes that a task might be ready, whatever it is.
    pub fn invent(&mut self, task: &Arc<Task>) {
        let entry = Entry { task: task.clone() };
        self.entries.insert(task.id.clone(), entry);
    }
}

fn suits(task: &Task, offer: &Offer) -> bool {
    task.target
        .as_ref()
        .is_none_or(|target| *target == offer.agent_id)
        && task
            .capabilities
            .iter()
            .all(|needed| offer.capabilities.contains(needed))
}
