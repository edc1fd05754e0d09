//! What a restarted process finds, and finishes.

use std::sync::Arc;

use mcpanel_domain::{
    AgentId,
    limits::LEASE_TTL_MS,
    pipeline::{Mode, Status},
    retry::ErrorType,
    task::{self, Command, Status as TaskStatus, command::Held},
};
use mcpanel_store::{Commit, Store, Write};

use super::{
    world::{World, stage},
    *,
};

/// Commits what a command does to a task, as a process does that dies before it acts on the effects.
async fn commit_and_die(world: &World, task: &str, command: Command) -> World {
    let before = world.get(task).await;
    let decision = task::decide(&before, command, world.now()).unwrap();
    let write = Write::Task {
        task: Arc::new(decision.task.unwrap()),
        parameters: None,
        result: None,
    };
    let commit = Commit::of(write).with_events(decision.events);
    world.store.commit(commit).await.unwrap();
    world.restarted()
}

fn held(proof: task::Proof) -> Held {
    Held {
        proof,
        alive_until: mcpanel_domain::Timestamp::MAX,
    }
}

#[tokio::test]
async fn leases_survive_a_restart_and_their_holders_go_on() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    world.task("u", "read").await;
    let proof = world.hold("a", "t").await;
    let world = world.restarted();
    world.control.sweep().await.unwrap();
    assert!(
        world.claim("a", 1).await.is_empty(),
        "its slot is still in use"
    );
    world.complete("t", proof).await;
    assert_eq!(world.claim_ids("a", 1).await, ["u"]);
}

#[tokio::test]
async fn what_was_set_aside_for_a_claim_is_free_again() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let offer = mcpanel_store::Offer {
        namespace: world.scope.namespace.clone(),
        agent_id: AgentId::parse("a").unwrap(),
        session: mcpanel_domain::SessionId::parse("s").unwrap(),
        capabilities: vec![name("read")],
        concurrency: 1,
        max: 1,
    };
    assert_eq!(
        world
            .store
            .take_ready(&offer, world.now())
            .await
            .unwrap()
            .len(),
        1
    );
    assert!(world.claim("a", 1).await.is_empty());
    let world = world.restarted();
    assert_eq!(world.claim_ids("a", 1).await, ["t"]);
}

#[tokio::test]
async fn timers_survive_a_restart() {
    let world = World::new();
    world.agent("a", &["read"], 2).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    world.start("t", proof).await;
    let mut late = World::wish("late", "write");
    late.deadline = Some(world.now().plus_ms(5_000));
    world.create(late).await;
    let world = world.restarted();
    world.pass(LEASE_TTL_MS).await;
    assert_eq!(world.status("t").await, TaskStatus::Retry);
    assert_eq!(world.status("late").await, TaskStatus::Failed);
}

#[tokio::test]
async fn a_retry_survives_a_restart_and_waits_for_its_time() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    world.fail("t", proof, ErrorType::Network).await;
    let world = world.restarted();
    assert!(world.claim("a", 1).await.is_empty());
    world.pass(1_000).await;
    assert_eq!(world.claim_ids("a", 1).await, ["t"]);
}

#[tokio::test]
async fn a_sweep_cancels_what_waits_for_a_task_whose_failure_nobody_acted_on() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("first", "read").await;
    world.waiting_for("second", &["first"]).await;
    world.waiting_for("third", &["second"]).await;
    let proof = world.hold("a", "first").await;
    let fail = Command::Fail {
        held: held(proof),
        error: task::TaskError::new(ErrorType::Validation, "no"),
        random: 0,
    };
    let world = commit_and_die(&world, "first", fail).await;
    assert_eq!(world.status("second").await, TaskStatus::Pending);
    world.control.sweep().await.unwrap();
    assert_eq!(world.status("second").await, TaskStatus::Cancelled);
    assert_eq!(world.status("third").await, TaskStatus::Cancelled);
}

