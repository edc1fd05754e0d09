//! A task on its way to the next revision.

use super::{Decision, Effect};
use crate::{
    Timestamp,
    event::{Event, Kind},
    retry::ErrorType,
    task::{Outcome, State, Task, TaskError},
};

/// A document on its way to the next revision.
pub(super) struct Draft {
    pub(super) task: Task,
    pub(super) events: Vec<Event>,
    pub(super) effects: Vec<Effect>,
    pub(super) now: Timestamp,
}

impl Draft {
    pub(super) fn new(task: &Task, now: Timestamp) -> Self {
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

    /// Moves from assigned to running, once.
    pub(super) fn begin(&mut self, now: Timestamp) {
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

    pub(super) fn end_attempt(
        &mut self,
        outcome: Outcome,
        error: Option<TaskError>,
        now: Timestamp,
    ) {
        if self.task.lease().is_none() {
            return;
        }
        if let Some(attempt) = self.task.attempts.last_mut() {
            attempt.ended_at = Some(now);
            attempt.outcome = Some(outcome);
            attempt.error = error;
        }
    }

    pub(super) fn fail_or_retry(&mut self, error: TaskError, random: u64, now: Timestamp) {
        if self.task.retry.allows(error.kind, self.task.retry_count) {
            let delay = self.task.retry.delay_ms(self.task.retry_count + 1, random);
            self.retry_at(now.plus_ms(delay), error);
        } else {
            self.fail(error, now);
        }
    }

    pub(super) fn retry_at(&mut self, at: Timestamp, error: TaskError) {
        self.task.retry_count += 1;
        self.task.state = State::Retry { at };
        self.record_with(Kind::TaskRetrying, Some(error.message.clone()));
        self.task.error = Some(error);
    }

    /// Back to where it waited, at no cost to its retries.
    pub(super) fn give_back(&mut self, reason: Option<String>, now: Timestamp) {
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

    pub(super) fn fail(&mut self, error: TaskError, now: Timestamp) {
        self.task.state = State::Failed;
        self.task.completed_at = Some(now);
        self.record_with(Kind::TaskFailed, Some(error.message.clone()));
        self.task.error = Some(error);
        self.effects
            .push(Effect::CancelDependents(self.task.id.clone()));
        self.advance_pipeline();
    }

    pub(super) fn cancel(&mut self, now: Timestamp) {
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

    pub(super) fn advance_pipeline(&mut self) {
        if let Some(place) = &self.task.place {
            self.effects
                .push(Effect::AdvancePipeline(place.pipeline_id.clone()));
        }
    }

    pub(super) fn record(&mut self, kind: Kind) {
        let message = match kind {
            Kind::Progressed => self.task.progress.message.clone(),
            _ => None,
        };
        self.record_with(kind, message);
    }

    pub(super) fn record_with(&mut self, kind: Kind, message: Option<String>) {
        self.events.push(event(&self.task, kind, self.now, message));
    }

    pub(super) fn done(self) -> Decision {
        Decision {
            task: Some(self.task),
            events: self.events,
            effects: self.effects,
        }
    }
}

pub(super) fn cancel_error(by: &str, reason: Option<&str>) -> TaskError {
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
