//! How many tasks stand where.

use std::sync::Arc;

use mcpanel_domain::{
    Payload, Timestamp,
    pipeline::Status as PipelineStatus,
    task::{State, Status},
};

use super::{
    Backend, World,
    world::{count, namespace, pipeline_id},
};
use crate::{Commit, Write};

/// By status, and how many could be given out.
pub async fn totals_follow_tasks<B: Backend>() {
    let world = World::<B>::open().await;
    let tasks = world.create_all(&["a", "b", "c", "d"]).await;
    world.assign(&tasks[0], "worker", "sess_1").await;
    world.end(&tasks[1], State::Completed).await;
    world.end(&tasks[2], State::Failed).await;
    let mut world = world;
    for _ in 0..3 {
        let totals = world.totals(&world.ns).await.unwrap();
        for (status, expected) in [
            (Status::Pending, 1),
            (Status::Assigned, 1),
            (Status::Completed, 1),
            (Status::Failed, 1),
            (Status::Running, 0),
        ] {
            assert_eq!(count(&totals.tasks, status), expected, "{status:?}");
        }
        assert_eq!(totals.ready, 1);
        world = world.restart().await;
    }
    let other = world.totals(&namespace("other")).await.unwrap();
    assert_eq!(other.tasks, [0; 7]);
}

/// By stage and run of a pipeline, with the per cents added up.
pub async fn stage_counts_follow_tasks<B: Backend>() {
    let world = World::<B>::open().await;
    let mut tasks = Vec::new();
    for (stage, index) in [(1, 0), (2, 0), (2, 1), (2, 2)] {
        let task = world.stage_task("pipe_1", stage, index);
        world.create(&task).await;
        tasks.push(task);
    }
    let id = pipeline_id("pipe_1");
    world.end(&tasks[0], State::Completed).await;
    let half = world
        .change(&tasks[1], |task| task.progress.percent = 50.0)
        .await;
    world
        .change(&tasks[2], |task| task.progress.percent = 12.5)
        .await;
    let world = world.restart().await;
    let counts = world.stage_counts(&world.ns, &id).await.unwrap();
    assert_eq!(counts.len(), 2);
    assert_eq!(counts[0].stage, 1);
    assert_eq!(counts[0].count(Status::Completed), 1);
    assert_eq!(counts[1].count(Status::Pending), 3);
    assert!((counts[1].percent_sum - 62.5).abs() < 1e-9);
    world.end(&half, State::Completed).await;
    world.end(&tasks[3], State::Cancelled).await;
    let last = super::step(&tasks[2], |task| task.progress.percent = 12.5);
    world.end(&last, State::Completed).await;
    // Quiet for a while, then another run of a stage.
    let world = world.restart().await;
    let counts = world.stage_counts(&world.ns, &id).await.unwrap();
    assert_eq!(counts[1].total(), 3);
    let mut again = world.stage_task("pipe_1", 2, 0);
    again.id = mcpanel_domain::TaskId::of_stage(&id, 2, 2, 0);
    if let Some(place) = &mut again.place {
        place.run = 2;
    }
    world.create(&again).await;
    let counts = world.stage_counts(&world.ns, &id).await.unwrap();
    let runs: Vec<(u16, u32, u32)> = counts
        .iter()
        .map(|each| (each.stage, each.run, each.total()))
        .collect();
    assert_eq!(runs, [(1, 1, 1), (2, 1, 3), (2, 2, 1)]);
    assert!(
        world
            .stage_counts(&world.ns, &pipeline_id("nobody"))
            .await
            .unwrap()
            .is_empty()
    );
}

/// Running ones, ended ones with live tasks, completed ones without output.
pub async fn unsettled_pipelines_are_found<B: Backend>() {
    let world = World::<B>::open().await;
    let mut live = None;
    for (id, status, output) in [
        ("pipe_created", PipelineStatus::Created, false),
        ("pipe_running", PipelineStatus::Running, false),
        ("pipe_silent", PipelineStatus::Completed, false),
        ("pipe_done", PipelineStatus::Completed, true),
        ("pipe_failed", PipelineStatus::Failed, false),
        ("pipe_lively", PipelineStatus::Cancelled, false),
    ] {
        let mut pipeline = world.new_pipeline(id);
        if id == "pipe_lively" {
            let task = world.stage_task(id, 1, 0);
            world.create(&task).await;
            live = Some(task);
        }
        pipeline.status = status;
        pipeline.output_data = output.then(Payload::empty);
        pipeline.started_at = Some(Timestamp::ZERO);
        world
            .commit(Commit::of(Write::Pipeline(Arc::new(pipeline))))
            .await
            .unwrap();
    }
    let unsettled = async |world: &World<B>| -> Vec<String> {
        let found = world.unsettled_pipelines().await.unwrap();
        found.iter().map(|(_, id)| id.to_string()).collect()
    };
    let expected = ["pipe_lively", "pipe_running", "pipe_silent"];
    assert_eq!(unsettled(&world).await, expected);
    let world = world.restart().await;
    assert_eq!(unsettled(&world).await, expected);
    world.end(&live.unwrap(), State::Cancelled).await;
    assert_eq!(unsettled(&world).await, ["pipe_running", "pipe_silent"]);
    let world = world.restart().await;
    assert_eq!(unsettled(&world).await, ["pipe_running", "pipe_silent"]);
}

/// Whether its task comes back before or after a restart.
pub async fn an_ended_pipeline_with_a_revived_task_is_unsettled<B: Backend>() {
    let mut world = World::<B>::open().await;
    let mut tasks = Vec::new();
    for id in ["pipe_failed", "pipe_cancelled"] {
        let task = world.stage_task(id, 1, 0);
        world.create(&task).await;
        tasks.push(world.end(&task, State::Failed).await);
        let mut pipeline = world.new_pipeline(id);
        pipeline.status = match id {
            "pipe_failed" => PipelineStatus::Failed,
            _ => PipelineStatus::Cancelled,
        };
        world
            .commit(Commit::of(Write::Pipeline(Arc::new(pipeline))))
            .await
            .unwrap();
    }
    let unsettled = async |world: &World<B>| -> Vec<String> {
        let found = world.unsettled_pipelines().await.unwrap();
        found.iter().map(|(_, id)| id.to_string()).collect()
    };
    let revive = |task: &mut mcpanel_domain::task::Task| {
        task.state = State::Pending;
        task.completed_at = None;
    };
    assert!(unsettled(&world).await.is_empty());
    let first = world.change(&tasks[0], revive).await;
    assert_eq!(unsettled(&world).await, ["pipe_failed"]);
    world = world.restart().await;
    assert_eq!(unsettled(&world).await, ["pipe_failed"]);
    let second = world.change(&tasks[1], revive).await;
    assert_eq!(unsettled(&world).await, ["pipe_cancelled", "pipe_failed"]);
    world.end(&first, State::Completed).await;
    world.end(&second, State::Failed).await;
    assert!(unsettled(&world).await.is_empty());
}
