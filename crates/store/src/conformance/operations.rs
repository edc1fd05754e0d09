//! Operations on many tasks.

use std::sync::Arc;

use mcpanel_domain::{
    OperationId,
    operation::{Cursor, Kind, Matched, Operation, Status},
    task::{Filter, Search, Status as TaskStatus},
};

use super::{
    Backend, World,
    pages::all_pages,
    world::{agent_id, conflict, name, namespace, pipeline_id},
};
use crate::{
    Commit, Write,
    query::{OperationFilter, Page},
};

fn id(text: &str) -> OperationId {
    OperationId::parse(text).unwrap()
}

/// An operation with every field filled.
fn operation<B: Backend>(world: &World<B>, text: &str) -> Operation {
    let now = world.clock.now();
    Operation {
        id: id(text),
        namespace: world.ns.clone(),
        revision: 1,
        kind: Kind::Cancel,
        search: Search {
            filter: Filter {
                statuses: vec![TaskStatus::Pending, TaskStatus::Retry],
                task_type: Some(name("work")),
                agent_id: Some(agent_id("ada")),
                held_by: Some(agent_id("bob")),
                pipeline_id: Some(pipeline_id("pipe_1")),
                stage: Some(3),
                created_from: Some(now),
                created_before: Some(now.plus_ms(1)),
                updated_from: Some(now.plus_ms(2)),
                updated_before: Some(now.plus_ms(3)),
                ended_from: Some(now.plus_ms(4)),
                ended_before: Some(now.plus_ms(5)),
            },
            text: Some("Wörter \"here\"".to_owned()),
        },
        status: Status::Running,
        matched: Matched {
            tasks: 10_000,
            more: true,
        },
        done: 1,
        skipped: 2,
        failed: 3,
        cursor: Some(Cursor {
            created_at: now,
            id: "task_1".to_owned(),
        }),
        reason: Some("a mistake".to_owned()),
        error: None,
        created_by: "tester".to_owned(),
        created_at: now,
        updated_at: now,
        completed_at: None,
    }
}

fn write(operation: &Operation) -> Commit {
    Commit::of(Write::Operation(Arc::new(operation.clone())))
}

/// An operation and its changes, guarded by its revision.
pub async fn keeps_operations<B: Backend>() {
    let world = World::<B>::open().await;
    let mut operation = operation(&world, "op_1");
    world.commit(write(&operation)).await.unwrap();
    conflict(world.commit(write(&operation)).await);
    let world = world.restart().await;
    conflict(world.commit(write(&operation)).await);
    let found = world.operation(&world.ns, &operation.id).await.unwrap();
    assert_eq!(*found.unwrap(), operation);
    operation.revision = 2;
    operation.status = Status::Failed;
    operation.cursor = None;
    operation.error = Some("no room".to_owned());
    operation.completed_at = Some(world.clock.now());
    world.commit(write(&operation)).await.unwrap();
    let found = world.operation(&world.ns, &operation.id).await.unwrap();
    assert_eq!(*found.unwrap(), operation);
    let other = namespace("other");
    let found = world.operation(&other, &operation.id).await.unwrap();
    assert!(found.is_none());
    let found = world.operation(&world.ns, &id("op_2")).await.unwrap();
    assert!(found.is_none());
}

/// A step's tasks and its operation become durable together or not at all.
pub async fn a_step_is_one_commit<B: Backend>() {
    let world = World::<B>::open().await;
    let tasks = world.create_all(&["a", "b"]).await;
    let operation = operation(&world, "op_1");
    world.commit(write(&operation)).await.unwrap();
    let mut next = operation.clone();
    next.revision = 2;
    next.done = 7;
    let steps = tasks
        .iter()
        .map(|task| super::world::changed_task(&super::step(task, |task| task.priority = 9)));
    let mut commit = write(&next);
    commit.writes.extend(steps);
    // Somebody changes one of the tasks first.
    world.change(&tasks[1], |task| task.priority = 1).await;
    conflict(world.commit(commit).await);
    let found = world.operation(&world.ns, &operation.id).await.unwrap();
    assert_eq!(*found.unwrap(), operation);
    assert_eq!(world.stored("a").await.unwrap().priority, 0);
}

