//! What a new process finds.

use std::sync::Arc;

use mcpanel_domain::{event::Kind, task::State};

use super::{
    Backend, World,
    world::{agent_id, conflict, new_task, task_id},
};
use crate::{Commit, Write, query::EventFilter};

/// Documents of every age and state.
pub async fn everything_is_still_there<B: Backend>() {
    let world = World::<B>::open().await;
    let mut expected = Vec::new();
    for n in 0..30 {
        let task = world.task(&format!("t{n:02}"));
        world.create(&task).await;
        expected.push(match n % 5 {
            0 => world.end(&task, State::Completed).await,
            1 => world.assign(&task, "worker", "sess_1").await,
            2 => {
                let held = world.assign(&task, "worker", "sess_1").await;
                world.end(&held, State::Failed).await
            }
            _ => task,
        });
    }
    let world = world.restart().await;
    for task in &expected {
        assert_eq!(*world.stored(task.id.as_str()).await.unwrap(), *task);
        conflict(
            world
                .commit(Commit::of(new_task(&world.task(task.id.as_str()))))
                .await,
        );
    }
    let leases = world.leases(&world.ns, &agent_id("worker")).await.unwrap();
    assert_eq!(leases.len(), 6);
}

/// The same tasks in the same order.
pub async fn the_queue_is_rebuilt<B: Backend>() {
    let world = World::<B>::open().await;
    let tasks = world.create_all(&["a", "b", "c"]).await;
    world.change(&tasks[1], |task| task.priority = 5).await;
    let mut waits = world.task("waits");
    waits.dependencies = [task_id("a")].into();
    world.create(&waits).await;
    let world = world.restart().await;
    let offer = world.offer("worker", 10);
    assert_eq!(world.take(&offer).await, ["b", "a", "c"]);
    world.end(&tasks[0], State::Completed).await;
    assert_eq!(world.take(&offer).await, ["waits"]);
}

/// Claims of the former process are nobody's.
pub async fn reservations_are_forgotten<B: Backend>() {
    let world = World::<B>::open().await;
    world.create_all(&["a"]).await;
    let mut offer = world.offer("worker", 10);
    offer.concurrency = 1;
    assert_eq!(world.take(&offer).await, ["a"]);
    let world = world.restart().await;
    assert_eq!(world.take(&offer).await, ["a"]);
}

/// Event numbers are never used twice.
pub async fn numbers_go_on<B: Backend>() {
    let mut world = World::<B>::open().await;
    for n in 1..=4 {
        let commit = Commit::default().with_events([world.event(Kind::TaskCreated, "a")]);
        assert_eq!(world.commit(commit).await.unwrap().last_seq, n);
        world = world.restart().await;
        assert_eq!(*world.watch_events().borrow(), n);
    }
    let all = world
        .events(&world.ns, &EventFilter::default(), 0, 10)
        .await
        .unwrap();
    assert_eq!(all.events.len(), 4);
}

/// Counts do not drift over restarts.
pub async fn counts_are_the_same<B: Backend>() {
    let mut world = World::<B>::open().await;
    for round in 0..4 {
        let task = world.task(&format!("t{round}"));
        world.create(&task).await;
        let before = world.totals(&world.ns).await.unwrap();
        world = world.restart().await;
        assert_eq!(world.totals(&world.ns).await.unwrap(), before);
        world.end(&task, State::Completed).await;
        let before = world.totals(&world.ns).await.unwrap();
        assert_eq!(before.tasks[3], round + 1);
        world = world.restart().await;
        assert_eq!(world.totals(&world.ns).await.unwrap(), before);
    }
}

/// A restart right after a restart.
pub async fn twice_in_a_row<B: Backend>() {
    let world = World::<B>::open().await;
    let agent = world.new_agent("worker", "sess_1");
    let commit = Commit::of(new_task(&world.task("a"))).with(Write::Agent(Arc::new(agent)));
    world.commit(commit).await.unwrap();
    let world = world.restart().await.restart().await.restart().await;
    assert!(world.stored("a").await.is_some());
    assert_eq!(world.agents(&world.ns).await.unwrap().len(), 1);
}
