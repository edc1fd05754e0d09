//! Work in hand: it is assigned, begun and completed by whoever holds its lease.

use super::{
    Decision,
    draft::{Draft, event},
    invalid,
};
use crate::{
    AgentId, Rejection, SessionId, Timestamp,
    event::Kind,
    limits::ATTEMPTS_KEPT,
    task::{Attempt, Lease, Outcome, Proof, State, Status, Task, command::Held},
};

pub(super) fn assign(
    task: &Task,
    agent_id: AgentId,
    session: SessionId,
    nonce: u128,
    lease_ttl_ms: u64,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    let ready = task.ready_at().is_some_and(|at| at <= now);
    if !ready || task.deadline.is_some_and(|deadline| deadline <= now) {
        return Err(invalid("an assignment", task, ""));
    }
    let mut draft = Draft::new(task, now);
    let attempt = task.attempt + 1;
    draft.task.attempt = attempt;
    if draft.task.attempts.len() >= ATTEMPTS_KEPT {
        draft.task.attempts.remove(0);
    }
    draft.task.attempts.push(Attempt {
        number: attempt,
        nonce,
        agent_id: agent_id.clone(),
        session: session.clone(),
        assigned_at: now,
        started_at: None,
        ended_at: None,
        outcome: None,
        error: None,
    });
    draft.task.state = State::Assigned(Lease {
        attempt,
        nonce,
        agent_id,
        session,
        granted_at: now,
        expires_at: now.plus_ms(lease_ttl_ms),
        started_at: None,
    });
    let delegated = event(&draft.task, Kind::TaskDelegated, now, None);
    draft.events.push(delegated.with_deadline(task.deadline));
    Ok(draft.done())
}

pub(super) fn start(task: &Task, held: Held, now: Timestamp) -> Result<Decision, Rejection> {
    let mut draft = Draft::of_holder(task, held, now)?;
    match task.state {
        // Said twice, because the first answer got lost.
        State::Running(_) => Ok(Decision::unchanged()),
        _ => {
            draft.begin(now);
            draft.record(Kind::TaskStarted);
            Ok(draft.done())
        }
    }
}

pub(super) fn complete(task: &Task, held: Held, now: Timestamp) -> Result<Decision, Rejection> {
    if task.status() == Status::Completed && is_last_attempt(task, held.proof) {
        // The winner repeats itself, because the first answer got lost.
        return Ok(Decision::unchanged());
    }
    let mut draft = Draft::of_holder(task, held, now)?;
    draft.end_attempt(Outcome::Completed, None, now);
    draft.task.state = State::Completed;
    draft.task.completed_at = Some(now);
    draft.task.started_at.get_or_insert(now);
    draft.task.progress.percent = 100.0;
    draft.task.error = None;
    draft.record(Kind::TaskCompleted);
    draft.advance_pipeline();
    Ok(draft.done())
}

fn is_last_attempt(task: &Task, proof: Proof) -> bool {
    task.attempts
        .last()
        .is_some_and(|last| last.number == proof.attempt && last.nonce == proof.nonce)
}

impl Draft {
    /// A draft for a caller that holds the task; refuses everybody else.
    pub(super) fn of_holder(task: &Task, held: Held, now: Timestamp) -> Result<Self, Rejection> {
        let lease = task.lease().ok_or(Rejection::StaleLease {
            why: match task.status() {
                Status::Completed => "the task is completed",
                Status::Failed => "the task has failed",
                Status::Cancelled => "the task was cancelled",
                Status::Pending | Status::Retry | Status::Assigned | Status::Running => {
                    "the task waits for its next attempt"
                }
            },
        })?;
        if lease.proof() != held.proof {
            return Err(Rejection::StaleLease {
                why: "another attempt holds it, or the token is wrong",
            });
        }
        let expired_at = lease.expires_at.max(held.alive_until);
        if expired_at <= now {
            return Err(Rejection::LeaseExpired { expired_at });
        }
        Ok(Self::new(task, now))
    }
}
