//! The ready queue.

use std::time::Duration;

use mcpanel_domain::task::State;

use super::{
    Backend, World,
    world::{agent_id, name, session_id, task_id},
};
use crate::{Due, Reserved};

/// Highest priority, then earliest deadline, then oldest, then lowest id.
pub async fn priority_then_deadline_then_age<B: Backend>() {
    let world = World::<B>::open().await;
    let now = world.clock.now();
    for (id, priority, deadline, age) in [
        ("old", 0, None, 0),
        ("young", 0, None, 5),
        ("late", 0, Some(9_000), 5),
        ("soon", 0, Some(8_000), 5),
        ("important", 3, None, 9),
        ("unimportant", -3, Some(1_000), 0),
    ] {
        let mut task = world.task(id);
        task.priority = priority;
        task.deadline = deadline.map(|ms| now.plus_ms(ms));
        task.created_at = now.plus_ms(age);
        world.create(&task).await;
    }
    let offer = world.offer("worker", 10);
    assert_eq!(
        world.take(&offer).await,
        ["important", "soon", "late", "old", "young", "unimportant"]
    );
    assert!(world.take(&offer).await.is_empty());
}

/// A pipeline with many tasks does not starve one with few.
pub async fn pipelines_take_turns<B: Backend>() {
    let world = World::<B>::open().await;
    for index in 0..50 {
        world.create(&world.stage_task("pipe_big", 1, index)).await;
    }
    for index in 0..3 {
        world.create(&world.stage_task("pipe_late", 1, index)).await;
    }
    let taken = world.take(&world.offer("worker", 8)).await;
    let late = taken
        .iter()
        .filter(|id| id.starts_with("pipe_late"))
        .count();
    assert_eq!(late, 3, "{taken:?}");
}

/// An agent is given only what it can do wholly.
pub async fn needs_every_capability<B: Backend>() {
    let world = World::<B>::open().await;
    let mut task = world.task("a");
    task.capabilities = vec![name("gpu"), name("work")].into();
    world.create(&task).await;
    let mut offer = world.offer("worker", 10);
    assert!(world.take(&offer).await.is_empty());
    offer.capabilities = vec![name("gpu"), name("ink"), name("work")];
    assert_eq!(world.take(&offer).await, ["a"]);
}

/// A task that names its agent is given to nobody else.
pub async fn a_target_alone_gets_it<B: Backend>() {
    let world = World::<B>::open().await;
    let mut task = world.task("a");
    task.target = Some(agent_id("chosen"));
    world.create(&task).await;
    assert!(world.take(&world.offer("other", 10)).await.is_empty());
    assert_eq!(world.take(&world.offer("chosen", 10)).await, ["a"]);
}

/// Slots in use are live leases and tasks set aside, of this session.
pub async fn slots_are_counted_from_leases<B: Backend>() {
    let world = World::<B>::open().await;
    let tasks = world.create_all(&["a", "b", "c", "d"]).await;
    let held = world.assign(&tasks[0], "worker", "sess_1").await;
    let mut offer = world.offer("worker", 10);
    offer.concurrency = 2;
    assert_eq!(world.take(&offer).await, ["b"]);
    assert!(world.take(&offer).await.is_empty(), "one lease, one aside");
    let fresh = world.assign(&tasks[1], "worker", "sess_1").await;
    assert!(world.take(&offer).await.is_empty(), "two leases");
    world.end(&held, State::Completed).await;
    assert_eq!(world.take(&offer).await, ["c"]);
    world.end(&fresh, State::Failed).await;
    offer.session = session_id("sess_2");
    offer.concurrency = 10;
    assert_eq!(world.take(&offer).await, ["d"]);
}

/// What was set aside and not assigned goes back when the claim is dropped.
pub async fn reservations_come_back<B: Backend>() {
    let world = World::<B>::open().await;
    let tasks = world.create_all(&["a", "b"]).await;
    let offer = world.offer("worker", 10);
    let now = world.clock.now();
    let taken = world.take_ready(&offer, now).await.unwrap();
    let reserved = Reserved::new(world.shared(), world.ns.clone(), taken);
    assert!(world.take(&offer).await.is_empty());
    world.assign(&tasks[0], "worker", "sess_1").await;
    drop(reserved);
    assert_eq!(world.take(&offer).await, ["b"]);
}

