//! What was answered: by the store to the control layer, by the control layer to its callers.

use std::collections::{BTreeMap, BTreeSet};

use mcpanel_control::PipelineView;
use mcpanel_domain::{
    PipelineId, TaskId,
    task::{Proof, Status, Task},
};
use mcpanel_store::{Commit, Receipt, Write};

use super::{Observer, Promise, tell};

/// The most that was ever shown to somebody.
#[derive(Default)]
pub struct Shown {
    tasks: BTreeMap<TaskId, f64>,
    pipelines: BTreeMap<PipelineId, f64>,
    stages: BTreeMap<(PipelineId, u16, u32), f64>,
    /// Tasks that somebody asked another run of: they began anew.
    pub(super) run_anew: BTreeSet<TaskId>,
}

/// Requests under one key.
#[derive(Default)]
pub(super) struct Repeated {
    asked: Vec<Vec<TaskId>>,
    told: Option<Vec<TaskId>>,
}

/// What had been shown of a pipeline when a call for it began. A later answer may not show less.
#[derive(Debug, Clone, Default)]
pub struct Floor {
    pipeline: f64,
    stages: BTreeMap<(u16, u32), f64>,
}

/// Sums of rounded parts differ by less than this.
const ROUNDING: f64 = 0.01;

impl Observer {
    /// The store said that a commit is durable.
    pub fn acknowledge(&mut self, commit: &Commit, receipt: Receipt) {
        let known = &mut self.acknowledged;
        known.last_seq = known.last_seq.max(receipt.last_seq);
        for write in &commit.writes {
            match write {
                Write::Task { task, .. } => {
                    raise(
                        known.tasks.entry(task.id.clone()).or_default(),
                        task.revision,
                    );
                }
                Write::Agent(agent) => {
                    let entry = known.agents.entry(agent.id.clone()).or_default();
                    // A sign-on after a removal begins at revision 1 again.
                    *entry = match *entry {
                        Some(revision) if agent.revision > 1 => Some(revision.max(agent.revision)),
                        _ => Some(agent.revision),
                    };
                }
                Write::DeleteAgent { id, .. } => {
                    known.agents.insert(id.clone(), None);
                }
                Write::Pipeline(pipeline) => raise(
                    known.pipelines.entry(pipeline.id.clone()).or_default(),
                    pipeline.revision,
                ),
                Write::Artifact(artifact) => {
                    known.artifacts.insert(artifact.id.clone());
                }
                Write::DeleteArtifact { id, .. } => {
                    known.artifacts.remove(id);
                }
                Write::Operation(operation) => raise(
                    known.operations.entry(operation.id.clone()).or_default(),
                    operation.revision,
                ),
                Write::DeleteOperation { id, .. } => {
                    known.operations.remove(id);
                }
                Write::Template(_)
                | Write::Key(_)
                | Write::Idempotency(_)
                | Write::Logs { .. }
                | Write::Sample(_) => {}
            }
        }
    }

    /// A caller was answered with a task.
    pub fn answered(&mut self, task: &Task) {
        let stored = self.tasks.get(&task.id).map(|stored| stored.revision);
        self.expect(
            Promise::NothingAcknowledgedIsLost,
            stored.is_some_and(|revision| revision >= task.revision),
            || format!("{} was answered, stored is {stored:?}", tell::task(task)),
        );
    }

    /// A completion was acknowledged to who showed this lease.
    pub fn completed(&mut self, task: &Task, proof: Proof) {
        self.answered(task);
        self.expect(
            Promise::CompletesAtMostOnce,
            task.status() == Status::Completed,
            || format!("a completion was answered with {}", tell::task(task)),
        );
        let winner = *self.winners.entry(task.id.clone()).or_insert(proof);
        self.expect(Promise::CompletesAtMostOnce, winner == proof, || {
            format!("{} was completed by {winner:?} and {proof:?}", task.id)
        });
    }

    /// Whether a lease holds its task this moment, or completed it.
    pub fn is_good(&self, id: &TaskId, proof: Proof) -> bool {
        self.is_granted(id, proof)
            || self.tasks.get(id).is_some_and(|task| {
                task.lease().is_some_and(|lease| lease.proof() == proof)
                    || (task.status() == Status::Completed
                        && task.attempts.last().is_some_and(|last| {
                            (last.number, last.nonce) == (proof.attempt, proof.nonce)
                        }))
            })
    }

