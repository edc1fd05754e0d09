//! Going on: stages end when their tasks have, and start when it is their turn.

use super::{Decision, Effect, draft::Draft, unchanged};
use crate::{
    event::Kind,
    limits::STAGE_TASKS_MAX,
    pipeline::{Facts, Mode, StageStatus, Status},
};

/// Goes on as far as the facts allow. Asked again with the same facts it changes nothing.
pub(super) fn advance(mut draft: Draft, facts: &Facts) -> Decision {
    if draft.has_outdated_tasks(facts) {
        draft.effects.push(Effect::CancelOutdated);
    }
    match draft.next.status {
        Status::Running => {}
        Status::Created => return unchanged(),
        Status::Cancelled | Status::Failed => {
            return Decision {
                effects: vec![Effect::CancelTasks],
                ..unchanged()
            };
        }
        Status::Completed => {
            if draft.next.output_data.is_none() {
                draft.effects.push(Effect::CollectOutput);
            }
            return Decision {
                effects: draft.effects,
                ..unchanged()
            };
        }
    }
    let mut changed = false;
    for at in 0..draft.next.stages.len() {
        changed |= draft.settle_stage(at, facts);
    }
    if draft
        .next
        .stages
        .iter()
        .any(|stage| stage.status == StageStatus::Failed)
    {
        let message = draft.failure(facts);
        draft.raise(facts);
        draft.end(Status::Failed, Kind::PipelineFailed, Some(message));
        return draft.done();
    }
    for at in 0..draft.next.stages.len() {
        changed |= draft.start_stage(at, facts);
    }
    if draft
        .next
        .stages
        .iter()
        .all(|stage| stage.status == StageStatus::Completed)
    {
        draft.next.progress_floor = 100.0;
        draft.end(Status::Completed, Kind::PipelineCompleted, None);
        draft.effects.push(Effect::CollectOutput);
        changed = true;
    }
    if changed {
        draft.raise(facts);
        draft.done()
    } else {
        Decision {
            effects: draft.effects,
            ..unchanged()
        }
    }
}

impl Draft {
    /// Takes in how far the pipeline is: before what happened is recorded, so that events tell of the state afterwards.
    fn raise(&mut self, facts: &Facts) {
        self.next.progress_floor = self.next.progress(facts);
    }

    /// Ends a running stage whose tasks have ended; asks for what is missing otherwise.
    fn settle_stage(&mut self, at: usize, facts: &Facts) -> bool {
        let stage = &mut self.next.stages[at];
        if stage.status != StageStatus::Running {
            return false;
        }
        let number = stage.definition.number;
        let counts = facts.of(number, stage.run);
        if stage.replaying {
            if counts.lost() > 0 || facts.stopping(number) > 0 {
                self.effects.push(Effect::ReplayTasks { stage: number });
                return false;
            }
            stage.replaying = false;
            if counts.total() < stage.total {
                self.effects.push(Effect::FillStage { stage: number });
            }
            return true;
        }
        if counts.lost() > 0 {
            stage.status = StageStatus::Failed;
            stage.completed_at = Some(self.now);
            self.raise(facts);
            self.record(Kind::StageFailed, Some(number), None);
            return true;
        }
        if counts.total() < stage.total {
            self.effects.push(Effect::FillStage { stage: number });
            return false;
        }
        if counts.count(crate::task::Status::Completed) == stage.total {
            stage.status = StageStatus::Completed;
            stage.completed_at = Some(self.now);
            self.raise(facts);
            self.record(Kind::StageCompleted, Some(number), None);
            return true;
        }
        false
    }

    /// Starts a pending stage whose dependencies are completed and whose size is known.
    fn start_stage(&mut self, at: usize, facts: &Facts) -> bool {
        let stage = &self.next.stages[at];
        let ready = stage.status == StageStatus::Pending
            && stage.definition.dependencies.iter().all(|dependency| {
                self.next
                    .stage(*dependency)
                    .is_some_and(|before| before.status == StageStatus::Completed)
            });
        if !ready {
            return false;
        }
        let number = stage.definition.number;
        let total = match stage.definition.mode {
            Mode::Single | Mode::Reduce => 1,
            Mode::Map => match facts.chunks(number) {
                Some(chunks) => chunks,
                // Not counted yet: the next look at the facts will have it.
                None => return false,
            },
        };
        let stage = &mut self.next.stages[at];
        if total > STAGE_TASKS_MAX {
            // It has not begun: a retry counts its chunks anew.
            stage.status = StageStatus::Failed;
            stage.completed_at = Some(self.now);
            let message = format!("has {total} chunks; at most {STAGE_TASKS_MAX} are possible");
            self.record(Kind::StageFailed, Some(number), Some(message));
            return true;
        }
        stage.started_at = Some(self.now);
        stage.total = total;
        stage.status = StageStatus::Running;
        self.record(Kind::StageStarted, Some(number), None);
        if total == 0 {
            let stage = &mut self.next.stages[at];
            stage.status = StageStatus::Completed;
            stage.completed_at = Some(self.now);
            self.raise(facts);
            self.record(Kind::StageCompleted, Some(number), None);
        } else {
            self.effects.push(Effect::FillStage { stage: number });
        }
        true
    }

    /// Whether tasks are live that belong to an earlier run of their stage.
    fn has_outdated_tasks(&self, facts: &Facts) -> bool {
        facts.stages.iter().any(|counts| {
            counts.live() > 0
                && self
                    .next
                    .stage(counts.stage)
                    .is_some_and(|stage| counts.run < stage.run)
        })
    }

    fn failure(&self, facts: &Facts) -> String {
        let failed: Vec<String> = self
            .next
            .stages
            .iter()
            .filter(|stage| stage.status == StageStatus::Failed)
            .map(|stage| {
                let counts = facts.of(stage.definition.number, stage.run);
                let (number, name) = (stage.definition.number, &stage.definition.name);
                if stage.started_at.is_none() {
                    return format!("stage {number} ({name}): more than {STAGE_TASKS_MAX} chunks");
                }
                format!(
                    "stage {number} ({name}): {} of {} tasks failed or were cancelled",
                    counts.lost(),
                    stage.total
                )
            })
            .collect();
        failed.join("; ")
    }
}
