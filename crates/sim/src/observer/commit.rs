//! What must hold for each commit, seen from the documents before it.

use std::sync::Arc;

use mcpanel_domain::{
    TaskId, Timestamp,
    agent::Agent,
    artifact::Artifact,
    event::{Event, Kind},
    log::Line,
    operation as wishes,
    pipeline::{Pipeline, StageStatus, Status as PipelineStatus},
    task::{Status, Task},
};
use mcpanel_store::{Commit, Receipt, Write};

use super::{Observer, Promise, tell};
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

    fn check_task(
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
        self.expect(
            Promise::ProgressNeverFalls,
            new.progress.percent >= old.progress.percent,
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
    pub(super) fn check_dependencies(&mut self, given: &Task) {
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

    /// A stage's tasks are made once the stages before it are completed.
    fn check_place(&mut self, new: &Task) {
        let Some(place) = &new.place else { return };
        let Some(pipeline) = self.pipelines.get(&place.pipeline_id) else {
            self.blame(Promise::ChangesAreLawful, || {
                format!("{} belongs to no pipeline", tell::task(new))
            });
            return;
        };
        let Some(stage) = pipeline
            .stage(place.stage)
            .filter(|stage| stage.run == place.run)
        else {
            return;
        };
        let early = stage.definition.dependencies.iter().any(|number| {
            pipeline
                .stage(*number)
                .is_none_or(|before| before.status != StageStatus::Completed)
        });
        self.expect(Promise::DependenciesComeFirst, !early, || {
            format!("{} was made before its stage could begin", tell::task(new))
        });
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

    fn check_pipeline(&mut self, new: &Pipeline, events: &[Event], earliest: Timestamp) {
        let told = events.iter().any(|event| {
            event.pipeline_id.as_ref() == Some(&new.id)
                && !matches!(
                    event.kind,
                    Kind::StageStarted | Kind::StageCompleted | Kind::StageFailed
                )
                && event.status.as_deref() == Some(new.status.as_str())
        });
        let Some(old) = self.pipelines.get(&new.id).cloned() else {
            self.expect(Promise::EveryChangeHasItsEvent, told, || {
                format!("no event tells that pipeline `{}` was created", new.id)
            });
            return;
        };
        let lawful =
            new.revision == old.revision + 1 && runs_on(old.updated_at, new.updated_at, earliest);
        self.expect(Promise::ChangesAreLawful, lawful, || {
            format!("pipeline `{}` changed unlawfully", new.id)
        });
        self.expect(
            Promise::ProgressNeverFalls,
            new.progress_floor >= old.progress_floor,
            || format!("pipeline `{}` fell below its floor", new.id),
        );
        self.expect(
            Promise::EveryChangeHasItsEvent,
            told || old.status == new.status,
            || {
                format!(
                    "no event tells that pipeline `{}` is {:?}",
                    new.id, new.status
                )
            },
        );
        for (before, after) in old.stages.iter().zip(&new.stages) {
            let number = after.definition.number;
            let begins = before.status != StageStatus::Running
                && after.status == StageStatus::Running
                && before.run == after.run;
            let early = after.definition.dependencies.iter().any(|dependency| {
                new.stage(*dependency)
                    .is_none_or(|stage| stage.status != StageStatus::Completed)
            });
            self.expect(Promise::DependenciesComeFirst, !(begins && early), || {
                format!("stage {number} of `{}` began too early", new.id)
            });
        }
        if new.status == PipelineStatus::Failed && old.status != PipelineStatus::Failed {
            self.check_failed_pipeline(new);
        }
        if new.status == PipelineStatus::Completed && old.status != PipelineStatus::Completed {
            self.check_completed_pipeline(new);
        }
    }

    /// A pipeline fails because a task failed, or somebody cancelled one; not because of its own
    /// former cancellation.
    fn check_failed_pipeline(&mut self, new: &Pipeline) {
        let why: Vec<&str> = self
            .tasks
            .values()
            .filter(|task| {
                matches!(task.status(), Status::Failed | Status::Cancelled)
                    && task.place.as_ref().is_some_and(|place| {
                        place.pipeline_id == new.id
                            && new.stage(place.stage).is_some_and(|stage| {
                                stage.status == StageStatus::Failed && stage.run == place.run
                            })
                    })
            })
            .filter_map(|task| task.error.as_ref())
            .map(|error| error.message.as_str())
            .collect();
        let own = !why.is_empty() && why.iter().all(|why| why.contains("the pipeline is"));
        let detail = format!("pipeline `{}` failed, because {}", new.id, why.join(", "));
        self.expect(Promise::ChangesAreLawful, !own, || detail);
    }

    /// A completed pipeline has all its tasks, all completed.
    fn check_completed_pipeline(&mut self, new: &Pipeline) {
        for stage in &new.stages {
            let number = stage.definition.number;
            let completed = self
                .tasks
                .values()
                .filter(|task| {
                    task.status() == Status::Completed
                        && task.place.as_ref().is_some_and(|place| {
                            place.pipeline_id == new.id
                                && place.stage == number
                                && place.run == stage.run
                        })
                })
                .count();
            let expected = stage.total as usize;
            self.expect(
                Promise::ChangesAreLawful,
                stage.status == StageStatus::Completed && completed == expected,
                || {
                    format!(
                        "pipeline `{}` is completed, but stage {number} has {completed} of {expected} tasks",
                        new.id
                    )
                },
            );
        }
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
