//! The one door through which a pipeline changes.

mod advance;
mod changes;
mod draft;
mod replay;

use self::{advance::advance, draft::Draft, replay::replay};
use super::{Facts, Pipeline, StageStatus, Status};
use crate::{
    Payload, Rejection, Timestamp,
    event::{Event, Kind},
};

pub use changes::Changes;
pub use draft::event;

/// What can be asked of a pipeline.
#[derive(Debug, Clone)]
pub enum Command {
    /// Begin to run.
    Execute,
    /// Begin with this stage, or run it now, or run what failed in it again.
    ExecuteStage { stage: u16 },
    /// Look at the facts and go on: end stages whose tasks ended, start those whose turn it is.
    Advance { facts: Facts },
    /// The results of the last stages are in.
    StoreOutput { output: Payload },
    /// Stop.
    Cancel { by: String, reason: Option<String> },
    /// Run again: what failed or was cancelled, or everything from a stage on. `percent` is what was last shown.
    Replay { from: Option<u16>, percent: f64 },
    /// Something is done to its tasks in its name: only the revision changes, so that it is not done
    /// once the pipeline has moved on.
    Touch,
    /// Change its description.
    Update(Changes),
}

/// What the rules answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The new document; `None` when nothing changes.
    pub pipeline: Option<Pipeline>,
    /// What to record in the same commit.
    pub events: Vec<Event>,
    /// What to do after the commit.
    pub effects: Vec<Effect>,
}

/// Something to do after the commit; safe to repeat, found by reconcilers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Make the tasks of this run of a stage that are not there yet.
    FillStage { stage: u16 },
    /// Put its failed and cancelled tasks back in the queue, and let those go on that were asked to stop.
    ReplayTasks { stage: u16 },
    /// Cancel the tasks of earlier runs of stages that are run anew.
    CancelOutdated,
    /// Cancel all tasks that have not ended.
    CancelTasks,
    /// Gather the results of the last stages.
    CollectOutput,
}

/// Decides what `command` does to `pipeline` at `now`.
pub fn decide(
    pipeline: &Pipeline,
    command: Command,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    let now = now.not_before(pipeline.updated_at);
    let mut draft = Draft::new(pipeline, now);
    match command {
        Command::Execute => match pipeline.status {
            Status::Created => draft.run(),
            // Said twice, because the first answer got lost.
            Status::Running => return Ok(unchanged()),
            Status::Completed | Status::Failed | Status::Cancelled => {
                return Err(invalid(
                    "an execution",
                    pipeline,
                    "; use retry to run it again",
                ));
            }
        },
        Command::ExecuteStage { stage } => return execute_stage(draft, stage),
        Command::Advance { facts } => return Ok(advance(draft, &facts)),
        Command::StoreOutput { output } => {
            if pipeline.status != Status::Completed || pipeline.output_data.is_some() {
                return Ok(unchanged());
            }
            draft.next.output_data = Some(output);
        }
        Command::Cancel { by, reason } => match pipeline.status {
            Status::Cancelled => return Ok(unchanged()),
            Status::Completed | Status::Failed => {
                return Err(invalid("a cancellation", pipeline, "; it has ended"));
            }
            Status::Created | Status::Running => {
                let message = match reason {
                    Some(reason) => format!("cancelled by `{by}`: {reason}"),
                    None => format!("cancelled by `{by}`"),
                };
                draft.end(Status::Cancelled, Kind::PipelineCancelled, Some(message));
            }
        },
        Command::Replay { from, percent } => return replay(draft, from, percent),
        Command::Touch => {}
        Command::Update(changes) => {
            let faults = changes.faults();
            if !faults.is_empty() {
                return Err(Rejection::Invalid { faults });
            }
            changes.apply(&mut draft.next);
            draft.record(Kind::PipelineUpdated, None, None);
        }
    }
    Ok(draft.done())
}

fn execute_stage(mut draft: Draft, number: u16) -> Result<Decision, Rejection> {
    let Some(stage) = draft.next.stage(number) else {
        return Err(Rejection::not_found("stage", number));
    };
    match stage.status {
        StageStatus::Running => return Ok(unchanged()),
        StageStatus::Completed => {
            return Err(Rejection::InvalidTransition {
                what: "an execution",
                of: "stage",
                state: "completed",
                hint: "; use the pipeline's retry with `from_stage` to run it again",
            });
        }
        StageStatus::Failed | StageStatus::Cancelled => {
            let percent = draft.next.progress_floor;
            return replay(draft, None, percent);
        }
        StageStatus::Pending => {}
    }
    let blocked = stage.definition.dependencies.iter().any(|dependency| {
        draft
            .next
            .stage(*dependency)
            .is_none_or(|before| before.status != StageStatus::Completed)
    });
    if blocked {
        return Err(Rejection::InvalidTransition {
            what: "an execution",
            of: "stage",
            state: "pending",
            hint: "; stages that it depends on are not completed",
        });
    }
    match draft.next.status {
        Status::Created => draft.run(),
        // The next look at the facts starts it.
        Status::Running => return Ok(unchanged()),
        Status::Completed | Status::Failed | Status::Cancelled => {
            return Err(invalid(
                "an execution of a stage",
                &draft.next,
                "; use the pipeline's retry",
            ));
        }
    }
    Ok(draft.done())
}

fn unchanged() -> Decision {
    Decision {
        pipeline: None,
        events: Vec::new(),
        effects: Vec::new(),
    }
}

fn invalid(what: &'static str, pipeline: &Pipeline, hint: &'static str) -> Rejection {
    Rejection::InvalidTransition {
        what,
        of: "pipeline",
        state: pipeline.status.as_str(),
        hint,
    }
}
