//! Work in hand: starting, reporting, ending, and who may.

use mcpanel_domain::{
    limits::{LEASE_TTL_MS, LOG_LINES_MAX, TEXT_CHARS_MAX},
    log::Level,
    retry::ErrorType,
    task::{COUNTERS_MAX, Progress, Proof, Status, TaskError},
};

use super::{world::World, *};
use crate::Completion;

async fn held() -> (World, Proof) {
    let world = World::new();
    world.agent("a", &["read"], 2).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    (world, proof)
}

#[tokio::test]
async fn a_task_runs_from_claim_to_completion_with_its_result() {
    let (world, proof) = held().await;
    assert_eq!(world.start("t", proof).await.status(), Status::Running);
    let progress = Progress {
        percent: 40.0,
        message: Some("half of it".to_owned()),
        counters: vec![(name("records"), 12)],
    };
    let reported = world
        .control
        .tasks
        .report(&world.scope, &id("t"), proof, progress)
        .await;
    assert_eq!(reported.unwrap().progress.percent, 40.0);
    let done = world.complete("t", proof).await;
    assert_eq!(
        (done.status(), done.progress.percent),
        (Status::Completed, 100.0)
    );
    let view = world
        .control
        .tasks
        .get(&world.scope, &id("t"))
        .await
        .unwrap();
    assert_eq!(view.payloads.result.unwrap().as_str(), r#"{"done":true}"#);
}

#[tokio::test]
async fn a_repeated_completion_is_answered_the_same() {
    let (world, proof) = held().await;
    let first = world.complete("t", proof).await;
    world.skip(10 * LEASE_TTL_MS);
    assert_eq!(world.complete("t", proof).await, first);
}

#[tokio::test]
async fn a_former_holder_completes_nothing() {
    let (world, former) = held().await;
    world.start("t", former).await;
    world.pass(LEASE_TTL_MS).await;
    assert_eq!(world.status("t").await, Status::Retry);
    let late = refused(world.try_complete("t", former).await);
    assert!(matches!(late, Rejection::StaleLease { .. }));
    world.agent("a", &["read"], 2).await;
    let present = world.hold("a", "t").await;
    assert!(matches!(
        refused(world.try_complete("t", former).await),
        Rejection::StaleLease { .. }
    ));
    world.complete("t", present).await;
    assert!(matches!(
        refused(world.try_complete("t", former).await),
        Rejection::StaleLease { .. }
    ));
}

#[tokio::test]
async fn a_lease_that_ran_out_is_of_no_use_even_before_anybody_looked() {
    let (world, proof) = held().await;
    world.skip(LEASE_TTL_MS);
    let late = refused(world.try_complete("t", proof).await);
    assert!(matches!(late, Rejection::LeaseExpired { .. }));
    assert_eq!(world.status("t").await, Status::Assigned);
}

#[tokio::test]
async fn heartbeats_keep_the_lease() {
    let (world, proof) = held().await;
    for _ in 0..10 {
        world.pass(LEASE_TTL_MS / 3).await;
        world.heartbeat("a", Some(&[id("t")])).await;
    }
    world.complete("t", proof).await;
}

#[tokio::test]
async fn an_agent_does_not_complete_anothers_task_whatever_token_it_shows() {
    let (world, proof) = held().await;
    let completion = Completion {
        task_id: id("t"),
        proof,
        result: None,
    };
    let other = world.as_agent("b");
    let stolen = refused(world.control.tasks.complete(&other, completion).await);
    assert!(matches!(stolen, Rejection::StaleLease { .. }));
    let stranger = world.stranger();
    let unseen = refused(world.control.tasks.start(&stranger, &id("t"), proof).await);
    assert!(matches!(unseen, Rejection::NotFound { .. }));
}

#[tokio::test]
async fn a_failure_is_retried_after_its_delay_and_fails_in_the_end() {
    let (world, mut proof) = held().await;
    for retry in 1..=2 {
        let failed = world.fail("t", proof, ErrorType::Network).await;
        assert_eq!(
            (failed.status(), failed.retry_count),
            (Status::Retry, retry)
        );
        assert!(world.claim("a", 1).await.is_empty());
        world.pass(1_000).await;
        world.heartbeat("a", None).await;
        proof = world.hold("a", "t").await;
    }
    let failed = world.fail("t", proof, ErrorType::Network).await;
    assert_eq!((failed.status(), failed.attempt), (Status::Failed, 3));
}

#[tokio::test]
async fn a_released_task_is_given_out_again() {
    let (world, proof) = held().await;
    let released = world
        .control
        .tasks
        .release(&world.scope, &id("t"), proof, "bye".to_owned())
        .await;
    assert_eq!(released.unwrap().retry_count, 0);
    world.hold("a", "t").await;
}

#[tokio::test]
async fn completions_of_a_batch_succeed_or_fail_by_themselves() {
    let world = World::new();
    world.agent("a", &["read"], 3).await;
    for task in ["x", "y", "z"] {
        world.task(task, "read").await;
    }
    let claimed = world.claim("a", 3).await;
    let mut completions: Vec<Completion> = claimed
        .iter()
        .map(|each| Completion {
            task_id: each.task.id.clone(),
            proof: each.proof,
            result: None,
        })
        .collect();
    completions[1].proof.nonce ^= 1;
    completions.push(Completion {
        task_id: id("nowhere"),
        ..completions[0].clone()
    });
    let outcomes = world
        .control
        .tasks
        .complete_batch(&world.scope, completions.clone())
        .await;
    let outcomes: Vec<bool> = outcomes.unwrap().iter().map(Result::is_ok).collect();
    assert_eq!(outcomes, [true, false, true, false]);
    completions.push(completions[0].clone());
    let repeated = world
        .control
        .tasks
        .complete_batch(&world.scope, completions)
        .await;
    assert_eq!(
        faults(repeated),
        [fault("/completions/4/task_id", "repeated")]
    );
    let none = world
        .control
        .tasks
        .complete_batch(&world.scope, Vec::new())
        .await;
    assert_eq!(faults(none), [fault("/completions", "count")]);
}

#[tokio::test]
async fn reports_and_errors_are_checked_before_anything_changes() {
    let (world, proof) = held().await;
    let tasks = &world.control.tasks;
    let counters = (0..=COUNTERS_MAX)
        .map(|n| (name(&format!("c{n}")), 1))
        .collect();
    let wrong = Progress {
        percent: 101.0,
        message: None,
        counters,
    };
    let found = faults(tasks.report(&world.scope, &id("t"), proof, wrong).await);
    assert_eq!(
        found,
        [
            fault("/progress", "out_of_range"),
            fault("/counters", "too_many")
        ]
    );
    let unreal = Progress {
        percent: f64::NAN,
        ..Progress::default()
    };
    let found = faults(tasks.report(&world.scope, &id("t"), proof, unreal).await);
    assert_eq!(found, [fault("/progress", "out_of_range")]);
    let long = TaskError::new(ErrorType::System, "x".repeat(TEXT_CHARS_MAX + 1));
    let found = faults(tasks.fail(&world.scope, &id("t"), proof, long).await);
    assert_eq!(found, [fault("/error/message", "too_long")]);
    assert_eq!(world.get("t").await.revision, 2);
}

#[tokio::test]
async fn log_lines_are_numbered_and_need_the_lease() {
    let (world, proof) = held().await;
    let tasks = &world.control.tasks;
    let line = |text: &str| (None, Level::Info, text.to_owned());
    let lines = vec![line("one"), line("two")];
    tasks
        .append_logs(&world.scope, &id("t"), proof, lines)
        .await
        .unwrap();
    tasks
        .append_logs(&world.scope, &id("t"), proof, vec![line("three")])
        .await
        .unwrap();
    let read = tasks.logs(&world.scope, &id("t"), 1, 10).await.unwrap();
    let read: Vec<(u64, &str)> = read
        .iter()
        .map(|line| (line.seq, line.message.as_str()))
        .collect();
    assert_eq!(read, [(2, "two"), (3, "three")]);

    let many = vec![line("x"); LOG_LINES_MAX + 1];
    let found = faults(tasks.append_logs(&world.scope, &id("t"), proof, many).await);
    assert_eq!(found, [fault("/lines", "count")]);
    let long = vec![line("fine"), line(&"x".repeat(TEXT_CHARS_MAX + 1))];
    let found = faults(tasks.append_logs(&world.scope, &id("t"), proof, long).await);
    assert_eq!(found, [fault("/lines/1/message", "too_long")]);
    let stale = Proof { nonce: 0, ..proof };
    let late = tasks
        .append_logs(&world.scope, &id("t"), stale, vec![line("x")])
        .await;
    assert!(matches!(refused(late), Rejection::StaleLease { .. }));
}

#[tokio::test]
async fn a_slow_attempt_times_out_and_a_late_task_fails() {
    let world = World::new();
    world.agent("a", &["read"], 2).await;
    let mut slow = World::wish("slow", "read");
    slow.timeout_ms = Some(1_000);
    slow.deadline = Some(world.now().plus_ms(9_000));
    slow.retry = std::sync::Arc::default();
    world.create(slow).await;
    let proof = world.hold("a", "slow").await;
    world.start("slow", proof).await;
    world.pass(1_000).await;
    assert_eq!(world.status("slow").await, Status::Retry);
    world.pass(8_000).await;
    assert_eq!(world.status("slow").await, Status::Failed);
}
