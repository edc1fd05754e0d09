//! Asking for work: what is given out, to whom, in which order.

use mcpanel_domain::{limits::CLAIM_TASKS_MAX, pipeline::Mode, task::Status};

use super::{
    world::{World, stage},
    *,
};

#[tokio::test]
async fn a_claim_brings_the_task_its_parameters_and_a_lease() {
    let world = World::new();
    world.agent("a", &["read"], 2).await;
    world.task("t", "read").await;
    let claimed = world.claim("a", 1).await;
    assert_eq!(claimed[0].parameters.as_str(), r#"{"text":"hello"}"#);
    assert_eq!(claimed[0].task.status(), Status::Assigned);
    assert_eq!(claimed[0].proof.attempt, 1);
    let ttl = mcpanel_domain::limits::LEASE_TTL_MS;
    assert_eq!(claimed[0].expires_at, world.now().plus_ms(ttl));
    assert!(world.claim("a", 1).await.is_empty(), "it is given out once");
}

#[tokio::test]
async fn the_higher_priority_goes_first_then_the_earlier_deadline_then_age() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    world.task("old", "read").await;
    world.skip(1);
    world.task("young", "read").await;
    let mut urgent = World::wish("urgent", "read");
    urgent.deadline = Some(world.now().plus_ms(60_000));
    world.create(urgent).await;
    let mut high = World::wish("high", "read");
    high.priority = 5;
    world.create(high).await;
    let order = world.claim_ids("a", 10).await;
    assert_eq!(order, ["high", "urgent", "old", "young"]);
}

#[tokio::test]
async fn a_giant_pipeline_leaves_every_second_turn_to_another() {
    let world = World::new();
    world.agent("a", &["read"], 100).await;
    let stages = || vec![stage(1, Mode::Map, "read", &[])];
    for (pipeline, inputs) in [("giant", 40), ("small", 4)] {
        let request = World::run(pipeline, stages());
        let pipelines = &world.control.pipelines;
        let created = pipelines.create(&world.scope, request, None).await.unwrap();
        let id = created.value.pipeline.id.clone();
        for index in 0..inputs {
            let mut new = World::artifact(&format!("{pipeline}.in{index}"), "input");
            new.pipeline_id = Some(id.clone());
            new.index = index;
            world
                .control
                .catalog
                .create_artifact(&world.scope, new, None)
                .await
                .unwrap();
        }
        pipelines.execute(&world.scope, &id).await.unwrap();
        world.skip(10);
    }
    let first = world.claim_ids("a", 8).await;
    let small = first.iter().filter(|id| id.starts_with("small")).count();
    assert_eq!(small, 4, "{first:?}");
}

#[tokio::test]
async fn an_agent_is_given_only_what_it_can_do() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    world.task("other", "write").await;
    let mut both = World::wish("both", "read");
    both.capabilities = vec![name("read"), name("write")];
    world.create(both).await;
    assert!(world.claim("a", 10).await.is_empty());
    world.agent("b", &["read", "write"], 10).await;
    assert_eq!(world.claim("b", 10).await.len(), 2);
}

#[tokio::test]
async fn a_claim_is_cut_to_the_free_slots() {
    let world = World::new();
    world.agent("a", &["read"], 3).await;
    for n in 0..5 {
        world.task(&format!("t{n}"), "read").await;
    }
    let held = world.claim("a", 10).await;
    assert_eq!(held.len(), 3);
    assert!(world.claim("a", 10).await.is_empty());
    world
        .complete(held[0].task.id.as_str(), held[0].proof)
        .await;
    assert_eq!(world.claim("a", 10).await.len(), 1);
}

#[tokio::test]
async fn a_task_meant_for_an_agent_is_given_to_no_other() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.agent("b", &["read"], 1).await;
    let mut new = World::wish("t", "read");
    new.target = mcpanel_domain::AgentId::parse("b").ok();
    world.create(new).await;
    assert!(world.claim("a", 1).await.is_empty());
    assert_eq!(world.claim_ids("b", 1).await, ["t"]);
}

