//! What operators and other tasks ask for: to stop, to run again, to go elsewhere.

use super::{
    Decision,
    draft::{Draft, cancel_error},
    invalid, require_waiting,
};
use crate::{
    AgentId, Rejection, TaskId, Timestamp,
    event::Kind,
    retry::ErrorType,
    task::{CancelRequest, Progress, State, Task, TaskError},
};

pub(super) fn cancel(
    task: &Task,
    by: String,
    reason: Option<String>,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    match &task.state {
        State::Cancelled => Ok(Decision::unchanged()),
        State::Completed | State::Failed => Err(invalid("a cancellation", task, "; it has ended")),
        State::Pending | State::Retry { .. } => {
            let mut draft = Draft::new(task, now);
            draft.task.error = Some(cancel_error(&by, reason.as_deref()));
            draft.cancel(now);
            Ok(draft.done())
        }
        State::Assigned(_) | State::Running(_) if task.cancel_requested.is_some() => {
            Ok(Decision::unchanged())
        }
        State::Assigned(_) | State::Running(_) => {
            let mut draft = Draft::new(task, now);
            draft.task.cancel_requested = Some(CancelRequest {
                at: now,
                by,
                reason,
            });
            draft.record(Kind::TaskCancelRequested);
            Ok(draft.done())
        }
    }
}

pub(super) fn cancel_for_dependency(task: &Task, dependency: &TaskId, now: Timestamp) -> Decision {
    let waits = matches!(task.state, State::Pending | State::Retry { .. });
    if !waits || !task.dependencies.contains(dependency) {
        return Decision::unchanged();
    }
    let mut draft = Draft::new(task, now);
    draft.task.error = Some(TaskError::new(
        ErrorType::BusinessLogic,
        format!("dependency `{dependency}` will not complete"),
    ));
    draft.cancel(now);
    draft.done()
}

pub(super) fn replay(task: &Task, now: Timestamp) -> Result<Decision, Rejection> {
    match task.state {
        State::Failed | State::Cancelled => {
            let mut draft = Draft::new(task, now);
            draft.task.state = State::Pending;
            draft.task.retry_count = 0;
            draft.task.unstarted = 0;
            // A new run begins at its beginning; how the one before went stands with its attempts. The percentage of a
            // stage's task stays: that of the stage is made of it, and never falls.
            draft.task.progress = Progress {
                percent: match task.place {
                    Some(_) => task.progress.percent,
                    None => 0.0,
                },
                ..Progress::default()
            };
            draft.task.started_at = None;
            draft.task.completed_at = None;
            draft.task.cancel_requested = None;
            // What went wrong stands with its attempt; a task that waits has no fault.
            draft.task.error = None;
            // A deadline that has passed would end the replay before it began.
            draft.task.deadline = task.deadline.filter(|deadline| *deadline > now);
            draft.record(Kind::TaskReplayed);
            draft.advance_pipeline();
            Ok(draft.done())
        }
        // Waiting for its next attempt: do not wait any longer.
        State::Retry { .. } => {
            let mut draft = Draft::new(task, now);
            draft.task.state = State::Retry { at: now };
            draft.record(Kind::TaskReplayed);
            Ok(draft.done())
        }
        // Asked to stop and not stopped yet: the wish is withdrawn.
        State::Assigned(_) | State::Running(_) if task.cancel_requested.is_some() => {
            let mut draft = Draft::new(task, now);
            draft.task.cancel_requested = None;
            draft.record(Kind::TaskReplayed);
            Ok(draft.done())
        }
        State::Pending | State::Assigned(_) | State::Running(_) | State::Completed => Err(invalid(
            "a retry",
            task,
            "; tasks that failed, were cancelled, or wait for their next attempt can be retried",
        )),
    }
}

pub(super) fn delegate(
    task: &Task,
    target: Option<AgentId>,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    require_waiting(task, "a delegation")?;
    if task.target == target {
        return Ok(Decision::unchanged());
    }
    let mut draft = Draft::new(task, now);
    draft.task.target = target;
    draft.record(Kind::TaskUpdated);
    Ok(draft.done())
}
