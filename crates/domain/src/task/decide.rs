//! The one door through which a task changes.

use std::sync::Arc;

use super::{
    Attempt, Command, Lease, Outcome, Proof, State, Status, Task, TaskError,
    command::{Held, LeaseLoss},
};
use crate::{
    AgentId, PipelineId, Rejection, SessionId, TaskId, Timestamp,
    event::{Event, Kind},
    limits::{ATTEMPTS_KEPT, CANCEL_GRACE_MS, DELIVERY_GRACE_MS},
    retry::ErrorType,
};

/// Deliveries in a row that no agent began, after which the task fails: so that one that
/// kills every agent at sight does not go round for ever. Larger than any usual hiccup.
pub const UNSTARTED_DELIVERIES_MAX: u32 = 10;

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
        Command::LoseLease { attempt, cause } => Ok(lose_lease(task, attempt, cause, now)),
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

fn assign(
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

fn start(task: &Task, held: Held, now: Timestamp) -> Result<Decision, Rejection> {
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

fn complete(task: &Task, held: Held, now: Timestamp) -> Result<Decision, Rejection> {
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

fn lose_lease(task: &Task, attempt: u32, cause: LeaseLoss, now: Timestamp) -> Decision {
    let Some(lease) = task.lease() else {
        return Decision::unchanged();
    };
    // An answer under way may still reach the agent that does not name the task yet.
    let fresh =
        cause == LeaseLoss::Undelivered && now.ms_since(lease.granted_at) < DELIVERY_GRACE_MS;
    if lease.attempt != attempt || fresh {
        return Decision::unchanged();
    }
    let mut draft = Draft::new(task, now);
    draft.lose(cause.as_str(), now);
    draft.done()
}

fn cancel(
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
            draft.task.cancel_requested = Some(super::CancelRequest {
                at: now,
                by,
                reason,
            });
            draft.record(Kind::TaskCancelRequested);
            Ok(draft.done())
        }
    }
}

fn cancel_for_dependency(task: &Task, dependency: &TaskId, now: Timestamp) -> Decision {
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

fn replay(task: &Task, now: Timestamp) -> Result<Decision, Rejection> {
    match task.state {
        State::Failed | State::Cancelled => {
            let mut draft = Draft::new(task, now);
            draft.task.state = State::Pending;
            draft.task.retry_count = 0;
            draft.task.unstarted = 0;
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
            "; failed, cancelled and waiting tasks can be retried",
        )),
    }
}

fn delegate(task: &Task, target: Option<AgentId>, now: Timestamp) -> Result<Decision, Rejection> {
    require_waiting(task, "a delegation")?;
    if task.target == target {
        return Ok(Decision::unchanged());
    }
    let mut draft = Draft::new(task, now);
    draft.task.target = target;
    draft.record(Kind::TaskUpdated);
    Ok(draft.done())
}

fn tick(task: &Task, alive_until: Timestamp, now: Timestamp) -> Decision {
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

fn is_last_attempt(task: &Task, proof: Proof) -> bool {
    task.attempts
        .last()
        .is_some_and(|last| last.number == proof.attempt && last.nonce == proof.nonce)
}

fn cancel_error(by: &str, reason: Option<&str>) -> TaskError {
    let message = match reason {
        Some(reason) => format!("cancelled by `{by}`: {reason}"),
        None => format!("cancelled by `{by}`"),
    };
    TaskError::new(ErrorType::BusinessLogic, message)
}

/// Brings a document back that was last changed by a clock which was wrong: what it waits for stays as far from its
/// last change as it was, and would otherwise come when that clock's time does.
fn bring_back(task: &mut Task, now: Timestamp) {
    let ahead = task.updated_at.ms_since(now);
    match &mut task.state {
        State::Assigned(lease) | State::Running(lease) => {
            lease.granted_at = lease.granted_at.min(now);
            lease.expires_at = lease.expires_at.minus_ms(ahead);
            lease.started_at = lease.started_at.map(|at| at.min(now));
        }
        State::Retry { at } => *at = at.minus_ms(ahead),
        State::Pending | State::Completed | State::Failed | State::Cancelled => {}
    }
    if let Some(request) = &mut task.cancel_requested {
        request.at = request.at.min(now);
    }
    if let Some(attempt) = task.attempts.last_mut() {
        attempt.assigned_at = attempt.assigned_at.min(now);
        attempt.started_at = attempt.started_at.map(|at| at.min(now));
    }
    task.started_at = task.started_at.map(|at| at.min(now));
}

/// A document on its way to the next revision.
struct Draft {
    task: Task,
    events: Vec<Event>,
    effects: Vec<Effect>,
    now: Timestamp,
}

impl Draft {
    fn new(task: &Task, now: Timestamp) -> Self {
        let mut task = task.clone();
        if task.updated_at > now {
            bring_back(&mut task, now);
        }
        task.revision += 1;
        task.updated_at = now;
        Self {
            task,
            events: Vec::new(),
            effects: Vec::new(),
            now,
        }
    }

    /// A draft for a caller that holds the task; refuses everybody else.
    fn of_holder(task: &Task, held: Held, now: Timestamp) -> Result<Self, Rejection> {
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

    /// Moves from assigned to running, once.
    fn begin(&mut self, now: Timestamp) {
        if let State::Assigned(lease) = &self.task.state {
            let mut lease = lease.clone();
            lease.started_at = Some(now);
            self.task.state = State::Running(lease);
            self.task.started_at.get_or_insert(now);
            self.task.unstarted = 0;
            if let Some(attempt) = self.task.attempts.last_mut() {
                attempt.started_at = Some(now);
            }
        }
    }

    fn end_attempt(&mut self, outcome: Outcome, error: Option<TaskError>, now: Timestamp) {
        if self.task.lease().is_none() {
            return;
        }
        if let Some(attempt) = self.task.attempts.last_mut() {
            attempt.ended_at = Some(now);
            attempt.outcome = Some(outcome);
            attempt.error = error;
        }
    }

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

    fn fail_or_retry(&mut self, error: TaskError, random: u64, now: Timestamp) {
        if self.task.retry.allows(error.kind, self.task.retry_count) {
            let delay = self.task.retry.delay_ms(self.task.retry_count + 1, random);
            self.retry_at(now.plus_ms(delay), error);
        } else {
            self.fail(error, now);
        }
    }

    fn retry_at(&mut self, at: Timestamp, error: TaskError) {
        self.task.retry_count += 1;
        self.task.state = State::Retry { at };
        self.record_with(Kind::TaskRetrying, Some(error.message.clone()));
        self.task.error = Some(error);
    }

    /// Back to where it waited, at no cost to its retries.
    fn give_back(&mut self, reason: Option<String>, now: Timestamp) {
        if self.task.cancel_requested.is_some() {
            self.cancel(now);
            return;
        }
        self.task.state = if self.task.retry_count > 0 {
            State::Retry { at: now }
        } else {
            State::Pending
        };
        self.record_with(Kind::TaskReleased, reason);
    }

    fn fail(&mut self, error: TaskError, now: Timestamp) {
        self.task.state = State::Failed;
        self.task.completed_at = Some(now);
        self.record_with(Kind::TaskFailed, Some(error.message.clone()));
        self.task.error = Some(error);
        self.effects
            .push(Effect::CancelDependents(self.task.id.clone()));
        self.advance_pipeline();
    }

    fn cancel(&mut self, now: Timestamp) {
        if let Some(request) = &self.task.cancel_requested {
            self.task.error = Some(cancel_error(&request.by, request.reason.as_deref()));
        }
        self.task.state = State::Cancelled;
        self.task.completed_at = Some(now);
        let message = self.task.error.as_ref().map(|error| error.message.clone());
        self.record_with(Kind::TaskCancelled, message);
        self.effects
            .push(Effect::CancelDependents(self.task.id.clone()));
        self.advance_pipeline();
    }

    fn advance_pipeline(&mut self) {
        if let Some(place) = &self.task.place {
            self.effects
                .push(Effect::AdvancePipeline(place.pipeline_id.clone()));
        }
    }

    fn record(&mut self, kind: Kind) {
        let message = match kind {
            Kind::Progressed => self.task.progress.message.clone(),
            _ => None,
        };
        self.record_with(kind, message);
    }

    fn record_with(&mut self, kind: Kind, message: Option<String>) {
        self.events.push(event(&self.task, kind, self.now, message));
    }

    fn done(self) -> Decision {
        Decision {
            task: Some(self.task),
            events: self.events,
            effects: self.effects,
        }
    }
}

/// An event about `task` as it is now.
pub fn event(task: &Task, kind: Kind, at: Timestamp, message: Option<String>) -> Event {
    let mut event = Event::new(kind, at, task.namespace.clone());
    event.task_id = Some(task.id.clone());
    event.agent_id = match task.lease() {
        Some(lease) => Some(lease.agent_id.clone()),
        None => task.last_agent().cloned(),
    };
    if let Some(place) = &task.place {
        event.pipeline_id = Some(place.pipeline_id.clone());
        event.stage = Some(place.stage);
    }
    event.status = Some(task.status().as_str().into());
    event.progress = Some(task.progress.percent);
    event.subject = Some(task.task_type.as_str().to_owned());
    event.message = message;
    event
}

/// Names shared between tasks, to save memory: an `Arc` of the sorted, distinct `names`.
pub(super) fn sorted(names: &[crate::Name]) -> Arc<[crate::Name]> {
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    Arc::from(names)
}
