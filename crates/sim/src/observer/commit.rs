//! What must hold for each commit, seen from the documents before it.

mod pipeline;
mod task;

use mcpanel_domain::{
    TaskId, Timestamp,
    agent::Agent,
    artifact::Artifact,
    event::{Event, Kind},
    log::Line,
    operation as wishes,
};
use mcpanel_store::{Commit, Receipt, Write};

use super::{Observer, Promise};
use crate::{clock::Clock, shared::Operation};

/// What the observer reads of a stage task's parameters.
#[derive(serde::Deserialize)]
struct StageInput {
    input_artifact_id: Option<String>,
}

impl Observer {
    /// A commit was applied. `operation` made it.
    pub fn committed(
        &mut self,
        commit: Commit,
        receipt: Receipt,
        operation: Option<&Operation>,
        clock: &Clock,
    ) {
        let count = u64::try_from(commit.events.len()).unwrap_or(u64::MAX);
        let expected = self.last_seq + count;
        self.expect(
            Promise::EveryChangeHasItsEvent,
            receipt.last_seq == expected,
            || {
                format!(
                    "the receipt says event {}, not {expected}",
                    receipt.last_seq
                )
            },
        );
        self.last_seq = receipt.last_seq;
        // What the clock showed at the earliest while this was decided.
        let earliest =
            operation.map_or_else(|| clock.earliest(), |operation| *operation.earliest.lock());
        for write in &commit.writes {
            match write {
                Write::Task {
                    task, parameters, ..
                } => {
                    if let Some(parameters) = parameters
                        && let Ok(StageInput {
                            input_artifact_id: Some(input),
                        }) = parameters.read()
                    {
                        self.inputs.insert(task.id.clone(), input);
                    }
                    self.check_task(task, &commit.events, operation, earliest, clock);
                    if task.status().is_terminal() {
                        self.live.remove(&task.id);
                    } else {
                        self.live.insert(task.id.clone());
                    }
                    self.tasks.insert(task.id.clone(), task.clone());
                }
                Write::Agent(agent) => {
                    self.check_agent(agent, &commit.events, earliest);
                    self.agents.insert(agent.id.clone(), agent.clone());
                }
                Write::DeleteAgent { id, .. } => {
                    self.agents.remove(id);
                }
                Write::Pipeline(pipeline) => {
                    self.check_pipeline(pipeline, &commit.events, earliest);
                    self.pipelines.insert(pipeline.id.clone(), pipeline.clone());
                }
                Write::Artifact(artifact) => {
                    self.artifacts.insert(artifact.id.clone(), artifact.clone());
                }
                Write::DeleteArtifact { id, .. } => {
                    self.artifacts.remove(id);
                }
                Write::Operation(operation) => {
                    let tasks = commit.writes.iter();
                    let tasks = tasks.filter(|each| matches!(each, Write::Task { .. }));
                    self.check_operation(operation, tasks.count(), &commit.events);
                    self.operations
                        .insert(operation.id.clone(), operation.clone());
                }
                Write::DeleteOperation { id, .. } => {
                    self.operations.remove(id);
                }
                Write::Template(_)
                | Write::Key(_)
                | Write::Idempotency(_)
                | Write::Logs { .. }
                | Write::Sample(_) => {}
            }
        }
        // What is written in the name of a lease, with the task as the same commit leaves it.
        for write in &commit.writes {
            match write {
                Write::Artifact(artifact) => self.check_artifact(artifact),
                Write::Logs { task_id, lines, .. } => self.check_lines(task_id, lines),
                _ => {}
            }
        }
        if let Some(operation) = operation {
            // What it does next begins from here.
            *operation.least_held.lock() = self.held_by(&operation.by);
            *operation.given.lock() = 0;
        }
    }

