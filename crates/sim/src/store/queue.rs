//! A queue outside of the database, as a model: what might be ready, and what is set aside. It promises nothing.

use std::{collections::BTreeMap, sync::Arc};

use mcpanel_domain::{AgentId, TaskId, task::Task};
use mcpanel_store::Offer;

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
    }

    /// Sets tasks aside for an offer: as many as the session has slots, as far as is known.
    pub fn take(
        &mut self,
        offer: &Offer,
        held: usize,
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
        let slots = offer.concurrency as usize;
        let room = slots.saturating_sub(held + aside).min(offer.max as usize);
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
