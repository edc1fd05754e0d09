//! What is due, as the documents say, told to every server that asks.

use mcpanel_domain::{Namespace, Timestamp};
use mcpanel_store::{Due, Store};

use super::{SimStore, distributed::Instance};
use crate::executor::at_once;

/// True milliseconds for which a server does not look again at a document that it was told is due.
const HOLD_MS: u64 = 500;

impl SimStore {
    /// See [`Store::due`]: what documents say, told to everybody who asks.
    pub(super) fn due_shared(&self, instance: &Instance, now: Timestamp, limit: usize) -> Vec<Due> {
        self.verify(instance);
        let elapsed = self.shared.clock.elapsed_ms();
        let mut told = instance.told.lock();
        told.retain(|_, until| *until > elapsed);
        let due: Vec<Due> = self
            .timers()
            .into_iter()
            .filter(|(at, due)| *at <= now && !told.contains_key(due))
            .map(|(_, due)| due)
            .take(limit)
            .collect();
        for each in &due {
            told.insert(each.clone(), elapsed + HOLD_MS);
        }
        due
    }

    /// See [`Store::rearm`]: a newer timer, one that lies ahead, is left alone.
    pub(super) fn rearm_shared(&self, instance: &Instance, due: &Due, at: Timestamp) {
        let now = self.now_of(instance);
        let present = self.timers().into_iter().find(|(_, each)| each == due);
        let Some(revision) = self.revision(due) else {
            return;
        };
        if present.is_none_or(|(present, _)| present <= now || at < present) {
            instance
                .common
                .rearmed
                .lock()
                .insert(due.clone(), (revision, at));
        }
    }

    fn now_of(&self, instance: &Instance) -> Timestamp {
        self.shared.clock.time_of(instance.number)
    }

    fn revision(&self, due: &Due) -> Option<u64> {
        match due {
            Due::Task(namespace, id) => {
                let found = at_once(self.inner.tasks(namespace, std::slice::from_ref(id)));
                found.ok()?.pop().flatten().map(|task| task.revision)
            }
            Due::Agent(namespace, id) => {
                let found = at_once(self.inner.agent(namespace, id));
                found.ok().flatten().map(|agent| agent.revision)
            }
        }
    }

    /// Every timer, earliest first.
    fn timers(&self) -> Vec<(Timestamp, Due)> {
        let namespace = Namespace::default_namespace();
        let tasks = self.live(&namespace).into_iter().filter_map(|task| {
            let at = task.next_due(Timestamp::ZERO)?;
            Some((
                at,
                task.revision,
                Due::Task(namespace.clone(), task.id.clone()),
            ))
        });
        let agents = at_once(self.inner.agents(&namespace)).unwrap_or_default();
        let agents = agents.into_iter().filter_map(|agent| {
            let at = agent.next_due()?;
            Some((
                at,
                agent.revision,
                Due::Agent(namespace.clone(), agent.id.clone()),
            ))
        });
        let rearmed = self.instance.as_ref().map(|own| own.common.rearmed.lock());
        let mut timers: Vec<(Timestamp, Due)> = tasks
            .chain(agents)
            .map(|(at, revision, due)| {
                let later = rearmed.as_ref().and_then(|all| all.get(&due));
                match later {
                    Some((of, later)) if *of == revision => (*later, due),
                    _ => (at, due),
                }
            })
            .collect();
        timers.sort();
        timers
    }
}
