//! Creating tasks, one and many, and repeating the request.

use mcpanel_domain::{limits::BATCH_TASKS_MAX, task::Status};

use super::{world::World, *};
use crate::{Idempotency, Scope};

fn under(key: &str, fingerprint: u8) -> Idempotency {
    Idempotency {
        key: key.to_owned(),
        fingerprint: [fingerprint; 32],
    }
}

#[tokio::test]
async fn a_created_task_waits_with_its_parameters() {
    let world = World::new();
    let created = world
        .control
        .tasks
        .create(&world.scope, World::wish("t", "read"), None);
    let created = created.await.unwrap();
    assert!(!created.replayed);
    let view = world
        .control
        .tasks
        .get(&world.scope, &id("t"))
        .await
        .unwrap();
    assert_eq!(view.task.status(), Status::Pending);
    assert_eq!(view.payloads.parameters.as_str(), r#"{"text":"hello"}"#);
    assert_eq!(view.task.created_by.as_ref(), "tests");
}

#[tokio::test]
async fn an_id_is_taken_once() {
    let world = World::new();
    world.task("t", "read").await;
    let again = world
        .control
        .tasks
        .create(&world.scope, World::wish("t", "read"), None);
    assert!(matches!(
        refused(again.await),
        Rejection::Exists { what: "task", .. }
    ));
}

#[tokio::test]
async fn another_namespace_sees_nothing_and_may_use_the_same_id() {
    let world = World::new();
    world.task("t", "read").await;
    let stranger = world.stranger();
    let tasks = &world.control.tasks;
    let unseen = tasks.get(&stranger, &id("t")).await;
    assert!(matches!(refused(unseen), Rejection::NotFound { .. }));
    tasks
        .create(&stranger, World::wish("t", "read"), None)
        .await
        .unwrap();
    let dependent = {
        let mut new = World::wish("u", "read");
        new.dependencies = vec![id("only-here")];
        new
    };
    world.task("only-here", "read").await;
    let found = faults(tasks.create(&stranger, dependent, None).await);
    assert_eq!(found, [fault("/dependencies/0", "unknown_dependency")]);
}

#[tokio::test]
async fn a_batch_is_created_as_a_whole_and_may_depend_on_itself() {
    let world = World::new();
    let mut second = World::wish("b", "read");
    second.dependencies = vec![id("a")];
    let batch = vec![second, World::wish("a", "read")];
    let created = world
        .control
        .tasks
        .create_batch(&world.scope, batch, None)
        .await;
    assert_eq!(created.unwrap().value.len(), 2);
    assert_eq!(world.get("b").await.status(), Status::Pending);
}

#[tokio::test]
async fn a_batch_with_a_fault_creates_nothing_and_lists_all_faults() {
    let world = World::new();
    let mut wrong = World::wish("b", "read");
    wrong.priority = 9_999;
    wrong.timeout_ms = Some(0);
    let mut lost = World::wish("c", "read");
    lost.dependencies = vec![id("nowhere")];
    let tasks = &world.control.tasks;
    let batch = vec![
        World::wish("a", "read"),
        wrong.clone(),
        World::wish("a", "read"),
    ];
    let found = faults(tasks.create_batch(&world.scope, batch, None).await);
    let expected = [
        fault("/tasks/1/priority", "out_of_range"),
        fault("/tasks/1/timeout_ms", "out_of_range"),
        fault("/tasks/2/task_id", "repeated"),
    ];
    assert_eq!(found, expected);
    let batch = vec![World::wish("a", "read"), lost];
    let found = faults(tasks.create_batch(&world.scope, batch, None).await);
    assert_eq!(
        found,
        [fault("/tasks/1/dependencies/0", "unknown_dependency")]
    );
    assert!(tasks.get(&world.scope, &id("a")).await.is_err());
}

#[tokio::test]
async fn an_empty_batch_and_one_too_large_are_refused() {
    let world = World::new();
    let many = (0..=BATCH_TASKS_MAX).map(|n| World::wish(&format!("t{n}"), "read"));
    for batch in [Vec::new(), many.collect()] {
        let outcome = world
            .control
            .tasks
            .create_batch(&world.scope, batch, None)
            .await;
        assert_eq!(faults(outcome), [fault("/tasks", "count")]);
    }
}

#[tokio::test]
async fn a_circle_in_a_batch_is_named() {
    let world = World::new();
    let mut a = World::wish("a", "read");
    a.dependencies = vec![id("b")];
    let mut b = World::wish("b", "read");
    b.dependencies = vec![id("a")];
    let outcome = world
        .control
        .tasks
        .create_batch(&world.scope, vec![a, b], None)
        .await;
    let Rejection::DependencyCycle { cycle, pointer } = refused(outcome) else {
        panic!("a circle is expected");
    };
    assert_eq!(cycle, [id("a"), id("b"), id("a")]);
    assert_eq!(pointer, "/tasks/0/dependencies");
}

#[tokio::test]
async fn nothing_may_wait_for_what_will_not_complete() {
    let world = World::new();
    world.task("dead", "read").await;
    world
        .control
        .tasks
        .cancel(&world.scope, &id("dead"), None)
        .await
        .unwrap();
    let mut new = World::wish("t", "read");
    new.dependencies = vec![id("dead")];
    let found = faults(world.control.tasks.create(&world.scope, new, None).await);
    assert_eq!(found, [fault("/dependencies/0", "unknown_dependency")]);
}

#[tokio::test]
async fn a_repeated_request_finds_what_it_made() {
    let world = World::new();
    let tasks = &world.control.tasks;
    let key = under("k", 1);
    let first = tasks
        .create(&world.scope, World::wish("first", "read"), Some(&key))
        .await;
    assert!(!first.unwrap().replayed);
    let second = tasks
        .create(&world.scope, World::wish("second", "read"), Some(&key))
        .await;
    let second = second.unwrap();
    assert!(second.replayed);
    assert_eq!(second.value.task.id, id("first"));
    assert!(tasks.get(&world.scope, &id("second")).await.is_err());
}

#[tokio::test]
async fn a_key_for_another_request_is_refused() {
    let world = World::new();
    let tasks = &world.control.tasks;
    let wish = || World::wish("t", "read");
    tasks
        .create(&world.scope, wish(), Some(&under("k", 1)))
        .await
        .unwrap();
    let other = tasks
        .create(&world.scope, wish(), Some(&under("k", 2)))
        .await;
    assert!(matches!(other, Err(Error::IdempotencyMismatch { .. })));
}

#[tokio::test]
async fn a_key_is_its_callers_own() {
    let world = World::new();
    let tasks = &world.control.tasks;
    let key = under("k", 1);
    tasks
        .create(&world.scope, World::wish("a", "read"), Some(&key))
        .await
        .unwrap();
    let other = Scope::new(world.scope.namespace.clone(), "somebody");
    let created = tasks
        .create(&other, World::wish("b", "read"), Some(&key))
        .await;
    assert!(!created.unwrap().replayed);
    // Neither may names be put together so that they read the same.
    let (ab, a) = (
        Scope::new(world.scope.namespace.clone(), "a:b"),
        Scope::new(world.scope.namespace.clone(), "a"),
    );
    tasks
        .create(&ab, World::wish("c", "read"), Some(&under("c", 1)))
        .await
        .unwrap();
    let created = tasks
        .create(&a, World::wish("d", "read"), Some(&under("b:c", 1)))
        .await;
    assert!(!created.unwrap().replayed);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_while() {
    let world = World::new();
    let tasks = &world.control.tasks;
    let key = under("k", 1);
    tasks
        .create(&world.scope, World::wish("a", "read"), Some(&key))
        .await
        .unwrap();
    world.skip(mcpanel_domain::limits::IDEMPOTENCY_KEPT_MS);
    world.control.sweep().await.unwrap();
    let created = tasks
        .create(&world.scope, World::wish("b", "read"), Some(&key))
        .await;
    assert!(!created.unwrap().replayed);
}

#[tokio::test]
async fn equal_requests_at_the_same_time_create_once() {
    let world = World::new();
    let tasks = &world.control.tasks;
    let key = under("k", 1);
    let one = tasks.create(&world.scope, World::wish("t", "read"), Some(&key));
    let two = tasks.create(&world.scope, World::wish("t", "read"), Some(&key));
    let (one, two) = tokio::join!(one, two);
    assert!(one.unwrap().replayed != two.unwrap().replayed);
}
