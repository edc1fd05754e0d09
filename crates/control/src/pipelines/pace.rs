//! How fast the stages of a pipeline go: how long their tasks run, how many end in a minute, how long the rest will
//! take. Worked out from the tasks that ended last, so that it costs the same for ten tasks and for a hundred thousand.

use mcpanel_domain::{
    Timestamp,
    pipeline::{Pipeline, Stage, StageStatus},
    task::{Status, Task},
};
use mcpanel_store::query::Page;

use super::{PipelineOrchestrator, PipelineView, bulk::tasks_of};
use crate::Result;

/// Tasks of a stage that are looked at. The index of a task follows the order in which tasks are given out, so
/// these are about the last that ended; for a percentile of 95 they leave ten above it.
const TASKS_LOOKED: usize = 200;

/// The time that a rate is taken over, in milliseconds: long enough to be calm, short enough to be of now.
const RATE_MS: u64 = 60_000;

/// How fast a stage goes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StagePace {
    /// How long the middle one of its tasks ran, in milliseconds.
    pub run_p50_ms: Option<u64>,
    /// What 95 of 100 of its tasks did not exceed, in milliseconds.
    pub run_p95_ms: Option<u64>,
    /// Tasks completed in a minute: of late while it runs, over all once it is completed.
    pub per_minute: Option<f64>,
    /// How long the rest will take at this rate, in milliseconds; none while it does not run or nothing ends.
    pub eta_ms: Option<u64>,
}

impl PipelineOrchestrator {
    /// How fast each stage goes, in the order of the stages.
    pub async fn paces(&self, view: &PipelineView) -> Result<Vec<StagePace>> {
        let mut paces = Vec::with_capacity(view.pipeline.stages.len());
        for stage in &view.pipeline.stages {
            paces.push(match stage.status {
                StageStatus::Pending => StagePace::default(),
                StageStatus::Running
                | StageStatus::Completed
                | StageStatus::Failed
                | StageStatus::Cancelled => self.pace(view, stage).await?,
            });
        }
        Ok(paces)
    }

    async fn pace(&self, view: &PipelineView, stage: &Stage) -> Result<StagePace> {
        let pipeline: &Pipeline = &view.pipeline;
        let number = stage.definition.number;
        let filter = tasks_of(pipeline, Some(number), &[Status::Completed]);
        let page = Page::first(TASKS_LOOKED);
        let listing = self
            .core
            .store
            .list_tasks(&pipeline.namespace, &filter, &page)
            .await?;
        let ended: Vec<Ended> = listing
            .items
            .iter()
            .filter(|task| {
                let place = task.place.as_ref();
                place.is_some_and(|place| place.run == stage.run)
            })
            .filter_map(|task| Ended::of(task))
            .collect();
        let counts = view.facts.of(number, stage.run);
        let done = counts.count(Status::Completed);
        Ok(StagePace::of(
            stage,
            ended,
            stage.total.saturating_sub(done),
            self.core.now(),
        ))
    }
}

/// What a completed task says about its stage.
struct Ended {
    run_ms: u64,
    at: Timestamp,
}

impl Ended {
    fn of(task: &Task) -> Option<Self> {
        let at = task.completed_at?;
        let last = task.attempts.last()?;
        let began = last.started_at.unwrap_or(last.assigned_at);
        Some(Self {
            run_ms: at.ms_since(began),
            at,
        })
    }
}

impl StagePace {
    fn of(stage: &Stage, mut ended: Vec<Ended>, left: u32, now: Timestamp) -> Self {
        ended.sort_by_key(|each| each.run_ms);
        let per_minute = match (stage.status, stage.started_at, stage.completed_at) {
            (StageStatus::Running, Some(started_at), _) => rate(&ended, started_at, now),
            (StageStatus::Completed, Some(started_at), Some(completed_at)) => {
                per_minute(u64::from(stage.total), completed_at.ms_since(started_at))
            }
            _ => None,
        };
        let eta_ms = per_minute
            .filter(|rate| stage.status == StageStatus::Running && *rate > 0.0)
            .map(|rate| (f64::from(left) / rate * 60_000.0) as u64);
        Self {
            run_p50_ms: percentile(&ended, 50),
            run_p95_ms: percentile(&ended, 95),
            per_minute,
            eta_ms,
        }
    }
}

/// How many ended in a minute of late. Of a stage so fast that those looked at all ended within that time, they tell
/// of a shorter one.
fn rate(ended: &[Ended], started_at: Timestamp, now: Timestamp) -> Option<f64> {
    let window = now.minus_ms(RATE_MS).max(started_at);
    let late = ended.iter().filter(|each| each.at >= window);
    let count = u64::try_from(late.count()).unwrap_or(u64::MAX);
    let oldest = ended.iter().map(|each| each.at).min();
    let from = match oldest {
        Some(oldest) if ended.len() == TASKS_LOOKED => window.max(oldest),
        _ => window,
    };
    per_minute(count, now.ms_since(from))
}

fn per_minute(count: u64, ms: u64) -> Option<f64> {
    // Counts of tasks and milliseconds are far below the 2^53 that a float holds exactly.
    (count > 0).then(|| count as f64 * 60_000.0 / ms.max(1) as f64)
}

/// Of durations in order, the one that so many per cent do not exceed.
fn percentile(ended: &[Ended], per_cent: usize) -> Option<u64> {
    let rank = (ended.len() * per_cent).div_ceil(100).max(1);
    ended.get(rank - 1).map(|each| each.run_ms)
}