#[tokio::test]
async fn a_sweep_advances_a_pipeline_that_a_crash_left_behind() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    let stages = vec![
        stage(1, Mode::Single, "read", &[]),
        stage(2, Mode::Single, "read", &[1]),
    ];
    world.execute("p", stages).await;
    let proof = world.hold("a", "p.s1.000000").await;
    let complete = Command::Complete(held(proof));
    let world = commit_and_die(&world, "p.s1.000000", complete).await;
    assert!(world.claim("a", 1).await.is_empty());
    world.control.sweep().await.unwrap();
    assert_eq!(world.work("a", 0).await, ["p.s2.000000"]);
    assert_eq!(world.pipeline("p").await.pipeline.status, Status::Completed);
}

#[tokio::test]
async fn a_sweep_takes_leases_back_that_a_sign_on_left_behind() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    world.hold("a", "t").await;
    let known = world
        .control
        .agents
        .get(&world.scope, &AgentId::parse("a").unwrap())
        .await;
    let decision = mcpanel_domain::agent::register(
        Some(&known.unwrap().agent),
        World::registration("a", &["read"], 1),
        &world.scope.namespace,
        mcpanel_domain::SessionId::parse("newer").unwrap(),
        world.now(),
    );
    let agent = decision.unwrap().agent.unwrap();
    let signed_on = Commit::of(Write::Agent(Arc::new(agent)));
    world.store.commit(signed_on).await.unwrap();
    let world = world.restarted();
    world.control.sweep().await.unwrap();
    assert_eq!(world.claim_ids("a", 1).await, ["t"]);
}

#[tokio::test]
async fn sweeping_again_changes_nothing() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    world
        .execute("p", vec![stage(1, Mode::Single, "read", &[])])
        .await;
    world.waiting_for("t", &["p.s1.000000"]).await;
    world.control.sweep().await.unwrap();
    let before = *world.control.events.watch().borrow();
    for _ in 0..3 {
        world.control.sweep().await.unwrap();
        world.control.tick().await.unwrap();
    }
    assert_eq!(*world.control.events.watch().borrow(), before);
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_costs_leases_and_never_work() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    world.start("t", proof).await;
    world.pass(86_400_000).await;
    assert_eq!(world.status("t").await, TaskStatus::Retry);
    world.heartbeat("a", None).await;
    let proof = world.hold("a", "t").await;
    assert_eq!(proof.attempt, 2);
    world.complete("t", proof).await;
}

/// A year, by which the clock is wrong.
const YEAR_MS: u64 = 365 * 24 * 3_600_000;

#[tokio::test]
async fn a_dead_agent_loses_its_task_soon_after_a_wrong_clock_is_put_right() {
    let world = World::new();
    world.skip(YEAR_MS);
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    world.start("t", proof).await;
    // Noticed by the process that goes on, and by one that starts later.
    for world in [&world, &world.restarted()] {
        world.control.sweep().await.unwrap();
    }
    world.set_back(YEAR_MS);
    for world in [world.restarted(), world] {
        world.control.sweep().await.unwrap();
        world.pass(LEASE_TTL_MS).await;
        assert_eq!(world.status("t").await, TaskStatus::Retry);
        world.set_back(LEASE_TTL_MS);
    }
}

#[tokio::test]
async fn a_task_that_waits_for_its_retry_does_not_wait_for_a_wrong_clock() {
    let world = World::new();
    world.skip(YEAR_MS);
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    let error = task::TaskError::new(ErrorType::Network, "no route");
    let tasks = &world.control.tasks;
    tasks
        .fail(&world.scope, &id("t"), proof, error)
        .await
        .unwrap();
    world.control.sweep().await.unwrap();
    world.set_back(YEAR_MS);
    world.control.sweep().await.unwrap();
    world.heartbeat("a", None).await;
    world.pass(60_000).await;
    world.heartbeat("a", None).await;
    world.hold("a", "t").await;
}
