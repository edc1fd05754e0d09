//! What must hold when a task changes: who may change it, and into what.

use std::sync::Arc;

use mcpanel_domain::{
    Timestamp,
    event::Event,
    task::{Status, Task},
};

use super::{
    super::{Observer, Promise, tell},
    runs_on,
};
use crate::{clock::Clock, shared::Operation};

impl Observer {
    pub(super) fn check_task(
        &mut self,
        new: &Arc<Task>,
        events: &[Event],
        operation: Option<&Operation>,
        earliest: Timestamp,
        clock: &Clock,
    ) {
        let Some(old) = self.tasks.get(&new.id).cloned() else {
            self.expect(
                Promise::ChangesAreLawful,
                new.revision == 1 && new.status() == Status::Pending && new.attempt == 0,
                || format!("a new task begins as {}", tell::task(new)),
            );
            self.check_event(new, events);
            self.check_place(new);
            return;
        };
        if new.attempt != old.attempt {
            let between = self.assignment_within(&old, new);
            self.expect(Promise::ChangesAreLawful, between.is_some(), || {
                format!("{} → {}", tell::task(&old), tell::task(new))
            });
            let between = between.unwrap_or_else(|| new.clone());
            let alone = Arc::ptr_eq(&between, new);
            let late = self.check_late(&old, &between, alone);
            self.check_event(&between, events);
            self.check_assignment(&old, &between, operation.filter(|_| !late), late, clock);
            if !alone {
                self.check_step(&between, new, events, operation, earliest);
                return;
            }
            if late {
                // Nobody's call but the server's own: what the caller holds has nothing to do with it.
                self.check_step(&old, new, events, None, earliest);
                return;
            }
        }
        self.check_step(&old, new, events, operation, earliest);
    }

    /// One step of a task, from one state to the next.
    fn check_step(
        &mut self,
        old: &Task,
        new: &Task,
        events: &[Event],
        operation: Option<&Operation>,
        earliest: Timestamp,
    ) {
        let change = || format!("{} → {}", tell::task(old), tell::task(new));
        self.expect(
            Promise::CompletesAtMostOnce,
            old.status() != Status::Completed,
            change,
        );
        let assigned = new.attempt != old.attempt;
        self.expect(
            Promise::ChangesAreLawful,
            new.revision == old.revision + 1
                && runs_on(old.updated_at, new.updated_at, earliest)
                && new.created_at == old.created_at
                && is_lawful(old.status(), new.status())
                && (!assigned
                    || (new.attempt == old.attempt + 1 && new.status() == Status::Assigned)),
            change,
        );
        let runs_anew = old.status().is_terminal() && new.place.is_none();
        if runs_anew {
            self.shown.run_anew.insert(new.id.clone());
        }
        self.expect(
            Promise::ProgressNeverFalls,
            new.progress.percent >= old.progress.percent || runs_anew,
            change,
        );
        self.expect(
            Promise::RetriesStayWithinPolicy,
            new.retry_count <= old.retry_count
                || (new.retry_count == old.retry_count + 1
                    && new.retry_count <= new.retry.max_retries),
            || format!("{}; policy {}", change(), new.retry.max_retries),
        );
        if old.status() != new.status() {
            self.check_event(new, events);
        }
        if let Some(operation) = operation {
            self.check_holder(old, new, operation);
        }
    }

    /// Every change of a task's status is told by an event of the same commit.
    fn check_event(&mut self, new: &Task, events: &[Event]) {
        let told = events.iter().any(|event| {
            event.task_id.as_ref() == Some(&new.id)
                && event.status.as_deref() == Some(new.status().as_str())
        });
        self.expect(Promise::EveryChangeHasItsEvent, told, || {
            format!("no event tells that {}", tell::task(new))
        });
    }

    /// A task is given out after what it waits for.
    pub(in crate::observer) fn check_dependencies(&mut self, given: &Task) {
        let unmet: Vec<String> = given
            .dependencies
            .iter()
            .filter(|id| {
                self.tasks
                    .get(*id)
                    .is_none_or(|task| task.status() != Status::Completed)
            })
            .map(ToString::to_string)
            .collect();
        self.expect(Promise::DependenciesComeFirst, unmet.is_empty(), || {
            format!(
                "{} was given out before {}",
                tell::task(given),
                unmet.join(", ")
            )
        });
    }

