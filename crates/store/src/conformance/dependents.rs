//! Tasks that wait for others.

use mcpanel_domain::task::{State, Task};

use super::{
    Backend, World,
    world::{changed_task, new_task, step, task_id},
};
use crate::Commit;

async fn waiting<B: Backend>(world: &World<B>, id: &str, on: &[&str]) -> Task {
    let mut task = world.task(id);
    task.dependencies = on.iter().map(|id| task_id(id)).collect();
    world.create(&task).await;
    task
}

/// Ready only when the last one is completed, whichever that is.
pub async fn waits_until_all_are_completed<B: Backend>() {
    let world = World::<B>::open().await;
    let first = world.create_all(&["first", "second"]).await;
    world.end(&first[1], State::Completed).await;
    let world = world.restart().await;
    waiting(&world, "waits", &["first", "second"]).await;
    let offer = world.offer("worker", 10);
    let dependents = world.dependents(&world.ns, &task_id("first")).await;
    assert_eq!(dependents.unwrap(), [task_id("waits")]);
    assert_eq!(world.take(&offer).await, ["first"]);
    world.end(&first[0], State::Completed).await;
    assert_eq!(world.take(&offer).await, ["waits"]);
    assert!(world.doomed_tasks(10).await.unwrap().is_empty());
}

/// A dependency that failed or was cancelled is reported with who waits for it.
pub async fn a_dead_dependency_dooms<B: Backend>() {
    let world = World::<B>::open().await;
    let first = world.create_all(&["first"]).await.remove(0);
    let waits = waiting(&world, "waits", &["first"]).await;
    world.end(&first, State::Failed).await;
    let late = waiting(&world, "late", &["first"]).await;
    let doomed = |waits: &Task| (world.ns.clone(), waits.id.clone(), task_id("first"));
    let expected = vec![doomed(&late), doomed(&waits)];
    assert_eq!(world.doomed_tasks(10).await.unwrap(), expected);
    let world = world.restart().await;
    assert_eq!(world.doomed_tasks(10).await.unwrap(), expected);
    assert_eq!(world.doomed_tasks(1).await.unwrap().len(), 1);
    world.end(&waits, State::Cancelled).await;
    world.end(&late, State::Cancelled).await;
    assert!(world.doomed_tasks(10).await.unwrap().is_empty());
    let dependents = world.dependents(&world.ns, &task_id("first")).await;
    assert!(dependents.unwrap().is_empty());
}

/// A failed dependency that is tried again may complete after all.
pub async fn a_replayed_dependency_saves<B: Backend>() {
    let world = World::<B>::open().await;
    let first = world.create_all(&["first"]).await.remove(0);
    waiting(&world, "waits", &["first"]).await;
    let failed = world.end(&first, State::Failed).await;
    let world = world.restart().await;
    let again = world
        .change(&failed, |task| task.state = State::Pending)
        .await;
    assert!(world.doomed_tasks(10).await.unwrap().is_empty());
    let offer = world.offer("worker", 10);
    assert_eq!(world.take(&offer).await, ["first"]);
    world.end(&again, State::Completed).await;
    assert_eq!(world.take(&offer).await, ["waits"]);
}

/// Tasks of one commit may wait for each other in any order.
pub async fn order_within_a_commit_does_not_matter<B: Backend>() {
    let world = World::<B>::open().await;
    let first = world.task("first");
    let mut waits = world.task("waits");
    waits.dependencies = [task_id("first")].into();
    let commit = Commit::of(new_task(&waits)).with(new_task(&first));
    world.commit(commit).await.unwrap();
    assert!(world.doomed_tasks(10).await.unwrap().is_empty());
    let offer = world.offer("worker", 10);
    assert_eq!(world.take(&offer).await, ["first"]);
    // The dependency ends in the same commit that brings another who waits for it.
    let mut third = world.task("third");
    third.dependencies = [task_id("first")].into();
    let done = step(&first, |task| task.state = State::Completed);
    let commit = Commit::of(changed_task(&done)).with(new_task(&third));
    world.commit(commit).await.unwrap();
    assert_eq!(world.take(&offer).await, ["third", "waits"]);
}

/// Who waits for what does not exist waits in vain.
pub async fn a_missing_dependency_dooms<B: Backend>() {
    let world = World::<B>::open().await;
    let waits = waiting(&world, "waits", &["nobody"]).await;
    let doomed = vec![(world.ns.clone(), waits.id.clone(), task_id("nobody"))];
    assert_eq!(world.doomed_tasks(10).await.unwrap(), doomed);
    world
        .change(&waits, |task| task.dependencies = [].into())
        .await;
    assert!(world.doomed_tasks(10).await.unwrap().is_empty());
    assert_eq!(world.take(&world.offer("worker", 10)).await, ["waits"]);
}

/// What did not exist may be created after all; then it is waited for.
pub async fn a_dependency_that_comes_late_is_waited_for<B: Backend>() {
    let world = World::<B>::open().await;
    waiting(&world, "waits", &["late"]).await;
    let late = world.create_all(&["late"]).await.remove(0);
    assert!(world.doomed_tasks(10).await.unwrap().is_empty());
    let offer = world.offer("worker", 10);
    assert_eq!(world.take(&offer).await, ["late"]);
    world.end(&late, State::Completed).await;
    assert_eq!(world.take(&offer).await, ["waits"]);
}