#[tokio::test]
async fn a_task_waits_for_its_time_and_its_dependencies() {
    let world = World::new();
    world.agent("a", &["read"], 10).await;
    let mut later = World::wish("later", "read");
    later.run_at = Some(world.now().plus_ms(5_000));
    world.create(later).await;
    world.task("first", "read").await;
    world.waiting_for("second", &["first"]).await;
    let proof = world.hold("a", "first").await;
    assert!(world.claim("a", 10).await.is_empty());
    world.complete("first", proof).await;
    assert_eq!(world.claim_ids("a", 10).await, ["second"]);
    world.pass(5_000).await;
    assert_eq!(world.claim_ids("a", 10).await, ["later"]);
}

#[tokio::test]
async fn a_claim_by_somebody_unknown_superseded_or_closed_is_refused() {
    let world = World::new();
    let first = world.agent("a", &["read"], 1).await;
    let unknown = refused(world.try_claim("nobody", 1).await);
    assert!(matches!(unknown, Rejection::NotFound { what: "agent", .. }));
    world.agent("a", &["read"], 1).await;
    let mut claim = World::asks("a", 1);
    claim.session = Some(World::session(&first));
    let superseded = refused(world.control.tasks.claim(&world.scope, &claim).await);
    assert!(matches!(superseded, Rejection::SessionSuperseded { .. }));
    world.pass(40_000).await;
    let silent = refused(world.try_claim("a", 1).await);
    assert!(matches!(silent, Rejection::AgentUnavailable { .. }));
    world.heartbeat("a", None).await;
    assert!(world.claim("a", 1).await.is_empty());
}

#[tokio::test]
async fn the_size_of_a_claim_is_bounded() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    for max in [0, CLAIM_TASKS_MAX + 1] {
        let found = faults(world.try_claim("a", max).await);
        assert_eq!(found, [fault("/max", "out_of_range")]);
    }
}

#[tokio::test]
async fn a_waiting_claim_is_woken_by_a_task_and_by_a_free_slot() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    let asks = World::asks("a", 1);
    let mut woken = world
        .control
        .tasks
        .wait_ready(&world.scope, &asks)
        .await
        .unwrap();
    assert!(woken.try_recv().is_err(), "nothing is there yet");
    world.task("t", "read").await;
    assert!(woken.try_recv().is_ok());
    let proof = world.hold("a", "t").await;
    world.task("u", "read").await;
    let mut woken = world
        .control
        .tasks
        .wait_ready(&world.scope, &asks)
        .await
        .unwrap();
    world.complete("t", proof).await;
    assert!(woken.try_recv().is_ok());
    assert_eq!(world.claim_ids("a", 1).await, ["u"]);
}

#[tokio::test]
async fn a_task_for_another_skill_wakes_nobody() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    let asks = World::asks("a", 1);
    let mut woken = world
        .control
        .tasks
        .wait_ready(&world.scope, &asks)
        .await
        .unwrap();
    world.task("t", "write").await;
    assert!(woken.try_recv().is_err());
}

#[tokio::test]
async fn what_was_claimed_for_a_caller_that_went_away_goes_back() {
    let world = World::new();
    world.agent("a", &["read"], 2).await;
    world.task("t", "read").await;
    let claimed = world.claim("a", 1).await;
    world
        .control
        .tasks
        .return_claimed(&world.scope, &claimed)
        .await;
    assert_eq!(world.status("t").await, Status::Pending);
    assert_eq!(world.claim_ids("a", 1).await, ["t"]);
}

#[tokio::test]
async fn an_expired_task_at_the_head_does_not_hide_the_next() {
    let world = World::new();
    world.agent("a", &["read"], 2).await;
    let mut urgent = World::wish("urgent", "read");
    urgent.deadline = Some(world.now().plus_ms(1_000));
    world.create(urgent).await;
    world.task("t", "read").await;
    world.skip(2_000);
    assert_eq!(world.claim_ids("a", 2).await, ["t"]);
    world.pass(0).await;
    assert_eq!(world.status("urgent").await, Status::Failed);
}
