//! Samples of minutes, queues, errors, and how fast stages go.

use mcpanel_domain::{
    Timestamp,
    pipeline::Mode,
    retry::ErrorType,
    sample::{MINUTE_MS, minute_of},
    task::{Status, TaskError, fingerprint},
};

use super::{id, name, world::stage};
use crate::{Env, Reason, tests::world::World};

const MINUTE: u64 = MINUTE_MS.unsigned_abs();
const HOUR: u64 = 60 * MINUTE;

#[tokio::test]
async fn each_minute_is_sampled_once() {
    let world = World::new();
    world.agent("ada", &["read"], 1).await;
    world.pass(MINUTE).await;
    world.heartbeat("ada", None).await;
    let minute = minute_of(world.now());
    world.task("a", "read").await;
    world.skip(2_000);
    world.task("b", "read").await;
    let proof = world.hold("ada", "a").await;
    world.start("a", proof).await;
    world.skip(4_000);
    world.complete("a", proof).await;
    world.hold("ada", "b").await;
    world.task("c", "read").await;
    world.pass(MINUTE).await;
    world.pass(0).await;
    let points = world.control.history.points(&world.scope, HOUR, MINUTE);
    let points = points.await.unwrap();
    let point = points.last().unwrap();
    assert_eq!(point.at, minute);
    assert_eq!(point.minutes, 1);
    assert_eq!(point.activity.created, 3);
    assert_eq!(point.activity.completed, 1);
    let wait = point.activity.wait.percentile(50).unwrap();
    assert!(wait.abs_diff(2_000) <= 250, "{wait}");
    let run = point.activity.run.percentile(95).unwrap();
    assert!(run.abs_diff(4_000) <= 500, "{run}");
    // The agent fell silent, so that what it held waits again, for longer than the last one.
    assert_eq!(point.oldest_waiting_ms, Some(MINUTE + 4_000));
    assert_eq!(point.agents.iter().sum::<u64>(), 1);
    assert_eq!(points.iter().filter(|each| each.at == minute).count(), 1);
}

#[tokio::test]
async fn two_instances_sample_a_minute_once_and_a_restart_goes_on() {
    let world = World::new();
    world.task("a", "read").await;
    let other = crate::Control::new(world.store.clone(), world.env.clone());
    for _ in 0..3 {
        world.skip(MINUTE);
        let (one, two) = tokio::join!(world.control.tick(), other.tick());
        assert_eq!(one.unwrap().failed + two.unwrap().failed, 0);
    }
    let world = world.restarted();
    world.pass(0).await;
    let points = world.control.history.points(&world.scope, HOUR, MINUTE);
    let minutes: Vec<u64> = points
        .await
        .unwrap()
        .iter()
        .map(|each| each.minutes)
        .collect();
    assert_eq!(minutes, [1, 1, 1]);
}

#[tokio::test]
async fn longer_steps_add_up_and_gaps_stay_gaps() {
    let world = World::new();
    for n in 0..20 {
        world.task(&format!("t{n}"), "read").await;
        world.pass(MINUTE).await;
    }
    world.skip(3 * HOUR);
    world.task("late", "read").await;
    world.pass(MINUTE).await;
    let history = &world.control.history;
    let points = history.points(&world.scope, 4 * HOUR, 10 * MINUTE).await;
    let points = points.unwrap();
    assert!((3..=4).contains(&points.len()), "{}", points.len());
    let created: u64 = points.iter().map(|each| each.activity.created).sum();
    assert_eq!(created, 21);
    assert_eq!(points.last().unwrap().tasks[0], 21);
    for pair in points.windows(2) {
        assert!(pair[0].at < pair[1].at);
        assert_eq!(pair[0].at.as_ms() % (10 * MINUTE_MS), 0);
    }
    let recent = history.points(&world.scope, HOUR, MINUTE).await.unwrap();
    assert_eq!(recent.len(), 1);
}

#[tokio::test]
async fn a_stretch_that_is_over_is_whole_and_holds_nothing_else() {
    let world = World::new();
    let mut at = Vec::new();
    for n in 0..20 {
        at.push(world.env.now());
        world.task(&format!("t{n}"), "read").await;
        world.pass(MINUTE).await;
    }
    let history = &world.control.history;
    let found = history.between(&world.scope, at[5], at[10], MINUTE).await;
    let minutes: Vec<Timestamp> = found.unwrap().iter().map(|each| each.at).collect();
    let expected: Vec<Timestamp> = at[5..10].iter().map(|at| minute_of(*at)).collect();
    assert!(minutes.starts_with(&expected), "{minutes:?}");
    assert!(minutes.iter().all(|minute| *minute < at[10]));
    let backwards = history.between(&world.scope, at[10], at[5], MINUTE).await;
    assert!(backwards.unwrap().len() <= 1);
}

