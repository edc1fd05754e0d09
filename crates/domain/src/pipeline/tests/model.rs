//! A model of what surrounds a pipeline: its tasks, and the effects that are done to them.

use std::collections::BTreeMap;

use super::*;

/// A task as far as counts go: where it stands, how far it is, whether it is to stop.
#[derive(Debug, Clone)]
pub struct ModelTask {
    pub status: TaskStatus,
    pub percent: f64,
    pub stopping: bool,
}

/// A pipeline and its tasks.
pub struct World {
    pub pipeline: Pipeline,
    /// By stage, run and index.
    pub tasks: BTreeMap<(u16, u32, u32), ModelTask>,
    /// Chunks that each task of a stage brings.
    pub chunks: u32,
}

impl World {
    pub fn new(stages: Vec<StageDefinition>, chunks: u32) -> Self {
        Self {
            pipeline: pipeline(stages),
            tasks: BTreeMap::new(),
            chunks,
        }
    }

    pub fn facts(&self) -> Facts {
        let mut stages: BTreeMap<(u16, u32), StageCounts> = BTreeMap::new();
        for ((stage, run, _), task) in &self.tasks {
            let more = counts(*stage, *run, &[task.status]);
            let entry = stages.entry((*stage, *run)).or_insert(StageCounts {
                stage: *stage,
                run: *run,
                ..StageCounts::default()
            });
            for (sum, one) in entry.by_status.iter_mut().zip(more.by_status) {
                *sum += one;
            }
            entry.percent_sum += task.percent;
        }
        let inputs = self.pipeline.stages.iter().map(|stage| {
            let before = stage.definition.dependencies.iter();
            let made: u32 = before
                .filter_map(|number| self.pipeline.stage(*number))
                .map(|before| before.total * self.chunks)
                .sum();
            let first = stage.definition.dependencies.is_empty();
            (
                stage.definition.number,
                if first { self.chunks } else { made },
            )
        });
        let stopping = self.pipeline.stages.iter().map(|stage| {
            let of_stage = self.tasks.iter().filter(|((number, run, _), task)| {
                (*number, *run) == (stage.definition.number, stage.run)
                    && task.stopping
                    && !task.status.is_terminal()
            });
            (stage.definition.number, of_stage.count() as u32)
        });
        Facts {
            stages: stages.into_values().collect(),
            inputs: inputs.collect(),
            stopping: stopping.collect(),
        }
    }

    /// One look at the facts, with what follows; tells whether anything changed.
    pub fn advance(&mut self) -> bool {
        let facts = self.facts();
        let decided = decide(&self.pipeline, Command::Advance { facts }, at(10)).unwrap();
        let mut changed = decided.pipeline.is_some();
        if let Some(next) = decided.pipeline {
            self.pipeline = next;
        }
        for effect in decided.effects {
            changed |= self.perform(effect);
        }
        changed
    }

    fn perform(&mut self, effect: Effect) -> bool {
        match effect {
            Effect::FillStage { stage } => {
                let of = self.pipeline.stage(stage).unwrap();
                let (run, total) = (of.run, of.total);
                let before = self.tasks.len();
                for index in 0..total {
                    self.tasks.entry((stage, run, index)).or_insert(ModelTask {
                        status: TaskStatus::Pending,
                        percent: 0.0,
                        stopping: false,
                    });
                }
                self.tasks.len() > before
            }
            Effect::ReplayTasks { stage } => {
                let run = self.pipeline.stage(stage).unwrap().run;
                self.each(
                    |(number, of, _), _| (*number, *of) == (stage, run),
                    |task| match task.status {
                        TaskStatus::Failed | TaskStatus::Cancelled => {
                            task.status = TaskStatus::Pending;
                            task.stopping = false;
                            true
                        }
                        _ => std::mem::take(&mut task.stopping),
                    },
                )
            }
            Effect::CancelTasks => self.each(|_, _| true, stop),
            Effect::CancelOutdated => self.each(
                |(number, run, _), pipeline| *run < pipeline.stage(*number).unwrap().run,
                stop,
            ),
            Effect::CollectOutput => {
                let output = Payload::empty();
                let decided = decide(&self.pipeline, Command::StoreOutput { output }, at(10));
                match decided.unwrap().pipeline {
                    Some(next) => {
                        self.pipeline = next;
                        true
                    }
                    None => false,
                }
            }
        }
    }

    fn each(
        &mut self,
        wanted: impl Fn(&(u16, u32, u32), &Pipeline) -> bool,
        mut change: impl FnMut(&mut ModelTask) -> bool,
    ) -> bool {
        let mut changed = false;
        for (place, task) in &mut self.tasks {
            if wanted(place, &self.pipeline) {
                changed |= change(task);
            }
        }
        changed
    }
}

/// A waiting task is cancelled, a held one asked to stop.
fn stop(task: &mut ModelTask) -> bool {
    match task.status {
        TaskStatus::Pending | TaskStatus::Retry => {
            task.status = TaskStatus::Cancelled;
            true
        }
        TaskStatus::Assigned | TaskStatus::Running => !std::mem::replace(&mut task.stopping, true),
        TaskStatus::Completed | TaskStatus::Failed | TaskStatus::Cancelled => false,
    }
}
