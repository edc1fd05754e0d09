//! Sign-on, heartbeats, liveness, settings.

use mcpanel_domain::{
    AgentId,
    agent::{Admission, Changes, Health, Status as AgentStatus},
    event::Kind,
    limits::{DELIVERY_GRACE_MS, LEASE_TTL_MS, SUSPECT_AFTER_MS},
    task::Status,
};
use mcpanel_store::query::EventFilter;

use super::{world::World, *};
use crate::Idempotency;

fn agent(text: &str) -> AgentId {
    AgentId::parse(text).unwrap()
}

async fn status(world: &World, of: &str) -> AgentStatus {
    world
        .control
        .agents
        .get(&world.scope, &agent(of))
        .await
        .unwrap()
        .status
}

#[tokio::test]
async fn an_agent_signs_on_and_is_seen_in_its_namespace() {
    let world = World::new();
    let view = world.agent("a", &["read"], 2).await;
    assert_eq!((view.status, view.leases.len()), (AgentStatus::Active, 0));
    let list = world.control.agents.list(&world.scope).await.unwrap();
    assert_eq!(list.len(), 1);
    let agents = &world.control.agents;
    assert!(agents.list(&world.stranger()).await.unwrap().is_empty());
    assert!(agents.get(&world.stranger(), &agent("a")).await.is_err());
}

#[tokio::test]
async fn all_faults_of_a_registration_are_listed() {
    let world = World::new();
    let mut wrong = World::registration("a", &[], 0);
    wrong.name = String::new();
    let found = faults(
        world
            .control
            .agents
            .register(&world.scope, wrong, None)
            .await,
    );
    let expected = [
        fault("/name", "empty"),
        fault("/capabilities", "empty"),
        fault("/concurrency", "out_of_range"),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_repeated_registration_keeps_its_session() {
    let world = World::new();
    let key = Idempotency {
        key: "k".to_owned(),
        fingerprint: [0; 32],
    };
    let register = || {
        let registration = World::registration("a", &["read"], 1);
        world
            .control
            .agents
            .register(&world.scope, registration, Some(&key))
    };
    let first = register().await.unwrap();
    let again = register().await.unwrap();
    assert!(again.replayed);
    assert_eq!(World::session(&again.value), World::session(&first.value));
    world.agent("a", &["read"], 1).await;
    let late = refused(register().await);
    assert!(matches!(late, Rejection::SessionSuperseded { .. }));
}

#[tokio::test]
async fn an_agent_with_all_slots_in_use_is_busy() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    assert_eq!(status(&world, "a").await, AgentStatus::Busy);
    world.complete("t", proof).await;
    assert_eq!(status(&world, "a").await, AgentStatus::Active);
}

#[tokio::test]
async fn a_restarted_agent_does_not_hide_the_orphans_of_its_former_self() {
    let world = World::new();
    let first = world.agent("a", &["read"], 2).await;
    world.task("begun", "read").await;
    world.task("given", "read").await;
    let begun = world.hold("a", "begun").await;
    world.start("begun", begun).await;
    world.hold("a", "given").await;
    let second = world.agent("a", &["read"], 2).await;
    assert!(second.leases.is_empty());
    assert_eq!(world.status("given").await, Status::Pending);
    let begun_task = world.get("begun").await;
    assert_eq!(
        (begun_task.status(), begun_task.retry_count),
        (Status::Retry, 1)
    );
    let late = refused(world.try_complete("begun", begun).await);
    assert!(matches!(late, Rejection::StaleLease { .. }));
    let old = World::session(&first);
    let heard = world
        .control
        .agents
        .heartbeat(&world.scope, &agent("a"), Some(&old), None, None)
        .await;
    assert!(matches!(
        refused(heard),
        Rejection::SessionSuperseded { .. }
    ));
    assert_eq!(world.claim("a", 5).await.len(), 2);
}

#[tokio::test]
async fn silence_makes_an_agent_suspect_then_inactive_and_its_work_goes_back() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    world.start("t", proof).await;
    world.pass(SUSPECT_AFTER_MS).await;
    assert_eq!(status(&world, "a").await, AgentStatus::Suspect);
    assert_eq!(world.status("t").await, Status::Running);
    world.pass(LEASE_TTL_MS - SUSPECT_AFTER_MS).await;
    assert_eq!(status(&world, "a").await, AgentStatus::Inactive);
    assert_eq!(world.status("t").await, Status::Retry);
    let filter = EventFilter {
        agent_id: Some(agent("a")),
        kinds: vec![
            Kind::AgentSuspected,
            Kind::AgentInactivated,
            Kind::AgentRecovered,
        ],
        ..EventFilter::default()
    };
    world.heartbeat("a", None).await;
    let events = world
        .control
        .events
        .list(&world.scope, &filter, 0, 100)
        .await
        .unwrap();
    let kinds: Vec<Kind> = events.events.iter().map(|event| event.event.kind).collect();
    assert_eq!(kinds, filter.kinds);
}

