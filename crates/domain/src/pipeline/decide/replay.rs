//! Running again: what failed or was cancelled, or everything from a stage on.

use super::{Decision, Effect, draft::Draft, invalid};
use crate::{
    Rejection,
    event::Kind,
    pipeline::{StageStatus, Status},
};

pub(super) fn replay(
    mut draft: Draft,
    from: Option<u16>,
    percent: f64,
) -> Result<Decision, Rejection> {
    match draft.next.status {
        Status::Failed | Status::Cancelled => {}
        Status::Completed if from.is_some() => {}
        Status::Created | Status::Running | Status::Completed => {
            return Err(invalid(
                "a retry",
                &draft.next,
                "; failed and cancelled pipelines can be retried, completed ones from a stage",
            ));
        }
    }
    draft.next.progress_floor = draft.next.progress_floor.max(percent.min(100.0));
    let mut effects = Vec::new();
    if let Some(number) = from {
        if draft.next.stage(number).is_none() {
            return Err(Rejection::fault(
                "/from_stage",
                "unknown_stage",
                format!("is {number}; the pipeline has no such stage"),
            ));
        }
        for at in draft.downstream(number) {
            let stage = &mut draft.next.stages[at];
            // A stage that never began has no tasks whose ids could clash.
            if stage.started_at.is_some() {
                stage.run += 1;
            }
            stage.status = StageStatus::Pending;
            stage.total = 0;
            stage.replaying = false;
            stage.started_at = None;
            stage.completed_at = None;
        }
    }
    for stage in &mut draft.next.stages {
        if matches!(stage.status, StageStatus::Failed | StageStatus::Cancelled) {
            if stage.started_at.is_some() {
                stage.status = StageStatus::Running;
                stage.replaying = true;
                stage.completed_at = None;
                effects.push(Effect::ReplayTasks {
                    stage: stage.definition.number,
                });
            } else {
                stage.status = StageStatus::Pending;
            }
        }
    }
    draft.next.status = Status::Running;
    draft.next.started_at.get_or_insert(draft.now);
    draft.next.completed_at = None;
    draft.next.error = None;
    draft.next.output_data = None;
    draft.effects = effects;
    draft.record(Kind::PipelineReplayed, from, None);
    Ok(draft.done())
}

impl Draft {
    /// Positions of the stage and of all that depend on it, however far.
    fn downstream(&self, number: u16) -> Vec<usize> {
        let mut numbers = vec![number];
        // Stages form no circle, so one round per stage is enough.
        for _ in 0..self.next.stages.len() {
            for stage in &self.next.stages {
                let follows = stage
                    .definition
                    .dependencies
                    .iter()
                    .any(|each| numbers.contains(each));
                if follows && !numbers.contains(&stage.definition.number) {
                    numbers.push(stage.definition.number);
                }
            }
        }
        (0..self.next.stages.len())
            .filter(|at| numbers.contains(&self.next.stages[*at].definition.number))
            .collect()
    }
}
