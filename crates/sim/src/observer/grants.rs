//! What must hold of assignments that come into their documents late.

use std::sync::Arc;

use mcpanel_domain::{
    TaskId,
    limits::LEASE_TTL_MS,
    task::{self, Command, Proof, Task},
};
use mcpanel_store::Grant;

use super::{Observer, Promise, tell};
use crate::shared::Operation;

impl Observer {
    /// A task was given out, and its document does not say so. `of_session` are the grants of the same session that
    /// are remembered, this one among them.
    pub fn granted(&mut self, grant: &Grant, of_session: &[Grant], operation: Option<&Operation>) {
        let key = (grant.task_id.clone(), grant.attempt, grant.nonce);
        self.granted.insert(key, grant.clone());
        if let Some(task) = self.tasks.get(&grant.task_id).cloned()
            && grant.holds(&task)
        {
            self.check_dependencies(&task);
        }
        // Those that count: written ones are counted with the documents, and forged ones are nobody's.
        let unwritten = of_session
            .iter()
            .filter(|each| self.waits_since(each) && self.was_given(each))
            .count();
        let written = operation.map_or(0, |operation| *operation.least_held.lock());
        let slots = self
            .agents
            .get(&grant.agent_id)
            .filter(|agent| agent.session.id == grant.session)
            .map(|agent| agent.concurrency as usize);
        self.expect(
            Promise::SlotsNeverLeak,
            slots.is_none_or(|slots| written + unwritten <= slots),
            || {
                format!(
                    "agent `{}` is given {unwritten} beside {written} of {slots:?}",
                    grant.agent_id
                )
            },
        );
    }

    /// Whether a server gave it, and nobody made it up.
    fn was_given(&self, grant: &Grant) -> bool {
        let key = (grant.task_id.clone(), grant.attempt, grant.nonce);
        self.granted.get(&key) == Some(grant)
    }

    /// Whether the document is as it was when the grant was given.
    fn waits_since(&self, grant: &Grant) -> bool {
        self.tasks
            .get(&grant.task_id)
            .is_some_and(|task| grant.holds(task))
    }

    /// Whether a lease was given on the document as it is.
    pub(super) fn is_granted(&self, id: &TaskId, proof: Proof) -> bool {
        let known = self.granted.get(&(id.clone(), proof.attempt, proof.nonce));
        known.is_some_and(|grant| self.waits_since(grant))
    }

    /// The assignment that is part of a change: the document between the one before and the one written, at the
    /// revision of the former when more happened in the same commit.
    pub(super) fn assignment_within(&self, old: &Task, new: &Arc<Task>) -> Option<Arc<Task>> {
        let attempt = new
            .attempts
            .last()
            .filter(|attempt| attempt.number == new.attempt)?;
        // A clock that is far behind brings the times of an attempt back; the grant tells when it was given.
        let key = (new.id.clone(), attempt.number, attempt.nonce);
        let given = self.granted.get(&key);
        let at = given.map_or(attempt.assigned_at, |grant| grant.granted_at);
        let command = Command::Assign {
            agent_id: attempt.agent_id.clone(),
            session: attempt.session.clone(),
            nonce: attempt.nonce,
            lease_ttl_ms: LEASE_TTL_MS,
        };
        let decision = task::decide(old, command, at).ok()?;
        let mut between = decision.task?;
        if between == **new {
            return Some(new.clone());
        }
        between.revision = old.revision;
        Some(Arc::new(between))
    }

    /// An assignment that is written late was given before, on the same document, to the same session.
    pub(super) fn check_late(&mut self, old: &Task, assigned: &Task, alone: bool) -> bool {
        let Some(lease) = assigned.lease() else {
            return false;
        };
        let key = (assigned.id.clone(), lease.attempt, lease.nonce);
        let Some(grant) = self.granted.get(&key) else {
            self.expect(Promise::StaleLeaseChangesNothing, alone, || {
                format!("{} was never given so", tell::task(assigned))
            });
            return false;
        };
        let same = grant.holds(old)
            && grant.agent_id == lease.agent_id
            && grant.session == lease.session
            && grant.granted_at == lease.granted_at;
        let detail = format!("{grant:?} became {}", tell::task(assigned));
        self.expect(Promise::StaleLeaseChangesNothing, same, || detail);
        true
    }
}