#[tokio::test]
async fn samples_of_last_week_are_forgotten() {
    let world = World::new();
    world.task("a", "read").await;
    world.pass(MINUTE).await;
    for _ in 0..9 {
        world.skip(24 * HOUR);
        // At the full hour what is old goes.
        let past = world.now().as_ms() % (60 * MINUTE_MS);
        world.pass(HOUR - past.unsigned_abs() + MINUTE).await;
    }
    let samples = mcpanel_store::Store::samples(
        &*world.store,
        &world.scope.namespace,
        mcpanel_domain::Timestamp::ZERO,
        mcpanel_domain::Timestamp::MAX,
    );
    let kept = samples.await.unwrap().len();
    assert!((7..=8).contains(&kept), "{kept} of 10");
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_stop_sampling() {
    let world = World::new();
    world.task("a", "read").await;
    world.pass(500 * HOUR).await;
    world.set_back(400 * HOUR);
    world.pass(MINUTE).await;
    world.pass(MINUTE).await;
    let points = world.control.history.points(&world.scope, HOUR, MINUTE);
    assert!(points.await.unwrap().len() >= 2);
}

#[tokio::test]
async fn queues_tell_what_waits_and_since_when() {
    let world = World::new();
    world.agent("ada", &["read", "write"], 1).await;
    world.task("first", "read").await;
    world.skip(7);
    let since = world.now();
    world.task("second", "read").await;
    world.hold("ada", "first").await;
    let queues = world.control.history.queues(&world.scope).await.unwrap();
    assert_eq!(queues.len(), 1);
    assert_eq!(queues[0].task_type, name("read"));
    assert_eq!((queues[0].waiting, queues[0].running), (1, 1));
    assert_eq!(queues[0].oldest, Some(since));
    let nothing = world.control.history.queues(&world.stranger()).await;
    assert!(nothing.unwrap().is_empty());
}

#[tokio::test]
async fn errors_are_grouped_by_what_they_have_in_common() {
    let world = World::new();
    world.agent("ada", &["read"], 10).await;
    let fail = async |task: &str, message: &str| {
        world.task(task, "read").await;
        let proof = world.hold("ada", task).await;
        let error = TaskError::new(ErrorType::Validation, message);
        let tasks = &world.control.tasks;
        let task = id(task);
        let failed = tasks.fail(&world.scope, &task, proof, error);
        assert_eq!(failed.await.unwrap().status(), Status::Failed);
    };
    fail("a", "line 3 is too long").await;
    world.pass(MINUTE).await;
    world.heartbeat("ada", None).await;
    fail("b", "line 4711 is too long").await;
    fail("c", "no such column").await;
    let history = &world.control.history;
    let told = async |back: u64| -> Vec<(String, u64, String)> {
        let groups = history.errors(&world.scope, back).await.unwrap();
        let groups = groups.into_iter();
        groups
            .map(|Reason { group, newest }| {
                if let Some(newest) = newest {
                    assert_eq!(fingerprint(&newest), group.message);
                }
                (group.message, group.count, group.last_task.to_string())
            })
            .collect()
    };
    let all = [
        ("line # is too long".to_owned(), 2, "b".to_owned()),
        ("no such column".to_owned(), 1, "c".to_owned()),
    ];
    assert_eq!(told(HOUR).await, all);
    world.pass(MINUTE).await;
    assert_eq!(told(HOUR).await, all, "once sampled it is the same");
    let newest = async || -> Vec<Option<String>> {
        let groups = history.errors(&world.scope, HOUR).await.unwrap();
        groups.into_iter().map(|each| each.newest).collect()
    };
    let words = |text: &str| Some(text.to_owned());
    assert_eq!(
        newest().await,
        [words("line 4711 is too long"), words("no such column")]
    );
    world
        .control
        .tasks
        .retry(&world.scope, &id("b"))
        .await
        .unwrap();
    assert_eq!(
        newest().await,
        [None, words("no such column")],
        "it has no error now"
    );
    world.pass(2 * HOUR).await;
    assert!(told(HOUR).await.is_empty());
}

#[tokio::test]
async fn stages_tell_how_fast_they_go() {
    let world = World::new();
    world.agent("ada", &["split", "read"], 1).await;
    let stages = vec![
        stage(1, Mode::Single, "split", &[]),
        stage(2, Mode::Map, "read", &[1]),
        stage(3, Mode::Reduce, "read", &[2]),
    ];
    world.execute("pipe_1", stages).await;
    let first = world.claim("ada", 1).await;
    for index in 0..10 {
        world
            .chunk("pipe_1.s1.000000", first[0].proof, index)
            .await
            .unwrap();
    }
    world.complete("pipe_1.s1.000000", first[0].proof).await;
    for n in 0..5 {
        let task = format!("pipe_1.s2.{n:06}");
        let proof = world.hold("ada", &task).await;
        world.start(&task, proof).await;
        world.skip(6_000);
        world.complete(&task, proof).await;
        world.heartbeat("ada", None).await;
    }
    let view = world.pipeline("pipe_1").await;
    let paces = world.control.pipelines.paces(&view).await.unwrap();
    assert_eq!(paces.len(), 3);
    let pace = paces[1];
    assert_eq!(
        (pace.run_p50_ms, pace.run_p95_ms),
        (Some(6_000), Some(6_000))
    );
    let rate = pace.per_minute.unwrap();
    assert!((rate - 10.0).abs() < 0.1, "{rate}");
    let eta = pace.eta_ms.unwrap();
    assert!(eta.abs_diff(30_000) < 500, "{eta}");
    assert_eq!(paces[0].eta_ms, None);
    assert_eq!(paces[2], crate::StagePace::default());
}