    fn check_assignment(
        &mut self,
        old: &Task,
        new: &Task,
        operation: Option<&Operation>,
        late: bool,
        clock: &Clock,
    ) {
        self.check_dependencies(old);
        let early = old.ready_at().is_none_or(|at| at > clock.latest());
        self.expect(Promise::DependenciesComeFirst, !early, || {
            format!("{} was given out before its time", tell::task(new))
        });
        let Some(lease) = new.lease() else { return };
        let held = 1 + self
            .live
            .iter()
            .filter(|id| **id != new.id)
            .filter_map(|id| self.tasks.get(id))
            .filter(|task| {
                task.lease().is_some_and(|other| {
                    other.agent_id == lease.agent_id && other.session == lease.session
                })
            })
            .count();
        // Where two claims of one agent meet at two servers, each sees what is held and not what the other is about
        // to give. Neither gives more than was free when it looked.
        let held = match operation {
            Some(operation) if self.several => {
                let mut given = operation.given.lock();
                *given += 1;
                operation.least_held.lock().saturating_add(*given)
            }
            _ => held,
        };
        let slots = self
            .agents
            .get(&lease.agent_id)
            .filter(|agent| agent.session.id == lease.session)
            .map(|agent| agent.concurrency as usize);
        self.expect(
            Promise::SlotsNeverLeak,
            // Those that are written late were counted when they were given.
            late || slots.is_none_or(|slots| held <= slots),
            || format!("agent `{}` holds {held} of {slots:?}", lease.agent_id),
        );
        self.expect(
            Promise::ChangesAreLawful,
            old.cancel_requested.is_none(),
            || format!("{} was given out, though it is to stop", tell::task(new)),
        );
        let strangers = new
            .target
            .as_ref()
            .is_some_and(|target| *target != lease.agent_id);
        self.expect(Promise::ChangesAreLawful, !strangers, || {
            format!("{} is meant for another agent", tell::task(new))
        });
    }

    /// A call that shows a lease changes its task only while that lease holds it.
    fn check_holder(&mut self, old: &Task, new: &Task, operation: &Operation) {
        let Some((id, proof)) = &operation.held else {
            return;
        };
        if old.id != *id {
            return;
        }
        let Some(lease) = old.lease() else {
            // What follows from the call for its pipeline: tasks are put back or cancelled.
            self.expect(
                Promise::StaleLeaseChangesNothing,
                matches!(new.status(), Status::Pending | Status::Cancelled),
                || format!("nobody held {}, now {}", tell::task(old), tell::task(new)),
            );
            return;
        };
        if lease.proof() != *proof {
            let only_asked_to_stop = old.cancel_requested.is_none()
                && new.cancel_requested.is_some()
                && new.lease() == Some(lease);
            self.expect(
                Promise::StaleLeaseChangesNothing,
                only_asked_to_stop,
                || {
                    format!(
                        "{} with {proof:?}: {} → {}",
                        operation.name,
                        tell::task(old),
                        tell::task(new)
                    )
                },
            );
            return;
        }
        let alive = self
            .agents
            .get(&lease.agent_id)
            .filter(|agent| agent.session.id == lease.session)
            .map_or(lease.expires_at, |agent| {
                agent.alive_until().max(lease.expires_at)
            });
        let earliest = *operation.earliest.lock();
        self.expect(Promise::StaleLeaseChangesNothing, alive > earliest, || {
            format!(
                "{} at {earliest} under a lease that expired at {alive}: {} → {}",
                operation.name,
                tell::task(old),
                tell::task(new)
            )
        });
    }
}

/// Which status may follow which.
fn is_lawful(old: Status, new: Status) -> bool {
    use Status::{Assigned, Cancelled, Completed, Failed, Pending, Retry, Running};
    match old {
        Pending => matches!(new, Pending | Assigned | Failed | Cancelled),
        Retry => matches!(new, Retry | Assigned | Failed | Cancelled),
        Assigned => true,
        Running => !matches!(new, Assigned),
        Failed | Cancelled => matches!(new, Pending),
        Completed => false,
    }
}
