//! Cancelling, retrying, delegating and changing tasks.

use mcpanel_domain::{
    AgentId,
    agent::{Admission, Changes as AgentChanges, Health},
    limits::CANCEL_GRACE_MS,
    retry::ErrorType,
    task::{Status, new::Changes},
};

use super::{world::World, *};

async fn delegate(world: &World, task: &str, agent: Option<&str>) -> Result<Option<AgentId>> {
    let agent = agent.map(|agent| AgentId::parse(agent).unwrap());
    let tasks = &world.control.tasks;
    let task = tasks
        .delegate(&world.scope, &id(task), agent.as_ref())
        .await?;
    Ok(task.target.clone())
}

async fn update(world: &World, task: &str, changes: Changes, at: Option<u64>) -> Result<u64> {
    let tasks = &world.control.tasks;
    let task = tasks.update(&world.scope, &id(task), changes, at).await?;
    Ok(task.revision)
}

fn waits_for(dependencies: &[&str]) -> Changes {
    Changes {
        dependencies: Some(dependencies.iter().map(|each| id(each)).collect()),
        ..Changes::default()
    }
}

#[tokio::test]
async fn a_cancelled_task_takes_those_with_it_that_wait_for_it() {
    let world = World::new();
    world.task("a", "read").await;
    world.waiting_for("b", &["a"]).await;
    world.waiting_for("c", &["b"]).await;
    world.task("free", "read").await;
    let reason = Some("not needed".to_owned());
    world
        .control
        .tasks
        .cancel(&world.scope, &id("a"), reason)
        .await
        .unwrap();
    for task in ["a", "b", "c"] {
        assert_eq!(world.status(task).await, Status::Cancelled, "{task}");
    }
    let error = world.get("c").await.error.clone().unwrap();
    assert_eq!(error.message, "dependency `b` will not complete");
    assert_eq!(world.status("free").await, Status::Pending);
}

#[tokio::test]
async fn a_failed_task_takes_those_with_it_too() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("a", "read").await;
    world.waiting_for("b", &["a"]).await;
    let proof = world.hold("a", "a").await;
    world.fail("a", proof, ErrorType::Validation).await;
    assert_eq!(world.status("b").await, Status::Cancelled);
}

#[tokio::test]
async fn an_agent_hears_of_a_cancellation_and_confirms_it() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    world.start("t", proof).await;
    let asked = world
        .control
        .tasks
        .cancel(&world.scope, &id("t"), None)
        .await
        .unwrap();
    assert_eq!(asked.status(), Status::Running);
    assert_eq!(world.heartbeat("a", None).await.cancel, [id("t")]);
    let confirmed = world
        .control
        .tasks
        .confirm_cancel(&world.scope, &id("t"), proof)
        .await;
    assert_eq!(confirmed.unwrap().status(), Status::Cancelled);
    assert!(world.heartbeat("a", None).await.cancel.is_empty());
}

#[tokio::test]
async fn a_cancellation_that_nobody_confirms_takes_effect_anyway() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    world
        .control
        .tasks
        .cancel(&world.scope, &id("t"), None)
        .await
        .unwrap();
    for _ in 0..3 {
        world.pass(CANCEL_GRACE_MS / 3).await;
        world.heartbeat("a", Some(&[id("t")])).await;
    }
    assert_eq!(world.status("t").await, Status::Cancelled);
    assert!(world.try_complete("t", proof).await.is_err());
}