/// Newest first, by status, a page at a time.
pub async fn lists_newest_first<B: Backend>() {
    let world = World::<B>::open().await;
    for n in 0..7 {
        let mut each = operation(&world, &format!("op_{n}"));
        world.commit(write(&each)).await.unwrap();
        if n % 2 == 0 {
            each.revision = 2;
            each.status = Status::Completed;
            world.commit(write(&each)).await.unwrap();
        }
        if n % 3 == 0 {
            world.clock.advance(1);
        }
    }
    let mut world = world;
    for _ in 0..2 {
        for (statuses, expected) in [
            (
                vec![],
                vec!["op_6", "op_5", "op_4", "op_3", "op_2", "op_1", "op_0"],
            ),
            (vec![Status::Running], vec!["op_5", "op_3", "op_1"]),
            (
                vec![Status::Running, Status::Aborted],
                vec!["op_5", "op_3", "op_1"],
            ),
            (vec![Status::Failed], vec![]),
        ] {
            let filter = OperationFilter { statuses };
            let list = async |page: Page| {
                let listing = world.list_operations(&world.ns, &filter, &page).await;
                listing.unwrap()
            };
            let seen = all_pages(2, list).await;
            let seen: Vec<&str> = seen.iter().map(|each| each.id.as_str()).collect();
            assert_eq!(seen, expected, "{filter:?}");
        }
        world = world.restart().await;
    }
}

/// What is forgotten is gone from everywhere, at the revision that was seen, and its id is free.
pub async fn ended_ones_are_forgotten<B: Backend>() {
    let mut world = World::<B>::open().await;
    let mut ended = operation(&world, "op_1");
    ended.status = Status::Completed;
    let kept = operation(&world, "op_2");
    let forget = |revision| {
        Commit::of(Write::DeleteOperation {
            namespace: ended.namespace.clone(),
            id: ended.id.clone(),
            revision,
        })
    };
    conflict(world.commit(forget(1)).await);
    for each in [&ended, &kept] {
        world.commit(write(each)).await.unwrap();
    }
    // What the tables have is forgotten like what only the memory has.
    for _ in 0..2 {
        world = world.restart().await;
        conflict(world.commit(forget(2)).await);
        world.commit(forget(1)).await.unwrap();
        conflict(world.commit(forget(1)).await);
        for _ in 0..2 {
            let found = world.operation(&world.ns, &ended.id).await.unwrap();
            assert!(found.is_none());
            let page = Page::first(10);
            let filter = OperationFilter::default();
            let listing = world.list_operations(&world.ns, &filter, &page).await;
            let left: Vec<_> = listing.unwrap().items;
            assert_eq!(
                left.iter().map(|each| &each.id).collect::<Vec<_>>(),
                [&kept.id]
            );
            let running = world.running_operations(10).await.unwrap();
            assert_eq!(running, [(world.ns.clone(), kept.id.clone())]);
            world = world.restart().await;
        }
        world.commit(write(&ended)).await.unwrap();
    }
}

/// Those that have something to do, of all namespaces.
pub async fn running_ones_are_found<B: Backend>() {
    let world = World::<B>::open().await;
    let mut first = operation(&world, "op_1");
    let second = operation(&world, "op_2");
    let mut elsewhere = operation(&world, "op_0");
    elsewhere.namespace = namespace("other");
    for each in [&first, &second, &elsewhere] {
        world.commit(write(each)).await.unwrap();
    }
    let running = async |world: &World<B>, limit| -> Vec<String> {
        let found = world.running_operations(limit).await.unwrap();
        found.iter().map(|(_, id)| id.to_string()).collect()
    };
    assert_eq!(running(&world, 10).await, ["op_1", "op_2", "op_0"]);
    assert_eq!(running(&world, 1).await, ["op_1"]);
    let world = world.restart().await;
    assert_eq!(running(&world, 10).await, ["op_1", "op_2", "op_0"]);
    first.revision = 2;
    first.status = Status::Completed;
    world.commit(write(&first)).await.unwrap();
    assert_eq!(running(&world, 10).await, ["op_2", "op_0"]);
    let world = world.restart().await;
    assert_eq!(running(&world, 10).await, ["op_2", "op_0"]);
}
