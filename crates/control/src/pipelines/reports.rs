//! What the agents say about the tasks of a stage: their counters added up, and their latest words.

use std::collections::BTreeMap;

use mcpanel_domain::{
    Name, TaskId,
    pipeline::{Pipeline, Stage},
    task::Task,
};

use super::{PipelineOrchestrator, PipelineView};
use crate::Result;

/// Tasks of a stage whose counters are added up. They are read by their derived ids, a few microseconds each;
/// for larger stages the counts of tasks tell as much.
pub const REPORTED_TASKS_MAX: u32 = 1_000;

/// What the agents say about one stage.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StageReport {
    /// Each counter, added up over all tasks; none when the stage has too many to look at.
    pub counters: Option<BTreeMap<Name, u64>>,
    /// What was last said about a task that runs.
    pub message: Option<String>,
}

impl PipelineOrchestrator {
    /// What the agents say about each stage, in the order of the stages.
    pub async fn reports(&self, view: &PipelineView) -> Result<Vec<StageReport>> {
        let mut reports = Vec::with_capacity(view.pipeline.stages.len());
        for stage in &view.pipeline.stages {
            reports.push(self.report(&view.pipeline, stage).await?);
        }
        Ok(reports)
    }

    async fn report(&self, pipeline: &Pipeline, stage: &Stage) -> Result<StageReport> {
        if stage.total > REPORTED_TASKS_MAX {
            return Ok(StageReport::default());
        }
        let ids: Vec<TaskId> = (0..stage.total)
            .map(|index| TaskId::of_stage(&pipeline.id, stage.run, stage.definition.number, index))
            .collect();
        let tasks = self.core.store.tasks(&pipeline.namespace, &ids).await?;
        let mut counters = BTreeMap::new();
        let mut latest: Option<&Task> = None;
        for task in tasks.iter().flatten() {
            for (name, count) in &task.progress.counters {
                let sum: &mut u64 = counters.entry(name.clone()).or_default();
                *sum = sum.saturating_add(*count);
            }
            let speaks = task.lease().is_some() && task.progress.message.is_some();
            if speaks && latest.is_none_or(|before| before.updated_at < task.updated_at) {
                latest = Some(task);
            }
        }
        Ok(StageReport {
            counters: Some(counters),
            message: latest.and_then(|task| task.progress.message.clone()),
        })
    }
}
