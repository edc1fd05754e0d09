//! Timers.

use std::sync::Arc;

use mcpanel_domain::{
    limits::{LEASE_TTL_MS, SUSPECT_AFTER_MS},
    task::State,
};

use super::{
    Backend, World,
    world::{agent_id, task_id},
};
use crate::{Commit, Due, Write};

fn task_due<B: Backend>(world: &World<B>, id: &str) -> Due {
    Due::Task(world.ns.clone(), task_id(id))
}

/// A lease's end and a deadline.
pub async fn leases_and_deadlines_fall_due<B: Backend>() {
    let world = World::<B>::open().await;
    let task = world.create_all(&["leased"]).await.remove(0);
    world.assign(&task, "worker", "sess_1").await;
    let mut urgent = world.task("urgent");
    urgent.deadline = Some(world.clock.now().plus_ms(10));
    world.create(&urgent).await;
    assert_eq!(
        world.next_due().await.unwrap(),
        Some(world.clock.now().plus_ms(10))
    );
    world.clock.advance(9);
    assert!(world.due(world.clock.now(), 10).await.unwrap().is_empty());
    world.clock.advance(i64::try_from(LEASE_TTL_MS).unwrap());
    let due = world.due(world.clock.now(), 10).await.unwrap();
    assert_eq!(
        due,
        [task_due(&world, "urgent"), task_due(&world, "leased")]
    );
    let again = world.due(world.clock.now(), 10).await.unwrap();
    assert!(again.is_empty(), "told once until it changes");
}

/// What has nothing to do yet is told again later.
pub async fn rearming_moves_a_timer<B: Backend>() {
    let world = World::<B>::open().await;
    let task = world.create_all(&["a"]).await.remove(0);
    world.assign(&task, "worker", "sess_1").await;
    world.clock.advance(i64::try_from(LEASE_TTL_MS).unwrap());
    let due = world.due(world.clock.now(), 10).await.unwrap();
    assert_eq!(due, [task_due(&world, "a")]);
    let later = world.clock.now().plus_ms(500);
    world.rearm(&due[0], later);
    world.rearm(&task_due(&world, "nobody"), later);
    assert_eq!(world.next_due().await.unwrap(), Some(later));
    world.clock.advance(500);
    assert_eq!(world.due(world.clock.now(), 10).await.unwrap(), due);
}

/// Whoever puts a timer off read the document before: what changed since then is not slept through.
pub async fn rearming_does_not_put_off_a_newer_timer<B: Backend>() {
    let world = World::<B>::open().await;
    let task = world.create_all(&["a"]).await.remove(0);
    let first = world.assign(&task, "worker", "sess_1").await;
    let lease = i64::try_from(LEASE_TTL_MS).unwrap();
    world.clock.advance(lease);
    let due = world.due(world.clock.now(), 10).await.unwrap();
    assert_eq!(due, [task_due(&world, "a")]);
    // Another one is faster: the task goes back, and to the next agent.
    let back = world
        .change(&first, |task| task.state = State::Pending)
        .await;
    world.assign(&back, "other", "sess_2").await;
    let ends = world.clock.now().plus_ms(LEASE_TTL_MS);
    world.rearm(&due[0], ends.plus_ms(60_000));
    assert_eq!(world.next_due().await.unwrap(), Some(ends));
    world.clock.advance(lease);
    assert_eq!(world.due(world.clock.now(), 10).await.unwrap(), due);
}

/// An agent that may have fallen silent.
pub async fn agents_fall_due<B: Backend>() {
    let world = World::<B>::open().await;
    let agent = world.new_agent("worker", "sess_1");
    world
        .commit(Commit::of(Write::Agent(Arc::new(agent.clone()))))
        .await
        .unwrap();
    world
        .clock
        .advance(i64::try_from(SUSPECT_AFTER_MS).unwrap());
    let due = Due::Agent(world.ns.clone(), agent_id("worker"));
    assert_eq!(world.due(world.clock.now(), 10).await.unwrap(), [due]);
    world.rearm(
        &Due::Agent(world.ns.clone(), agent_id("worker")),
        world.clock.now(),
    );
    let delete = Write::DeleteAgent {
        namespace: world.ns.clone(),
        id: agent.id,
        revision: 1,
    };
    world.commit(Commit::of(delete)).await.unwrap();
    assert!(world.due(world.clock.now(), 10).await.unwrap().is_empty());
}

/// Nothing happens to an ended task of itself.
pub async fn ended_tasks_have_no_timers<B: Backend>() {
    let world = World::<B>::open().await;
    let mut task = world.task("a");
    task.deadline = Some(world.clock.now().plus_ms(10));
    world.create(&task).await;
    world.end(&task, State::Completed).await;
    assert_eq!(world.next_due().await.unwrap(), None);
    world.rearm(&task_due(&world, "a"), world.clock.now());
    assert!(world.due(world.clock.now(), 10).await.unwrap().is_empty());
}

/// No more than asked for; the rest comes with the next call.
pub async fn limits_are_kept<B: Backend>() {
    let world = World::<B>::open().await;
    for n in 0..5 {
        let mut task = world.task(&format!("t{n}"));
        task.deadline = Some(world.clock.now());
        world.create(&task).await;
    }
    let mut seen = 0;
    for expected in [2, 2, 1, 0] {
        let due = world.due(world.clock.now(), 2).await.unwrap();
        assert_eq!(due.len(), expected);
        seen += due.len();
    }
    assert_eq!(seen, 5);
}
