//! What must hold when a pipeline changes: its stages begin in order, and it ends for a reason.

use mcpanel_domain::{
    Timestamp,
    event::{Event, Kind},
    pipeline::{Pipeline, StageStatus, Status as PipelineStatus},
    task::{Status, Task},
};

use super::{
    super::{Observer, Promise, tell},
    runs_on,
};

impl Observer {
    /// A stage's tasks are made once the stages before it are completed.
    pub(super) fn check_place(&mut self, new: &Task) {
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

    pub(super) fn check_pipeline(&mut self, new: &Pipeline, events: &[Event], earliest: Timestamp) {
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
}
