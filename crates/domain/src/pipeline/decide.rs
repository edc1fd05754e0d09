//! The one door through which a pipeline changes.

use super::{
    Facts, Mode, Pipeline, StageStatus, Status,
    template::{check_payload, check_tags, check_text, check_title},
};
use crate::{
    Fault, Payload, Rejection, Timestamp,
    event::{Event, Kind},
    limits::STAGE_TASKS_MAX,
};

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

/// Changes to a pipeline; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// What people call it.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Free-form.
    pub metadata: Option<Payload>,
    /// Words to find it by.
    pub tags: Option<Vec<String>>,
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

/// Goes on as far as the facts allow. Asked again with the same facts it changes nothing.
fn advance(mut draft: Draft, facts: &Facts) -> Decision {
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
        draft.next.progress_floor = draft.next.progress(facts);
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
        draft.end(Status::Completed, Kind::PipelineCompleted, None);
        draft.next.progress_floor = 100.0;
        draft.effects.push(Effect::CollectOutput);
        changed = true;
    }
    if changed {
        draft.next.progress_floor = draft.next.progress(facts);
        draft.done()
    } else {
        Decision {
            effects: draft.effects,
            ..unchanged()
        }
    }
}

fn replay(mut draft: Draft, from: Option<u16>, percent: f64) -> Result<Decision, Rejection> {
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

impl Changes {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(name) = &self.name {
            check_title(name, &mut faults);
        }
        if let Some(description) = &self.description {
            check_text("/description", description, &mut faults);
        }
        if let Some(tags) = &self.tags {
            check_tags(tags, &mut faults);
        }
        if let Some(metadata) = &self.metadata {
            check_payload("/metadata", metadata, &mut faults);
        }
        faults
    }

    fn apply(self, pipeline: &mut Pipeline) {
        if let Some(name) = self.name {
            pipeline.name = name;
        }
        if let Some(description) = self.description {
            pipeline.description = description;
        }
        if let Some(metadata) = self.metadata {
            pipeline.metadata = metadata;
        }
        if let Some(tags) = self.tags {
            pipeline.tags = tags;
        }
    }
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

/// A document on its way to the next revision.
struct Draft {
    next: Pipeline,
    events: Vec<Event>,
    effects: Vec<Effect>,
    now: Timestamp,
}

impl Draft {
    fn new(pipeline: &Pipeline, now: Timestamp) -> Self {
        let mut next = pipeline.clone();
        next.revision += 1;
        next.updated_at = now;
        Self {
            next,
            events: Vec::new(),
            effects: Vec::new(),
            now,
        }
    }

    fn run(&mut self) {
        self.next.status = Status::Running;
        self.next.started_at.get_or_insert(self.now);
        self.record(Kind::PipelineStarted, None, None);
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

    fn end(&mut self, status: Status, kind: Kind, message: Option<String>) {
        self.next.status = status;
        self.next.completed_at = Some(self.now);
        self.next.error.clone_from(&message);
        if status != Status::Completed {
            for stage in &mut self.next.stages {
                stage.replaying = false;
                match stage.status {
                    StageStatus::Running => {
                        stage.status = StageStatus::Cancelled;
                        stage.completed_at = Some(self.now);
                    }
                    StageStatus::Pending if status == Status::Cancelled => {
                        stage.status = StageStatus::Cancelled;
                    }
                    StageStatus::Pending
                    | StageStatus::Completed
                    | StageStatus::Failed
                    | StageStatus::Cancelled => {}
                }
            }
            self.effects.clear();
            self.effects.push(Effect::CancelTasks);
        }
        self.record(kind, None, message);
    }

    fn record(&mut self, kind: Kind, stage: Option<u16>, message: Option<String>) {
        self.events
            .push(event(&self.next, kind, stage, self.now, message));
    }

    fn done(self) -> Decision {
        Decision {
            pipeline: Some(self.next),
            events: self.events,
            effects: self.effects,
        }
    }
}

/// An event about `pipeline` as it is now.
pub fn event(
    pipeline: &Pipeline,
    kind: Kind,
    stage: Option<u16>,
    at: Timestamp,
    message: Option<String>,
) -> Event {
    let mut event = Event::new(kind, at, pipeline.namespace.clone());
    event.pipeline_id = Some(pipeline.id.clone());
    event.stage = stage;
    let of_stage = matches!(
        kind,
        Kind::StageStarted | Kind::StageCompleted | Kind::StageFailed
    );
    let stage = stage.filter(|_| of_stage);
    event.status = Some(match stage.and_then(|number| pipeline.stage(number)) {
        Some(stage) => stage.status.as_str().into(),
        None => pipeline.status.as_str().into(),
    });
    event.subject = Some(pipeline.name.clone());
    event.progress = Some(pipeline.progress_floor);
    event.message = message;
    event
}
