//! The one door through which a task changes.

mod draft;
mod held;
mod overdue;
mod steer;

use std::sync::Arc;

use self::{
    draft::Draft,
    held::{assign, complete, start},
    overdue::{lose_lease, tick},
    steer::{cancel, cancel_for_dependency, delegate, replay},
};
use super::{Command, Outcome, State, Task};
use crate::{
    PipelineId, Rejection, TaskId, Timestamp,
    event::{Event, Kind},
};

pub use draft::event;
pub use overdue::UNSTARTED_DELIVERIES_MAX;

/// What the rules answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The new document; its revision is one more than before. `None` when nothing changes.
    pub task: Option<Task>,
    /// What to record in the same commit.
    pub events: Vec<Event>,
    /// What to do after the commit.
    pub effects: Vec<Effect>,
}

/// Something to do after a commit. Each is safe to repeat, and reconcilers find those that a
/// crash left behind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// A stage's task ended: see whether the pipeline goes on.
    AdvancePipeline(PipelineId),
    /// The task will never complete: cancel those that wait for it.
    CancelDependents(TaskId),
}

impl Decision {
    fn unchanged() -> Self {
        Self {
            task: None,
            events: Vec::new(),
            effects: Vec::new(),
        }
    }
}

/// Decides what `command` does to `task` at `now`.
pub fn decide(task: &Task, command: Command, now: Timestamp) -> Result<Decision, Rejection> {
    let now = now.not_before(task.updated_at);
    match command {
        Command::Assign {
            agent_id,
            session,
            nonce,
            lease_ttl_ms,
        } => assign(task, agent_id, session, nonce, lease_ttl_ms, now),
        Command::Start(held) => start(task, held, now),
        Command::Report { held, progress } => {
            let mut draft = Draft::of_holder(task, held, now)?;
            draft.begin(now);
            draft.task.progress.advance(&progress);
            draft.record(Kind::Progressed);
            Ok(draft.done())
        }
        Command::Attach(held) => Ok(Draft::of_holder(task, held, now)?.done()),
        Command::Complete(held) => complete(task, held, now),
        Command::Fail {
            held,
            error,
            random,
        } => {
            let mut draft = Draft::of_holder(task, held, now)?;
            if draft.task.cancel_requested.is_some() {
                draft.end_attempt(Outcome::Cancelled, Some(error), now);
                draft.cancel(now);
            } else {
                draft.end_attempt(Outcome::Failed, Some(error.clone()), now);
                draft.fail_or_retry(error, random, now);
            }
            Ok(draft.done())
        }
        Command::Release { held, reason } => {
            let mut draft = Draft::of_holder(task, held, now)?;
            draft.end_attempt(Outcome::Released, None, now);
            draft.give_back(Some(reason), now);
            Ok(draft.done())
        }
        Command::ConfirmCancel(held) => {
            let mut draft = Draft::of_holder(task, held, now)?;
            if task.cancel_requested.is_some() {
                draft.end_attempt(Outcome::Cancelled, None, now);
                draft.cancel(now);
            } else {
                draft.end_attempt(Outcome::Released, None, now);
                draft.give_back(Some("nobody wants it stopped any more".to_owned()), now);
            }
            Ok(draft.done())
        }
        Command::LoseLease {
            session,
            attempt,
            cause,
        } => Ok(lose_lease(task, &session, attempt, cause, now)),
        Command::Cancel { by, reason } => cancel(task, by, reason, now),
        Command::CancelForDependency { dependency } => {
            Ok(cancel_for_dependency(task, &dependency, now))
        }
        Command::Replay => replay(task, now),
        Command::Delegate { target } => delegate(task, target, now),
        Command::Update(changes) => {
            require_waiting(task, "an update")?;
            changes.check(task)?;
            let mut draft = Draft::new(task, now);
            changes.apply(&mut draft.task);
            draft.record(Kind::TaskUpdated);
            Ok(draft.done())
        }
        Command::Tick { alive_until } => Ok(tick(task, alive_until, now)),
    }
}

/// The same document, one revision on: for a commit that is right only while the task is as it was read.
pub fn touch(task: &Task, now: Timestamp) -> Task {
    Draft::new(task, now.not_before(task.updated_at)).task
}

fn require_waiting(task: &Task, what: &'static str) -> Result<(), Rejection> {
    match task.state {
        State::Pending | State::Retry { .. } => Ok(()),
        State::Assigned(_)
        | State::Running(_)
        | State::Completed
        | State::Failed
        | State::Cancelled => Err(invalid(what, task, "; only waiting tasks can change")),
    }
}

fn invalid(what: &'static str, task: &Task, hint: &'static str) -> Rejection {
    Rejection::InvalidTransition {
        what,
        of: "task",
        state: task.status().as_str(),
        hint,
    }
}

/// Names shared between tasks, to save memory: an `Arc` of the sorted, distinct `names`.
pub(super) fn sorted(names: &[crate::Name]) -> Arc<[crate::Name]> {
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    Arc::from(names)
}
