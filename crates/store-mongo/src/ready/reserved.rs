//! Tasks set aside by claims of this instance that have not committed.

use std::time::{Duration, Instant};

use mcpanel_domain::{AgentId, Namespace, TaskId};
use mcpanel_store::Key;
use rustc_hash::FxHashMap;

/// How long a task stays set aside when nobody gives it back or assigns it: a claim that takes longer
/// between choosing and committing has failed.
const KEPT: Duration = Duration::from_secs(30);

/// Reservations.
#[derive(Default)]
pub(super) struct Reserved(FxHashMap<Key<TaskId>, Reservation>);

struct Reservation {
    agent: AgentId,
    /// The task's revision, once it was read.
    revision: Option<u64>,
    since: Instant,
}

impl Reserved {
    pub(super) fn add(&mut self, namespace: &Namespace, id: &TaskId, agent: &AgentId) {
        self.0.insert(
            (namespace.clone(), id.clone()),
            Reservation {
                agent: agent.clone(),
                revision: None,
                since: Instant::now(),
            },
        );
    }

    pub(super) fn confirm(&mut self, namespace: &Namespace, id: &TaskId, revision: u64) {
        if let Some(reservation) = self.0.get_mut(&(namespace.clone(), id.clone())) {
            reservation.revision = Some(revision);
        }
    }

    /// Ends the reservation that was made at this revision; tells whether there was one.
    pub(super) fn give_back(&mut self, namespace: &Namespace, id: &TaskId, revision: u64) -> bool {
        let key = (namespace.clone(), id.clone());
        let made_then = self
            .0
            .get(&key)
            .is_some_and(|reservation| reservation.revision == Some(revision));
        if made_then {
            self.0.remove(&key);
        }
        made_then
    }

    pub(super) fn remove(&mut self, namespace: &Namespace, id: &TaskId) {
        if !self.0.is_empty() {
            self.0.remove(&(namespace.clone(), id.clone()));
        }
    }

    pub(super) fn has(&mut self, namespace: &Namespace, id: &TaskId) -> bool {
        let key = (namespace.clone(), id.clone());
        let kept = self
            .0
            .get(&key)
            .map(|reservation| reservation.since.elapsed() < KEPT);
        if kept == Some(false) {
            self.0.remove(&key);
        }
        kept == Some(true)
    }

    pub(super) fn of_agent(&self, namespace: &Namespace, agent: &AgentId) -> u32 {
        let own = self.0.iter().filter(|((of, _), reservation)| {
            of == namespace && reservation.agent == *agent && reservation.since.elapsed() < KEPT
        });
        u32::try_from(own.count()).unwrap_or(u32::MAX)
    }

    pub(super) fn of_namespace(&self, namespace: &Namespace) -> u64 {
        let own = self
            .0
            .iter()
            .filter(|((of, _), reservation)| of == namespace && reservation.since.elapsed() < KEPT);
        u64::try_from(own.count()).unwrap_or(u64::MAX)
    }
}
