//! How things stood and what happened: queues, counts, activity, samples.

use std::sync::Arc;

use mcpanel_domain::{
    Timestamp,
    retry::ErrorType,
    sample::{Activity, ErrorGroup, MINUTE_MS, Sample, minute_of},
    task::{State, Status, Task, TaskError},
};

use super::{
    Backend, World,
    world::{agent_id, conflict, name, namespace},
};
use crate::{
    Commit, Write,
    query::{Queue, TaskFilter},
};

/// Tasks that wait and that are held, by type, with the age of the oldest that waits.
pub async fn queues_follow_tasks<B: Backend>() {
    let world = World::<B>::open().await;
    let start = world.clock.now();
    let mut tasks = Vec::new();
    for (id, task_type) in [("a", "work"), ("b", "work"), ("c", "play"), ("d", "done")] {
        let mut task = world.task(id);
        task.task_type = name(task_type);
        world.create(&task).await;
        tasks.push(task);
        world.clock.advance(10);
    }
    world.assign(&tasks[0], "worker", "sess_1").await;
    world.end(&tasks[3], State::Completed).await;
    let retry = State::Retry {
        at: world.clock.now(),
    };
    world.change(&tasks[2], |task| task.state = retry).await;
    let expected = [
        Queue {
            task_type: name("play"),
            waiting: 1,
            oldest: Some(start.plus_ms(20)),
            running: 0,
        },
        Queue {
            task_type: name("work"),
            waiting: 1,
            oldest: Some(start.plus_ms(10)),
            running: 1,
        },
    ];
    let mut world = world;
    for _ in 0..2 {
        assert_eq!(world.queues(&world.ns).await.unwrap(), expected);
        world = world.restart().await;
    }
    assert!(world.queues(&namespace("other")).await.unwrap().is_empty());
    world.end(&tasks[1], State::Cancelled).await;
    let left = world.queues(&world.ns).await.unwrap();
    assert_eq!((left[1].waiting, left[1].oldest), (0, None));
}

/// Whoever has tasks or agents.
pub async fn namespaces_are_known<B: Backend>() {
    let world = World::<B>::open().await;
    assert!(world.namespaces().await.unwrap().is_empty());
    let mut agent = world.new_agent("ada", "sess_1");
    agent.namespace = namespace("agents-only");
    let commit = Commit::of(Write::Agent(Arc::new(agent)));
    world.commit(commit).await.unwrap();
    let tasks = world.create_all(&["a"]).await;
    world.end(&tasks[0], State::Completed).await;
    let mut world = world;
    for _ in 0..2 {
        let found = world.namespaces().await.unwrap();
        assert_eq!(found, [namespace("agents-only"), namespace("default")]);
        world = world.restart().await;
    }
}

/// Filters are counted as they are listed, up to a bound.
pub async fn counts_agree_with_lists<B: Backend>() {
    let world = World::<B>::open().await;
    for n in 0..20 {
        let mut task = world.task(&format!("t{n:02}"));
        if n % 2 == 0 {
            task.task_type = name("even");
        }
        world.create(&task).await;
        if n % 5 == 0 {
            world.end(&task, State::Failed).await;
        }
    }
    let base = TaskFilter::default();
    let failed = TaskFilter {
        statuses: vec![Status::Failed],
        ..base.clone()
    };
    let even = TaskFilter {
        task_type: Some(name("even")),
        ..base.clone()
    };
    let both = TaskFilter {
        task_type: Some(name("even")),
        ..failed.clone()
    };
    let mut world = world;
    for _ in 0..2 {
        for (filter, expected) in [(&base, 20), (&failed, 4), (&even, 10), (&both, 2)] {
            let count = world.count_tasks(&world.ns, filter, 1_000).await.unwrap();
            assert_eq!(count, expected, "{filter:?}");
            let count = world.count_tasks(&world.ns, filter, 3).await.unwrap();
            assert_eq!(count, expected.min(3), "{filter:?}");
        }
        world = world.restart().await;
    }
}

