//! Why a task is not running: every blocker there is.

use mcpanel_domain::{
    AgentId,
    agent::{Admission, Changes},
    limits::LEASE_TTL_MS,
    retry::ErrorType,
    task::Status,
};

use super::{world::World, *};
use crate::{Blocker, Explanation};

async fn explain(world: &World, task: &str) -> Explanation {
    world
        .control
        .tasks
        .explain(&world.scope, &id(task))
        .await
        .unwrap()
}

/// The only blocker.
async fn blocker(world: &World, task: &str) -> Blocker {
    let explained = explain(world, task).await;
    let [blocker] = explained.blockers.as_slice() else {
        panic!("one blocker is expected: {:?}", explained.blockers);
    };
    assert_eq!(explained.summary, crate::describe_blocker(blocker));
    blocker.clone()
}

#[tokio::test]
async fn no_agent_offers_what_it_needs() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.agent("b", &["write"], 1).await;
    world.task("t", "weigh").await;
    let needed = vec![name("weigh")];
    let expected = Blocker::NoCapableAgent {
        offered_by_none: needed.clone(),
        needed,
    };
    assert_eq!(blocker(&world, "t").await, expected);
    let mut both = World::wish("both", "read");
    both.capabilities = vec![name("read"), name("write")];
    world.create(both).await;
    let explained = explain(&world, "both").await;
    assert_eq!(
        explained.summary,
        "no registered agent offers `read` and `write` together"
    );
}

#[tokio::test]
async fn a_dependency_is_not_completed() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("first", "read").await;
    world.waiting_for("t", &["first"]).await;
    let expected = Blocker::Dependency {
        task_id: id("first"),
        status: Some(Status::Pending),
    };
    assert_eq!(blocker(&world, "t").await, expected);
}

#[tokio::test]
async fn its_time_has_not_come() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    let at = world.now().plus_ms(5_000);
    let mut new = World::wish("t", "read");
    new.run_at = Some(at);
    world.create(new).await;
    assert_eq!(blocker(&world, "t").await, Blocker::RunAt { at });
}

#[tokio::test]
async fn its_next_attempt_waits() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    world.fail("t", proof, ErrorType::Network).await;
    let blocker = blocker(&world, "t").await;
    let Blocker::RetryAt {
        at,
        retry,
        max_retries,
    } = blocker
    else {
        panic!("a retry is expected: {blocker:?}");
    };
    assert!(at > world.now());
    assert_eq!((retry, max_retries), (1, 2));
}

#[tokio::test]
async fn the_agents_that_could_run_it_take_no_work() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let agent = AgentId::parse("a").unwrap();
    let changes = Changes {
        admission: Some(Admission::Draining),
        ..Changes::default()
    };
    world
        .control
        .agents
        .update(&world.scope, &agent, changes, None)
        .await
        .unwrap();
    let expected = Blocker::AgentsUnavailable {
        agents: vec![(agent.clone(), "it is draining")],
    };
    assert_eq!(blocker(&world, "t").await, expected);
    world.pass(LEASE_TTL_MS).await;
    let explained = explain(&world, "t").await;
    let expected = "agent `a` could run it, but it is inactive; it must send a heartbeat first";
    assert_eq!(explained.summary, expected);
}

#[tokio::test]
async fn all_slots_are_in_use() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("first", "read").await;
    world.hold("a", "first").await;
    world.task("t", "read").await;
    let expected = Blocker::SlotsBusy {
        agents: vec![AgentId::parse("a").unwrap()],
        slots: 1,
        used: 1,
    };
    assert_eq!(blocker(&world, "t").await, expected);
}

#[tokio::test]
async fn the_agent_it_is_meant_for_is_not_registered() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    let target = AgentId::parse("gone").unwrap();
    let mut new = World::wish("t", "read");
    new.target = Some(target.clone());
    world.create(new).await;
    assert_eq!(
        blocker(&world, "t").await,
        Blocker::TargetUnknown { agent_id: target }
    );
}

#[tokio::test]
async fn others_come_first() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("first", "read").await;
    world.skip(1);
    world.task("t", "read").await;
    assert_eq!(blocker(&world, "t").await, Blocker::Queue { ahead: 1 });
    let next = explain(&world, "first").await;
    assert_eq!(
        (next.summary.as_str(), next.blockers.len()),
        ("it is next in line", 0)
    );
}

#[tokio::test]
async fn what_agents_gave_back_is_said_of_a_task_that_nothing_holds_up() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    for said in [
        "it is next in line; agent `a` gave it back",
        "it is next in line; it was given back 2 times in a row, the last time by agent `a`",
    ] {
        let proof = world.hold("a", "t").await;
        let (t, no) = (id("t"), "no".to_owned());
        let back = world.control.tasks.release(&world.scope, &t, proof, no);
        back.await.unwrap();
        world.skip(10_000);
        world.heartbeat("a", None).await;
        assert_eq!(explain(&world, "t").await.summary, said);
    }
}

#[tokio::test]
async fn several_blockers_are_all_listed() {
    let world = World::new();
    world.task("first", "read").await;
    let mut new = World::wish("t", "read");
    new.dependencies = vec![id("first")];
    new.run_at = Some(world.now().plus_ms(1));
    world.create(new).await;
    let kinds = explain(&world, "t").await.blockers;
    assert!(matches!(
        kinds.as_slice(),
        [
            Blocker::Dependency { .. },
            Blocker::RunAt { .. },
            Blocker::NoCapableAgent { .. }
        ]
    ));
}

#[tokio::test]
async fn nothing_is_in_the_way_of_what_runs_or_has_ended() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    let mut summaries = Vec::new();
    let given = explain(&world, "t").await;
    assert!(
        given.summary.starts_with("agent `a` was given it at "),
        "{}",
        given.summary
    );
    world.start("t", proof).await;
    summaries.push(explain(&world, "t").await);
    world
        .control
        .tasks
        .cancel(&world.scope, &id("t"), None)
        .await
        .unwrap();
    summaries.push(explain(&world, "t").await);
    world
        .control
        .tasks
        .confirm_cancel(&world.scope, &id("t"), proof)
        .await
        .unwrap();
    summaries.push(explain(&world, "t").await);
    world
        .control
        .tasks
        .retry(&world.scope, &id("t"))
        .await
        .unwrap();
    let proof = world.hold("a", "t").await;
    world.fail("t", proof, ErrorType::Validation).await;
    summaries.push(explain(&world, "t").await);
    world
        .control
        .tasks
        .retry(&world.scope, &id("t"))
        .await
        .unwrap();
    let proof = world.hold("a", "t").await;
    world.complete("t", proof).await;
    summaries.push(explain(&world, "t").await);
    assert!(summaries.iter().all(|each| each.blockers.is_empty()));
    let summaries: Vec<&str> = summaries.iter().map(|each| each.summary.as_str()).collect();
    let expected = [
        "agent `a` runs it",
        "agent `a` runs it and was asked to stop",
        "it was cancelled: cancelled by `tests`; retry it to run it again",
        "it failed after 2 attempts: it did not work; retry it to run it again",
        "it is completed",
    ];
    assert_eq!(summaries, expected);
}
