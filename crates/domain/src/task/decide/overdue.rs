//! What time does: leases, deadlines, timeouts and graces end.

use super::{Decision, draft::Draft};
use crate::{
    SessionId, Timestamp,
    limits::{CANCEL_GRACE_MS, DELIVERY_GRACE_MS},
    retry::ErrorType,
    task::{Outcome, State, Task, TaskError, command::LeaseLoss},
};

/// Deliveries in a row that no agent began, after which the task fails: so that one that
/// kills every agent at sight does not go round for ever. Larger than any usual hiccup.
pub const UNSTARTED_DELIVERIES_MAX: u32 = 10;

pub(super) fn lose_lease(
    task: &Task,
    session: &SessionId,
    attempt: u32,
    cause: LeaseLoss,
    now: Timestamp,
) -> Decision {
    let Some(lease) = task.lease() else {
        return Decision::unchanged();
    };
    // An answer under way may still reach the agent that does not name the task yet.
    let fresh =
        cause == LeaseLoss::Undelivered && now.ms_since(lease.granted_at) < DELIVERY_GRACE_MS;
    if lease.attempt != attempt || lease.session != *session || fresh {
        return Decision::unchanged();
    }
    let mut draft = Draft::new(task, now);
    draft.lose(cause.as_str(), now);
    draft.done()
}

pub(super) fn tick(task: &Task, alive_until: Timestamp, now: Timestamp) -> Decision {
    if task.updated_at > now && !task.status().is_terminal() {
        return Draft::new(task, now).done();
    }
    if task.next_due(alive_until).is_none_or(|due| due > now) {
        return Decision::unchanged();
    }
    let mut draft = Draft::new(task, now);
    if task.deadline.is_some_and(|deadline| deadline <= now) {
        let error = TaskError::new(ErrorType::Timeout, "the deadline passed");
        draft.end_attempt(Outcome::TimedOut, Some(error.clone()), now);
        draft.fail(error, now);
        return draft.done();
    }
    let Some(lease) = task.lease() else {
        return Decision::unchanged();
    };
    let cancel_overdue = task
        .cancel_requested
        .as_ref()
        .is_some_and(|request| request.at.plus_ms(CANCEL_GRACE_MS) <= now);
    if lease.expires_at.max(alive_until) <= now {
        draft.lose(
            "the agent was not heard for as long as its lease lasts",
            now,
        );
    } else if cancel_overdue {
        draft.end_attempt(Outcome::Cancelled, None, now);
        draft.cancel(now);
    } else {
        let error = TaskError::new(
            ErrorType::Timeout,
            format!(
                "the attempt took longer than {} ms",
                task.timeout_ms.unwrap_or(0)
            ),
        );
        draft.end_attempt(Outcome::TimedOut, Some(error.clone()), now);
        if draft.task.cancel_requested.is_some() {
            draft.cancel(now);
            return draft.done();
        }
        // No randomness needed: attempts that time out began at different moments.
        draft.fail_or_retry(error, u64::MAX, now);
    }
    draft.done()
}

impl Draft {
    /// The lease ended without its holder's doing. A started attempt uses up a retry, whatever the
    /// error classes of the policy: the work may have happened. One that never began does not.
    fn lose(&mut self, why: &str, now: Timestamp) {
        let error = TaskError::new(ErrorType::Timeout, format!("lease lost: {why}"));
        let began = matches!(self.task.state, State::Running(_));
        self.end_attempt(Outcome::LeaseLost, Some(error.clone()), now);
        if self.task.cancel_requested.is_some() {
            self.cancel(now);
        } else if !began {
            self.task.unstarted += 1;
            if self.task.unstarted > UNSTARTED_DELIVERIES_MAX {
                self.fail(error, now);
            } else {
                self.give_back(Some(why.to_owned()), now);
            }
        } else if self.task.retry_count < self.task.retry.max_retries {
            self.retry_at(now, error);
        } else {
            self.fail(error, now);
        }
    }
}