/// By when a task changed or ended, and by who holds it now.
pub async fn filters_look_at_changes<B: Backend>() {
    let world = World::<B>::open().await;
    let mut times = Vec::new();
    for n in 0..6 {
        let task = world.task(&format!("t{n}"));
        world.create(&task).await;
        world.clock.advance(10);
        let now = world.clock.now();
        times.push(now);
        let held = world.assign(&task, "ada", "sess_1").await;
        let touched = world.change(&held, |task| task.updated_at = now).await;
        if n % 2 == 0 {
            world.end(&touched, State::Completed).await;
        }
    }
    let base = TaskFilter::default();
    let cases = [
        (
            TaskFilter {
                updated_from: Some(times[2]),
                updated_before: Some(times[4]),
                ..base.clone()
            },
            vec!["t3", "t2"],
        ),
        (
            TaskFilter {
                ended_from: Some(times[1]),
                ..base.clone()
            },
            vec!["t4", "t2"],
        ),
        (
            TaskFilter {
                ended_before: Some(times[4]),
                ..base.clone()
            },
            vec!["t2", "t0"],
        ),
        (
            TaskFilter {
                held_by: Some(agent_id("ada")),
                ..base.clone()
            },
            vec!["t5", "t3", "t1"],
        ),
        (
            TaskFilter {
                held_by: Some(agent_id("bob")),
                ..base.clone()
            },
            vec![],
        ),
        (
            TaskFilter {
                statuses: vec![Status::Assigned, Status::Running],
                agent_id: Some(agent_id("ada")),
                ..base
            },
            vec!["t5", "t3", "t1"],
        ),
    ];
    let mut world = world;
    for _ in 0..2 {
        for (filter, expected) in &cases {
            for limit in [1, 2, 100] {
                let seen = super::lists::walk(&world, filter, limit).await;
                assert_eq!(seen, *expected, "{filter:?}, {limit} at a time");
            }
        }
        world = world.restart().await;
    }
}

async fn run<B: Backend>(world: &World<B>, id: &str, end: State) -> Task {
    let task = world.task(id);
    world.create(&task).await;
    let held = world.assign(&task, "worker", "sess_1").await;
    let now = world.clock.now().plus_ms(2_000);
    world
        .change(&held, |task| {
            task.started_at = Some(task.created_at);
            if let Some(attempt) = task.attempts.last_mut() {
                attempt.ended_at = Some(now);
            }
            if end == State::Failed {
                task.error = Some(TaskError::new(
                    ErrorType::Network,
                    format!("no answer {id}"),
                ));
            }
            task.state = end;
            task.completed_at = Some(now);
            task.updated_at = now;
        })
        .await
}

/// What happened in a minute is counted once, also over a restart.
pub async fn activity_follows_commits<B: Backend>() {
    let world = World::<B>::open().await;
    let minute = minute_of(world.clock.now());
    for n in 0..3 {
        run(&world, &format!("done{n}"), State::Completed).await;
    }
    let world = world.restart().await;
    for n in 0..2 {
        run(&world, &format!("failed{n}"), State::Failed).await;
    }
    let stopped = world.task("stopped");
    world.create(&stopped).await;
    world.end(&stopped, State::Cancelled).await;
    let mut world = world;
    for _ in 0..2 {
        let activity = world.activity(&world.ns, minute).await.unwrap();
        let counts = (
            activity.created,
            activity.completed,
            activity.failed,
            activity.cancelled,
            activity.retried,
        );
        assert_eq!(counts, (6, 3, 2, 1, 0));
        assert_eq!(activity.wait.count(), 5);
        assert_eq!(activity.run.count(), 5);
        let run = activity.run.percentile(95).unwrap();
        assert!(run.abs_diff(2_000) <= 250, "{run}");
        assert_eq!(activity.errors.len(), 1);
        let error = &activity.errors[0];
        assert_eq!((error.count, error.message.as_str()), (2, "no answer #"));
        world = world.restart().await;
    }
    let next = Timestamp::from_ms(minute.as_ms() + MINUTE_MS);
    for (namespace, minute) in [(&world.ns, next), (&namespace("other"), minute)] {
        let activity = world.activity(namespace, minute).await.unwrap();
        assert!(activity.is_empty());
    }
}