    /// The progress of a task that was shown so far.
    pub fn task_floor(&self, id: &TaskId) -> f64 {
        self.shown.tasks.get(id).copied().unwrap_or(0.0)
    }

    /// A caller, whose call began at this floor, is shown a task.
    pub fn task_shown(&mut self, task: &Task, floor: f64) {
        self.answered(task);
        let percent = task.progress.percent;
        let may_fall = self.shown.run_anew.contains(&task.id);
        self.expect(
            Promise::ProgressNeverFalls,
            percent >= floor || may_fall,
            || format!("{} was shown at {floor} % before", tell::task(task)),
        );
        let shown = self.shown.tasks.entry(task.id.clone()).or_default();
        *shown = shown.max(percent);
    }

    /// The progress of a pipeline that was shown so far.
    pub fn pipeline_floor(&self, id: &PipelineId) -> Floor {
        Floor {
            pipeline: self.shown.pipelines.get(id).copied().unwrap_or(0.0),
            stages: self
                .shown
                .stages
                .iter()
                .filter(|((of, _, _), _)| of == id)
                .map(|((_, stage, run), percent)| ((*stage, *run), *percent))
                .collect(),
        }
    }

    /// A caller, whose call began at this floor, is shown a pipeline.
    pub fn pipeline_shown(&mut self, view: &PipelineView, floor: &Floor) {
        let pipeline = &view.pipeline;
        let stored = self.pipelines.get(&pipeline.id).map(|each| each.revision);
        self.expect(
            Promise::NothingAcknowledgedIsLost,
            stored.is_some_and(|revision| revision >= pipeline.revision),
            || {
                format!(
                    "pipeline `{}` was answered at revision {}, stored is {stored:?}",
                    pipeline.id, pipeline.revision
                )
            },
        );
        let percent = pipeline.progress(&view.facts);
        self.expect(
            Promise::ProgressNeverFalls,
            percent >= floor.pipeline - ROUNDING,
            || {
                format!(
                    "pipeline `{}` shows {percent} % after {} %",
                    pipeline.id, floor.pipeline
                )
            },
        );
        let shown = self.shown.pipelines.entry(pipeline.id.clone()).or_default();
        *shown = shown.max(percent);
        for stage in &pipeline.stages {
            let number = stage.definition.number;
            let percent = stage.progress(&view.facts);
            let before = floor.stages.get(&(number, stage.run)).copied();
            self.expect(
                Promise::ProgressNeverFalls,
                percent >= before.unwrap_or(0.0) - ROUNDING,
                || {
                    format!(
                        "stage {number} of `{}` shows {percent} % after {before:?} %",
                        pipeline.id
                    )
                },
            );
            let key = (pipeline.id.clone(), number, stage.run);
            let shown = self.shown.stages.entry(key).or_default();
            *shown = shown.max(percent);
        }
    }

    /// A request under a key sets out to create these tasks.
    pub fn asked_under(&mut self, key: &str, ids: Vec<TaskId>) {
        let repeated = self.repeated.entry(key.to_owned()).or_default();
        if !repeated.asked.contains(&ids) {
            repeated.asked.push(ids);
        }
    }

    /// A request under a key was answered with these tasks.
    pub fn created_under(&mut self, key: &str, ids: Vec<TaskId>) {
        let repeated = self.repeated.entry(key.to_owned()).or_default();
        let first = repeated.told.get_or_insert_with(|| ids.clone()).clone();
        self.expect(Promise::RepeatedRequestsCreateOnce, first == ids, || {
            format!("key `{key}` was answered with {first:?} and with {ids:?}")
        });
    }

    /// No request under a key created anything twice.
    pub(super) fn check_repeated(&mut self) {
        let twice = self.repeated.iter().find_map(|(key, repeated)| {
            let made: Vec<&Vec<TaskId>> = repeated
                .asked
                .iter()
                .filter(|ids| ids.iter().any(|id| self.tasks.contains_key(id)))
                .collect();
            let fits = match (&repeated.told, made.as_slice()) {
                (None, [] | [_]) => true,
                (Some(told), [made]) => told == *made,
                _ => false,
            };
            (!fits).then(|| format!("key `{key}` made {made:?}, told {:?}", repeated.told))
        });
        if let Some(detail) = twice {
            self.blame(Promise::RepeatedRequestsCreateOnce, || detail);
        }
    }
}

fn raise(known: &mut u64, revision: u64) {
    *known = (*known).max(revision);
}