    /// An operation walks on through the list, and counts the tasks that it changes in the same commit.
    fn check_operation(&mut self, new: &wishes::Operation, tasks: usize, events: &[Event]) {
        let told = events.iter().any(|event| {
            event.subject.as_deref() == Some(new.id.as_str())
                && event.kind.as_str().starts_with("operation:")
        });
        self.expect(Promise::EveryChangeHasItsEvent, told, || {
            format!("operation `{}` r{} changed silently", new.id, new.revision)
        });
        let Some(old) = self.operations.get(&new.id).cloned() else {
            self.expect(
                Promise::ChangesAreLawful,
                new.revision == 1 && new.handled() == 0 && new.cursor.is_none(),
                || format!("a new operation begins as {new:?}"),
            );
            return;
        };
        let tasks = u64::try_from(tasks).unwrap_or(u64::MAX);
        let walks_on = match (&old.cursor, &new.cursor) {
            (Some(old), Some(new)) => (new.created_at, &new.id) <= (old.created_at, &old.id),
            (Some(_), None) => false,
            (None, _) => true,
        };
        self.expect(
            Promise::ChangesAreLawful,
            new.revision == old.revision + 1
                && !old.status.is_terminal()
                && walks_on
                && new.skipped >= old.skipped
                && new.failed >= old.failed
                // Tasks that rivals kept changing were changed one by one before.
                && (new.done == old.done + tasks || (tasks == 0 && new.done >= old.done)),
            || format!("operation {old:?} → {new:?} with {tasks} tasks"),
        );
    }

    fn check_agent(&mut self, new: &Agent, events: &[Event], earliest: Timestamp) {
        let told = |kind| {
            events
                .iter()
                .any(|event| event.kind == kind && event.agent_id.as_ref() == Some(&new.id))
        };
        let Some(old) = self.agents.get(&new.id) else {
            let signed_on = told(Kind::AgentRegistered);
            self.expect(Promise::EveryChangeHasItsEvent, signed_on, || {
                format!("no event tells that agent `{}` signed on", new.id)
            });
            return;
        };
        let same_session = old.session.id == new.session.id;
        let lawful = new.revision == old.revision + 1
            && runs_on(old.updated_at, new.updated_at, earliest)
            && new.session.epoch == old.session.epoch + u32::from(!same_session)
            && (!same_session
                || runs_on(
                    old.session.last_heartbeat,
                    new.session.last_heartbeat,
                    earliest,
                ));
        let silent = (old.liveness != new.liveness && events.is_empty())
            || (!same_session && !told(Kind::AgentRegistered));
        let id = new.id.clone();
        self.expect(Promise::ChangesAreLawful, lawful, || {
            format!("agent `{id}` changed unlawfully")
        });
        self.expect(Promise::EveryChangeHasItsEvent, !silent, || {
            format!("no event tells how agent `{id}` changed")
        });
    }

    /// Lines belong to the attempt that holds the task.
    fn check_lines(&mut self, id: &TaskId, lines: &[Line]) {
        let held = self.tasks.get(id).and_then(|task| task.lease());
        let held = held.map(|lease| lease.attempt);
        let strange = lines.iter().find(|line| Some(line.attempt) != held);
        let detail = strange.map(|line| {
            let attempt = line.attempt;
            format!("a line of attempt {attempt} of `{id}`, which attempt {held:?} holds")
        });
        if let Some(detail) = detail {
            self.blame(Promise::StaleLeaseChangesNothing, || detail);
        }
    }

    /// A file that a task made belongs to the attempt that holds the task.
    fn check_artifact(&mut self, new: &Artifact) {
        let Some(id) = &new.task_id else { return };
        let attempt = self
            .tasks
            .get(id)
            .and_then(|task| task.lease())
            .map(|lease| lease.attempt);
        self.expect(
            Promise::StaleLeaseChangesNothing,
            attempt == new.attempt,
            || {
                format!(
                    "artifact `{}` of attempt {:?} of `{id}`, which attempt {attempt:?} holds",
                    new.id, new.attempt
                )
            },
        );
    }
}

/// Whether a time of a document only grows, unless it was written by a clock that was wrong.
fn runs_on(old: Timestamp, new: Timestamp, earliest: Timestamp) -> bool {
    new >= old || old.is_from_a_wrong_clock(earliest)
}