/// A claim that returns late gives back only what it took, not what another took since.
pub async fn a_stale_return_leaves_a_newer_claim_alone<B: Backend>() {
    let world = World::<B>::open().await;
    let task = world.create_all(&["a"]).await.remove(0);
    let offer = world.offer("worker", 10);
    let now = world.clock.now();
    let first = world.take_ready(&offer, now).await.unwrap();
    world.change(&task, |task| task.priority = 1).await;
    let second = world.take_ready(&offer, now).await.unwrap();
    assert_eq!(second.len(), 1, "a changed task is ready anew");
    world.unreserve(&world.ns, &first);
    assert!(world.take(&offer).await.is_empty());
    world.unreserve(&world.ns, &second);
    assert_eq!(world.take(&offer).await, ["a"]);
}

/// Not before `run_at`, nor before a retry's time.
pub async fn waits_for_its_time<B: Backend>() {
    let world = World::<B>::open().await;
    let now = world.clock.now();
    let mut later = world.task("later");
    later.run_at = Some(now.plus_ms(1_000));
    world.create(&later).await;
    let failed = world.create_all(&["failed"]).await.remove(0);
    let at = now.plus_ms(2_000);
    world
        .change(&failed, |task| task.state = State::Retry { at })
        .await;
    let offer = world.offer("worker", 10);
    assert!(world.take(&offer).await.is_empty());
    assert_eq!(world.totals(&world.ns).await.unwrap().ready, 0);
    assert_eq!(world.next_due().await.unwrap(), Some(now.plus_ms(1_000)));
    world.clock.advance(1_000);
    assert!(world.due(world.clock.now(), 10).await.unwrap().is_empty());
    assert_eq!(world.totals(&world.ns).await.unwrap().ready, 1);
    assert_eq!(world.take(&offer).await, ["later"]);
    world.clock.advance(1_000);
    assert_eq!(world.take(&offer).await, ["failed"]);
}

/// How many come first, for people who wait.
pub async fn ahead_counts_those_before<B: Backend>() {
    let world = World::<B>::open().await;
    let mut urgent = world.task("z_urgent");
    urgent.priority = 1;
    world.create(&urgent).await;
    let tasks = world.create_all(&["a", "b"]).await;
    let ahead = async |id: &str| world.ready_ahead(&world.ns, &task_id(id)).await.unwrap();
    assert_eq!(ahead("z_urgent").await, Some(0));
    assert_eq!(ahead("b").await, Some(2));
    world.assign(&tasks[0], "worker", "sess_1").await;
    assert_eq!(ahead("a").await, None);
    assert_eq!(ahead("b").await, Some(1));
    assert_eq!(ahead("nobody").await, None);
}

async fn is_woken(woken: tokio::sync::oneshot::Receiver<()>) -> bool {
    matches!(
        tokio::time::timeout(Duration::from_secs(20), woken).await,
        Ok(Ok(()))
    )
}

/// A waiting claim hears of new tasks, of tasks whose time has come, and of its free slots.
pub async fn waiters_are_woken<B: Backend>() {
    let world = World::<B>::open().await;
    let offer = world.offer("worker", 1);
    let woken = world.wait_ready(&offer);
    let task = world.create_all(&["a"]).await.remove(0);
    assert!(is_woken(woken).await, "a new task");

    let held = world.assign(&task, "worker", "sess_1").await;
    let woken = world.wait_ready(&offer);
    world.end(&held, State::Completed).await;
    assert!(is_woken(woken).await, "a free slot");

    let mut later = world.task("later");
    later.run_at = Some(world.clock.now().plus_ms(100));
    world.create(&later).await;
    let woken = world.wait_ready(&offer);
    world.clock.advance(100);
    let due: Vec<Due> = world.due(world.clock.now(), 10).await.unwrap();
    assert!(due.is_empty());
    assert!(is_woken(woken).await, "a time that came");
}

/// An agent without a free slot is not called in the place of one that has some.
pub async fn a_waiter_without_room_does_not_swallow_the_call<B: Backend>() {
    let world = World::<B>::open().await;
    let task = world.create_all(&["held"]).await.remove(0);
    world.assign(&task, "busy", "sess_1").await;
    let mut full = world.offer("busy", 1);
    full.concurrency = 1;
    let _swallowed = world.wait_ready(&full);
    let woken = world.wait_ready(&world.offer("idle", 1));
    world.create_all(&["a"]).await;
    assert!(is_woken(woken).await);
}