/// The newest minutes are kept apart.
pub async fn minutes_are_apart<B: Backend>() {
    let world = World::<B>::open().await;
    let mut minutes = Vec::new();
    for n in 0..4_u64 {
        let now = world.clock.now();
        minutes.push(minute_of(now));
        for each in 0..=n {
            let mut task = world.task(&format!("t{n}.{each}"));
            task.updated_at = now;
            world.create(&task).await;
        }
        world.clock.advance(MINUTE_MS);
    }
    let world = world.restart().await;
    for (minute, expected) in minutes.into_iter().zip(1..) {
        let activity = world.activity(&world.ns, minute).await.unwrap();
        assert_eq!(activity.created, expected);
    }
}

/// A sample with every field filled.
fn sample<B: Backend>(world: &World<B>, minute: Timestamp) -> Sample {
    let mut activity = Activity {
        created: 1,
        completed: 2,
        failed: 3,
        cancelled: 4,
        retried: 5,
        other_errors: 6,
        errors: vec![ErrorGroup {
            task_type: name("work"),
            kind: ErrorType::BusinessLogic,
            message: "no `#`".to_owned(),
            count: 3,
            last_task: super::world::task_id("a"),
            last_at: minute,
        }],
        ..Activity::default()
    };
    activity.wait.record(17);
    activity.wait.record(1_700_000);
    activity.run.record(0);
    Sample {
        namespace: world.ns.clone(),
        minute,
        tasks: [1, 2, 3, 4, 5, 6, u64::MAX >> 2],
        ready: 8,
        agents: [1, 2, 3, 4, 5],
        oldest_waiting_ms: Some(99),
        activity,
    }
}

/// One for each minute; the first one stays.
pub async fn samples_are_taken_once<B: Backend>() {
    let world = World::<B>::open().await;
    let minute = minute_of(world.clock.now());
    let first = sample(&world, minute);
    let mut second = first.clone();
    second.ready = 1_000;
    let write = |sample: &Sample| Commit::of(Write::Sample(Arc::new(sample.clone())));
    world.commit(write(&first)).await.unwrap();
    conflict(world.commit(write(&second)).await);
    let world = world.restart().await;
    conflict(world.commit(write(&second)).await);
    second.namespace = namespace("other");
    world.commit(write(&second)).await.unwrap();
    let end = minute.plus_ms(1);
    let found = world.samples(&world.ns, minute, end).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(*found[0], first);
    let found = world.samples(&second.namespace, minute, end).await.unwrap();
    assert_eq!(*found[0], second);
}

/// By time, oldest first; old ones are forgotten.
pub async fn samples_come_and_go<B: Backend>() {
    let world = World::<B>::open().await;
    let start = minute_of(world.clock.now());
    let at = |n: i64| Timestamp::from_ms(start.as_ms() + n * MINUTE_MS);
    for n in [3, 0, 5, 1, 4] {
        let commit = Commit::of(Write::Sample(Arc::new(sample(&world, at(n)))));
        world.commit(commit).await.unwrap();
    }
    let minutes = async |world: &World<B>, from: Timestamp, to: Timestamp| -> Vec<Timestamp> {
        let found = world.samples(&world.ns, from, to).await.unwrap();
        found.iter().map(|each| each.minute).collect()
    };
    let end = Timestamp::MAX;
    let world = world.restart().await;
    let all = [at(0), at(1), at(3), at(4), at(5)];
    assert_eq!(minutes(&world, Timestamp::ZERO, end).await, all);
    assert_eq!(minutes(&world, at(1), at(4)).await, [at(1), at(3)]);
    assert!(minutes(&world, at(4), at(1)).await.is_empty());
    let last = Commit::of(Write::Sample(Arc::new(sample(&world, at(2)))));
    world.commit(last).await.unwrap();
    assert_eq!(world.purge_samples(at(3)).await.unwrap(), 3);
    assert_eq!(world.purge_samples(at(3)).await.unwrap(), 0);
    assert_eq!(
        minutes(&world, Timestamp::ZERO, end).await,
        [at(3), at(4), at(5)]
    );
}
