//! Commits are all or nothing, and guarded by revisions.

use std::sync::Arc;

use mcpanel_domain::{event::Kind, task::State};

use super::{
    Backend, World,
    world::{assigned, changed_task, conflict, new_task, step, task_id},
};
use crate::{Commit, Write};

/// A conflict in one document keeps everything else out too, events included.
pub async fn writes_all_or_nothing<B: Backend>() {
    let world = World::<B>::open().await;
    let known = world.create_all(&["a"]).await.remove(0);
    let fresh = world.task("b");
    let commit = Commit::of(new_task(&fresh))
        .with(new_task(&known))
        .with_events([world.event(Kind::TaskCreated, "b")]);
    let found = conflict(world.commit(commit).await);
    assert_eq!((found.what, found.id.as_str()), ("task", "a"));
    assert_eq!((found.expected, found.found), (0, 1));
    assert!(world.stored("b").await.is_none());
    assert_eq!(*world.watch_events().borrow(), 0);
    world.create(&fresh).await;
    assert!(world.stored("b").await.is_some());
}

/// A document must be one ahead: not equal, not two.
pub async fn refuses_a_wrong_revision<B: Backend>() {
    let world = World::<B>::open().await;
    let first = world.create_all(&["a"]).await.remove(0);
    let second = step(&first, |task| task.priority = 5);
    let third = step(&second, |task| task.priority = 6);
    let found = conflict(world.commit(Commit::of(changed_task(&third))).await);
    assert_eq!((found.expected, found.found), (2, 1));
    world.save(&second).await;
    conflict(world.commit(Commit::of(changed_task(&second))).await);
    let missing = step(&world.task("nobody"), |_| {});
    let found = conflict(world.commit(Commit::of(changed_task(&missing))).await);
    assert_eq!(found.found, 0);
    let stored = world.stored("a").await.unwrap();
    assert_eq!((stored.revision, stored.priority), (2, 5));
}

/// A commit that names a document twice could hide a conflict.
pub async fn refuses_a_document_named_twice<B: Backend>() {
    let world = World::<B>::open().await;
    let first = world.task("a");
    let second = step(&first, |_| {});
    let commit = Commit::of(new_task(&first)).with(changed_task(&second));
    conflict(world.commit(commit).await);
    assert!(world.stored("a").await.is_none());
}

/// Nothing to write is written at once.
pub async fn an_empty_commit_changes_nothing<B: Backend>() {
    let world = World::<B>::open().await;
    let task = world.task("a");
    let commit = Commit::of(new_task(&task)).with_events([world.event(Kind::TaskCreated, "a")]);
    assert_eq!(world.commit(commit).await.unwrap().last_seq, 1);
    assert_eq!(world.commit(Commit::default()).await.unwrap().last_seq, 1);
}

/// A delete names the revision it saw.
pub async fn deletes_only_what_is_there<B: Backend>() {
    let world = World::<B>::open().await;
    let agent = world.new_agent("worker", "sess_1");
    let delete = |revision| {
        Commit::of(Write::DeleteAgent {
            namespace: agent.namespace.clone(),
            id: agent.id.clone(),
            revision,
        })
    };
    conflict(world.commit(delete(1)).await);
    conflict(world.commit(delete(0)).await);
    let create = Commit::of(Write::Agent(Arc::new(agent.clone())));
    world.commit(create.clone()).await.unwrap();
    conflict(world.commit(delete(2)).await);
    world.commit(delete(1)).await.unwrap();
    assert!(world.agent(&world.ns, &agent.id).await.unwrap().is_none());
    world.commit(create).await.unwrap();
}

/// Commits that are handed in together are taken in order, each seeing the one before.
pub async fn a_chain_of_revisions_may_be_committed_at_once<B: Backend>() {
    let world = World::<B>::open().await;
    let first = world.task("a");
    let second = assigned(&first, "worker", "sess_1", world.clock.now());
    let third = step(&second, |task| task.state = State::Completed);
    let (one, two, three) = tokio::join!(
        world.commit(Commit::of(new_task(&first))),
        world.commit(Commit::of(changed_task(&second))),
        world.commit(Commit::of(changed_task(&third))),
    );
    one.unwrap();
    two.unwrap();
    three.unwrap();
    assert_eq!(world.stored("a").await.unwrap().revision, 3);
    assert_eq!(world.totals(&world.ns).await.unwrap().tasks[3], 1);
}

/// Of many who change the same revision one wins, and only one.
pub async fn one_of_many_rivals_wins<B: Backend>() {
    let world = World::<B>::open().await;
    let task = world.create_all(&["a"]).await.remove(0);
    let mut rivals = tokio::task::JoinSet::new();
    for rival in 0..20 {
        let store = world.shared();
        let next = step(&task, |task| task.priority = rival);
        rivals.spawn(async move { store.commit(Commit::of(changed_task(&next))).await });
    }
    let outcomes = rivals.join_all().await;
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(won, 1);
    let found = world.tasks(&world.ns, &[task_id("a")]).await.unwrap();
    assert_eq!(found[0].as_ref().unwrap().revision, 2);
}