#[tokio::test]
async fn a_heartbeat_tells_what_to_stop_and_what_is_lost() {
    let world = World::new();
    world.agent("a", &["read"], 3).await;
    for task in ["kept", "stopped", "lost"] {
        world.task(task, "read").await;
    }
    let claimed = world.claim("a", 3).await;
    world
        .control
        .tasks
        .cancel(&world.scope, &id("stopped"), None)
        .await
        .unwrap();
    let lost = claimed
        .iter()
        .find(|each| each.task.id == id("lost"))
        .unwrap();
    let gone = world
        .control
        .tasks
        .release(&world.scope, &id("lost"), lost.proof, String::new())
        .await;
    gone.unwrap();
    let holds = [id("kept"), id("stopped"), id("lost"), id("never-had")];
    let heard = world.heartbeat("a", Some(&holds)).await;
    assert_eq!(heard.cancel, [id("stopped")]);
    assert_eq!(heard.lost, [id("lost"), id("never-had")]);
    assert_eq!(
        heard.interval_ms,
        mcpanel_domain::limits::HEARTBEAT_INTERVAL_MS
    );
}

#[tokio::test]
async fn a_delivery_that_got_lost_goes_back_quickly() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    world.hold("a", "t").await;
    world.heartbeat("a", Some(&[])).await;
    assert_eq!(
        world.status("t").await,
        Status::Assigned,
        "the answer may still be under way"
    );
    world.skip(DELIVERY_GRACE_MS);
    world.heartbeat("a", None).await;
    assert_eq!(
        world.status("t").await,
        Status::Assigned,
        "it did not say what it holds"
    );
    world.heartbeat("a", Some(&[])).await;
    assert_eq!(world.status("t").await, Status::Pending);
    assert_eq!(world.claim_ids("a", 1).await, ["t"]);
}

#[tokio::test]
async fn an_agent_that_signs_off_is_forgotten_and_its_work_goes_back() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    world
        .control
        .agents
        .unregister(&world.scope, &agent("a"))
        .await
        .unwrap();
    assert_eq!(world.status("t").await, Status::Pending);
    assert!(world.try_complete("t", proof).await.is_err());
    assert!(
        world
            .control
            .agents
            .unregister(&world.scope, &agent("a"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_draining_agent_finishes_and_is_given_nothing_new() {
    let world = World::new();
    world.agent("a", &["read"], 2).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    let drain = Changes {
        admission: Some(Admission::Draining),
        ..Changes::default()
    };
    world
        .control
        .agents
        .update(&world.scope, &agent("a"), drain, None)
        .await
        .unwrap();
    world.task("u", "read").await;
    assert!(world.try_claim("a", 1).await.is_err());
    world.complete("t", proof).await;
}

#[tokio::test]
async fn an_update_is_guarded_by_the_settings_that_were_read_not_by_heartbeats() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.heartbeat("a", None).await;
    let slots = |slots| Changes {
        concurrency: Some(slots),
        ..Changes::default()
    };
    let agents = &world.control.agents;
    agents
        .update(&world.scope, &agent("a"), slots(2), Some(1))
        .await
        .unwrap();
    let late = refused(
        agents
            .update(&world.scope, &agent("a"), slots(3), Some(1))
            .await,
    );
    assert!(matches!(
        late,
        Rejection::RevisionMismatch { what: "agent", .. }
    ));
    let found = faults(
        agents
            .update(&world.scope, &agent("a"), slots(0), None)
            .await,
    );
    assert_eq!(found, [fault("/concurrency", "out_of_range")]);
}

#[tokio::test]
async fn an_agent_that_reports_an_error_is_given_nothing_until_it_is_well() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let agents = &world.control.agents;
    let ill = Some(Health::Error("no disk".to_owned()));
    agents
        .heartbeat(&world.scope, &agent("a"), None, ill, None)
        .await
        .unwrap();
    assert_eq!(status(&world, "a").await, AgentStatus::Error);
    assert!(world.try_claim("a", 1).await.is_err());
    let well = Some(Health::Well);
    agents
        .heartbeat(&world.scope, &agent("a"), None, well, None)
        .await
        .unwrap();
    assert_eq!(world.claim_ids("a", 1).await, ["t"]);
}

#[tokio::test]
async fn events_tell_who_caused_them() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    world.start("t", proof).await;
    world.pass(LEASE_TTL_MS).await;
    let found = world
        .control
        .events
        .list(&world.scope, &EventFilter::default(), 0, 100)
        .await
        .unwrap();
    let by = |kind: Kind| {
        let event = found.events.iter().find(|event| event.event.kind == kind);
        event.unwrap().event.by.as_deref()
    };
    assert_eq!(by(Kind::TaskCreated), Some(&*world.scope.actor));
    assert_eq!(by(Kind::TaskDelegated), Some("agent:a"));
    assert!(by(Kind::TaskStarted).is_some());
    // Nobody asked for it: the server saw that the agent was silent.
    assert_eq!(by(Kind::AgentInactivated), None);
    assert_eq!(by(Kind::TaskRetrying), None);
}
