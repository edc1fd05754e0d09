//! Running a pipeline again: what failed, or everything from a stage on.

use mcpanel_domain::{
    PipelineId,
    pipeline::{Mode, Status},
    retry::ErrorType,
    task::Status as TaskStatus,
};

use super::{
    world::{World, stage},
    *,
};
use crate::PipelineView;

fn p() -> PipelineId {
    PipelineId::parse("p").unwrap()
}

fn in_a_row() -> Vec<mcpanel_domain::pipeline::StageDefinition> {
    vec![
        stage(1, Mode::Single, "read", &[]),
        stage(2, Mode::Map, "read", &[1]),
        stage(3, Mode::Reduce, "read", &[2]),
    ]
}

async fn retry(world: &World, from: Option<u16>) -> PipelineView {
    world
        .control
        .pipelines
        .retry(&world.scope, &p(), from)
        .await
        .unwrap()
}

/// A run whose second stage has one completed and one failed task.
async fn failed_in_the_middle() -> World {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    world.execute("p", in_a_row()).await;
    let proof = world.hold("a", "p.s1.000000").await;
    for index in 0..2 {
        world.chunk("p.s1.000000", proof, index).await.unwrap();
    }
    world.complete("p.s1.000000", proof).await;
    let second = world.claim("a", 2).await;
    world.complete("p.s2.000000", second[0].proof).await;
    world
        .fail("p.s2.000001", second[1].proof, ErrorType::Validation)
        .await;
    assert_eq!(world.pipeline("p").await.pipeline.status, Status::Failed);
    world
}

#[tokio::test]
async fn what_is_put_back_in_the_queue_shows_no_error_any_more() {
    let world = failed_in_the_middle().await;
    assert!(world.get("p.s2.000001").await.error.is_some());
    retry(&world, None).await;
    let waiting = world.get("p.s2.000001").await;
    assert_eq!(waiting.status(), TaskStatus::Pending);
    assert_eq!(waiting.error, None);
    let last = waiting.attempts.last().unwrap();
    assert!(last.error.is_some(), "its attempt keeps it");
    assert_eq!(world.pipeline("p").await.pipeline.error, None);
}

#[tokio::test]
async fn a_retry_runs_only_what_failed() {
    let world = failed_in_the_middle().await;
    let before = world.pipeline("p").await;
    let view = retry(&world, None).await;
    assert_eq!(view.pipeline.status, Status::Running);
    let shown = before.pipeline.progress(&before.facts);
    assert!(view.pipeline.progress(&view.facts) >= shown);
    assert_eq!(world.work("a", 1).await, ["p.s2.000001", "p.s3.000000"]);
    assert_eq!(world.pipeline("p").await.pipeline.status, Status::Completed);
}

#[tokio::test]
async fn a_run_from_a_stage_makes_new_tasks_from_there_on() {
    let world = failed_in_the_middle().await;
    retry(&world, Some(2)).await;
    let done = world.work("a", 1).await;
    assert_eq!(done, ["p.r2.s2.000000", "p.r2.s2.000001", "p.s3.000000"]);
    let done = world.pipeline("p").await.pipeline;
    assert_eq!(done.status, Status::Completed);
    retry(&world, Some(1)).await;
    let again = world.work("a", 1).await;
    assert_eq!(
        again,
        ["p.r2.s1.000000", "p.r3.s2.000000", "p.r2.s3.000000"]
    );
}

#[tokio::test]
async fn progress_never_goes_back_not_even_when_all_is_run_again() {
    let world = failed_in_the_middle().await;
    retry(&world, None).await;
    world.work("a", 1).await;
    let view = retry(&world, Some(1)).await;
    assert_eq!(view.pipeline.progress(&view.facts), 100.0);
}

#[tokio::test]
async fn a_run_that_is_retried_before_its_agents_stopped_takes_their_work_back() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    world.execute("p", in_a_row()).await;
    let proof = world.hold("a", "p.s1.000000").await;
    world.start("p.s1.000000", proof).await;
    world
        .control
        .pipelines
        .cancel(&world.scope, &p(), None)
        .await
        .unwrap();
    assert!(world.get("p.s1.000000").await.cancel_requested.is_some());
    retry(&world, None).await;
    let task = world.get("p.s1.000000").await;
    assert_eq!(
        (task.status(), &task.cancel_requested),
        (TaskStatus::Running, &None)
    );
    // An agent that had heard of it and confirms gives the task back.
    let confirmed = world
        .control
        .tasks
        .confirm_cancel(&world.scope, &id("p.s1.000000"), proof)
        .await;
    assert_eq!(confirmed.unwrap().status(), TaskStatus::Pending);
    world.work("a", 1).await;
    assert_eq!(world.pipeline("p").await.pipeline.status, Status::Completed);
}

#[tokio::test]
async fn tasks_of_an_earlier_run_do_not_live_on() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    let stages = vec![
        stage(1, Mode::Single, "read", &[]),
        stage(2, Mode::Single, "read", &[]),
    ];
    world.execute("p", stages).await;
    let proof = world.hold("a", "p.s1.000000").await;
    world
        .control
        .pipelines
        .cancel(&world.scope, &p(), None)
        .await
        .unwrap();
    retry(&world, Some(1)).await;
    let task = world.get("p.s1.000000").await;
    assert!(
        task.cancel_requested.is_some(),
        "the new run has a task of its own"
    );
    world
        .control
        .tasks
        .confirm_cancel(&world.scope, &id("p.s1.000000"), proof)
        .await
        .unwrap();
    world.work("a", 0).await;
    let view = world.pipeline("p").await;
    assert_eq!(view.pipeline.status, Status::Completed);
    let live = world.tasks_of("p").await;
    assert!(live.values().all(|status| status.is_terminal()), "{live:?}");
}

#[tokio::test]
async fn a_task_of_an_ended_run_comes_back_with_the_run_only() {
    let world = failed_in_the_middle().await;
    let alone = refused(
        world
            .control
            .tasks
            .retry(&world.scope, &id("p.s2.000001"))
            .await,
    );
    let text = alone.to_string();
    assert!(
        text.contains("retry the pipeline that the task belongs to"),
        "{text}"
    );
    retry(&world, Some(2)).await;
    let outdated = refused(
        world
            .control
            .tasks
            .retry(&world.scope, &id("p.s2.000001"))
            .await,
    );
    assert!(
        outdated.to_string().contains("its stage is run anew"),
        "{outdated}"
    );
}

#[tokio::test]
async fn what_runs_or_is_completed_is_not_retried_as_a_whole() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    world.execute("p", in_a_row()).await;
    let pipelines = &world.control.pipelines;
    assert!(pipelines.retry(&world.scope, &p(), None).await.is_err());
    world.work("a", 1).await;
    assert!(pipelines.retry(&world.scope, &p(), None).await.is_err());
    let unknown = faults(pipelines.retry(&world.scope, &p(), Some(9)).await);
    assert_eq!(unknown, [fault("/from_stage", "unknown_stage")]);
}

#[tokio::test]
async fn a_stage_is_executed_again_when_it_failed_and_refused_before_its_turn() {
    let world = failed_in_the_middle().await;
    let pipelines = &world.control.pipelines;
    assert!(
        pipelines
            .execute_stage(&world.scope, &p(), 3)
            .await
            .is_err()
    );
    let view = pipelines
        .execute_stage(&world.scope, &p(), 2)
        .await
        .unwrap();
    assert_eq!(view.pipeline.status, Status::Running);
    assert!(
        pipelines
            .execute_stage(&world.scope, &p(), 1)
            .await
            .is_err(),
        "it is completed"
    );
}
