//! Pipelines for the tests of how they are shown.

use mcpanel_api::{
    PipelineId, Timestamp,
    pipeline::{
        PipelineProgress, PipelineStatus, StagePace, StageProgress, StageStatus, TaskCounts,
    },
};

/// A stage that has not said anything.
pub fn stage(stage: u16, status: StageStatus, progress: f64) -> StageProgress {
    StageProgress {
        stage,
        name: "sift".to_owned(),
        status,
        progress,
        counts: TaskCounts::default(),
        counters: None,
        message: None,
        pace: StagePace::default(),
        started_at: None,
        completed_at: None,
    }
}

/// A pipeline of these stages.
pub fn pipeline(status: PipelineStatus, stages: Vec<StageProgress>) -> PipelineProgress {
    PipelineProgress {
        pipeline_id: PipelineId::parse("pipe_1").unwrap(),
        status,
        progress: 43.2,
        stages,
        updated_at: Timestamp::ZERO,
    }
}
