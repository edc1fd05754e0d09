//! What the rules are told about a pipeline's tasks: counted from their documents by the store.

use crate::task::Status as TaskStatus;

/// Counts for all stages of a pipeline.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// One entry for each (stage, run) that has tasks.
    pub stages: Vec<StageCounts>,
    /// How many chunks a `map` stage that could start now would get: (stage, chunks).
    pub inputs: Vec<(u16, u32)>,
    /// How many tasks of a stage that is being replayed were asked to stop and have not: (stage, tasks).
    pub stopping: Vec<(u16, u32)>,
}

/// How many tasks of one run of a stage stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StageCounts {
    /// Which stage.
    pub stage: u16,
    /// Which run of it.
    pub run: u32,
    /// Tasks by status, in the order of [`TaskStatus::ALL`].
    pub by_status: [u32; 7],
    /// The sum of the tasks' per cents; a completed task counts 100.
    pub percent_sum: f64,
}

impl StageCounts {
    /// Tasks of this status.
    pub fn count(&self, status: TaskStatus) -> u32 {
        TaskStatus::ALL
            .iter()
            .position(|each| *each == status)
            .map_or(0, |at| self.by_status[at])
    }

    /// All tasks.
    pub fn total(&self) -> u32 {
        self.by_status.iter().sum()
    }

    /// Tasks that have not ended.
    pub fn live(&self) -> u32 {
        let ended = self.lost() + self.count(TaskStatus::Completed);
        self.total().saturating_sub(ended)
    }

    /// Tasks that failed or were cancelled.
    pub fn lost(&self) -> u32 {
        self.count(TaskStatus::Failed) + self.count(TaskStatus::Cancelled)
    }
}

impl Facts {
    /// The counts of one run of a stage; zeros when it has no tasks.
    pub fn of(&self, stage: u16, run: u32) -> StageCounts {
        self.stages
            .iter()
            .find(|counts| counts.stage == stage && counts.run == run)
            .copied()
            .unwrap_or(StageCounts {
                stage,
                run,
                ..StageCounts::default()
            })
    }

    /// The tasks of a stage that were asked to stop and have not.
    pub fn stopping(&self, stage: u16) -> u32 {
        self.stopping
            .iter()
            .find(|(number, _)| *number == stage)
            .map_or(0, |(_, tasks)| *tasks)
    }

    /// The chunks that a `map` stage would get.
    pub fn chunks(&self, stage: u16) -> Option<u32> {
        self.inputs
            .iter()
            .find(|(number, _)| *number == stage)
            .map(|(_, chunks)| *chunks)
    }
}
