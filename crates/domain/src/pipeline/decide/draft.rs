//! A pipeline on its way to the next revision.

use super::{Decision, Effect};
use crate::{
    Timestamp,
    event::{Event, Kind},
    pipeline::{Pipeline, StageStatus, Status},
};

/// A document on its way to the next revision.
pub(super) struct Draft {
    pub(super) next: Pipeline,
    pub(super) events: Vec<Event>,
    pub(super) effects: Vec<Effect>,
    pub(super) now: Timestamp,
}

impl Draft {
    pub(super) fn new(pipeline: &Pipeline, now: Timestamp) -> Self {
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

    pub(super) fn run(&mut self) {
        self.next.status = Status::Running;
        self.next.started_at.get_or_insert(self.now);
        self.record(Kind::PipelineStarted, None, None);
    }

    pub(super) fn end(&mut self, status: Status, kind: Kind, message: Option<String>) {
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

    pub(super) fn record(&mut self, kind: Kind, stage: Option<u16>, message: Option<String>) {
        self.events
            .push(event(&self.next, kind, stage, self.now, message));
    }

    pub(super) fn done(self) -> Decision {
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