#[tokio::test]
async fn a_retry_brings_a_task_back_with_fresh_attempts() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    world.fail("t", proof, ErrorType::Validation).await;
    let back = world
        .control
        .tasks
        .retry(&world.scope, &id("t"))
        .await
        .unwrap();
    assert_eq!(
        (back.status(), back.retry_count, back.attempt),
        (Status::Pending, 0, 1)
    );
    let proof = world.hold("a", "t").await;
    assert_eq!(proof.attempt, 2);
    world.complete("t", proof).await;
    assert!(
        world
            .control
            .tasks
            .retry(&world.scope, &id("t"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_task_is_delegated_to_the_named_agent_or_to_the_freest() {
    let world = World::new();
    world.agent("small", &["read"], 1).await;
    world.agent("large", &["read"], 5).await;
    world.agent("other", &["write"], 9).await;
    world.task("t", "read").await;
    let large = AgentId::parse("large").ok();
    assert_eq!(delegate(&world, "t", None).await.unwrap(), large);
    let small = AgentId::parse("small").ok();
    assert_eq!(delegate(&world, "t", Some("small")).await.unwrap(), small);
    assert!(world.claim("large", 1).await.is_empty());
    assert_eq!(world.claim_ids("small", 1).await, ["t"]);
    assert!(
        delegate(&world, "t", Some("large")).await.is_err(),
        "it is held"
    );
}

#[tokio::test]
async fn a_task_is_not_delegated_to_who_cannot_do_it() {
    let world = World::new();
    world.task("t", "read").await;
    assert_eq!(
        faults(delegate(&world, "t", None).await),
        [fault("/agent_id", "no_capable_agent")]
    );
    assert_eq!(
        faults(delegate(&world, "t", Some("nobody")).await),
        [fault("/agent_id", "unknown_agent")]
    );
    world.agent("writer", &["write"], 1).await;
    let unable = refused(delegate(&world, "t", Some("writer")).await);
    assert!(matches!(unable, Rejection::AgentUnavailable { .. }));
    world.agent("closed", &["read"], 1).await;
    let closed = AgentId::parse("closed").unwrap();
    let changes = AgentChanges {
        admission: Some(Admission::Draining),
        ..AgentChanges::default()
    };
    let agents = &world.control.agents;
    agents
        .update(&world.scope, &closed, changes, None)
        .await
        .unwrap();
    let draining = refused(delegate(&world, "t", Some("closed")).await);
    assert!(matches!(draining, Rejection::AgentUnavailable { .. }));
    let ill = Some(Health::Error("no disk".to_owned()));
    agents
        .heartbeat(&world.scope, &closed, None, ill, None)
        .await
        .unwrap();
    assert!(delegate(&world, "t", None).await.is_err());
}

#[tokio::test]
async fn an_update_is_guarded_by_the_revision_that_was_read() {
    let world = World::new();
    world.task("t", "read").await;
    let priority = |priority| Changes {
        priority: Some(priority),
        ..Changes::default()
    };
    assert_eq!(update(&world, "t", priority(1), Some(1)).await.unwrap(), 2);
    let late = refused(update(&world, "t", priority(2), Some(1)).await);
    assert!(matches!(
        late,
        Rejection::RevisionMismatch {
            current: 2,
            given: 1,
            ..
        }
    ));
    let wrong = faults(update(&world, "t", priority(9_999), None).await);
    assert_eq!(wrong, [fault("/priority", "out_of_range")]);
}

/// Whoever changes one of them at the same time, at another server, meets this change as a conflict.
#[tokio::test]
async fn a_change_of_dependencies_moves_on_all_live_tasks_that_it_leads_to() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("done", "read").await;
    let proof = world.hold("a", "done").await;
    world.complete("done", proof).await;
    world.waiting_for("far", &["done"]).await;
    world.waiting_for("near", &["far"]).await;
    world.task("t", "read").await;
    let before = [world.get("far").await, world.get("near").await];
    update(&world, "t", waits_for(&["near"]), None)
        .await
        .unwrap();
    for old in before {
        let new = world.get(old.id.as_str()).await;
        assert_eq!(new.revision, old.revision + 1, "{}", old.id);
        assert_eq!(new.state, old.state);
        assert_eq!(new.dependencies, old.dependencies);
    }
    assert_eq!(world.get("done").await.status(), Status::Completed);
}

#[tokio::test]
async fn a_change_of_dependencies_that_closes_a_circle_is_refused() {
    let world = World::new();
    world.task("a", "read").await;
    world.waiting_for("b", &["a"]).await;
    world.waiting_for("c", &["b"]).await;
    let Rejection::DependencyCycle { cycle, pointer } =
        refused(update(&world, "a", waits_for(&["c"]), None).await)
    else {
        panic!("a circle is expected");
    };
    assert_eq!(cycle, [id("a"), id("c"), id("b"), id("a")]);
    assert_eq!(pointer, "/dependencies");
    let itself = refused(update(&world, "a", waits_for(&["a"]), None).await);
    assert!(matches!(
        itself,
        Rejection::DependencyCycle { .. } | Rejection::Invalid { .. }
    ));
    let unknown = faults(update(&world, "a", waits_for(&["nowhere"]), None).await);
    assert_eq!(unknown, [fault("/dependencies/0", "unknown_dependency")]);
}

#[tokio::test]
async fn two_changes_at_once_do_not_close_a_circle_that_neither_sees() {
    let world = World::new();
    world.task("a", "read").await;
    world.task("b", "read").await;
    let one = update(&world, "a", waits_for(&["b"]), None);
    let two = update(&world, "b", waits_for(&["a"]), None);
    let (one, two) = tokio::join!(one, two);
    assert!(one.is_ok() != two.is_ok());
}

#[tokio::test]
async fn changed_dependencies_are_waited_for() {
    let world = World::new();
    world.agent("a", &["read"], 5).await;
    world.task("first", "read").await;
    world.task("second", "read").await;
    update(&world, "second", waits_for(&["first"]), None)
        .await
        .unwrap();
    assert_eq!(world.claim_ids("a", 5).await, ["first"]);
    update(&world, "second", waits_for(&[]), None)
        .await
        .unwrap();
    assert_eq!(world.claim_ids("a", 5).await, ["second"]);
}
