//! Agents and their leases.

use std::sync::Arc;

use mcpanel_domain::{
    agent::{Health, Liveness},
    task::State,
};

use super::{
    Backend, World,
    world::{agent_id, namespace, session_id},
};
use crate::{Commit, Write};

/// Agents by id, in their order.
pub async fn keeps_agents<B: Backend>() {
    let world = World::<B>::open().await;
    for id in ["zoe", "ada"] {
        let agent = world.new_agent(id, "sess_1");
        world
            .commit(Commit::of(Write::Agent(Arc::new(agent))))
            .await
            .unwrap();
    }
    let mut changed = world.new_agent("ada", "sess_1");
    changed.revision = 2;
    changed.liveness = Liveness::Suspect;
    changed.health = Health::Error("no disk".to_owned());
    world
        .commit(Commit::of(Write::Agent(Arc::new(changed.clone()))))
        .await
        .unwrap();
    let world = world.restart().await;
    let found = world.agent(&world.ns, &agent_id("ada")).await.unwrap();
    assert_eq!(*found.unwrap(), changed);
    let all = world.agents(&world.ns).await.unwrap();
    let ids: Vec<&str> = all.iter().map(|agent| agent.id.as_str()).collect();
    assert_eq!(ids, ["ada", "zoe"]);
    assert!(world.agents(&namespace("other")).await.unwrap().is_empty());
}

/// Leases come with assignments and go with ends.
pub async fn leases_follow_tasks<B: Backend>() {
    let world = World::<B>::open().await;
    let tasks = world.create_all(&["a", "b", "c"]).await;
    let a = world.assign(&tasks[0], "worker", "sess_1").await;
    let b = world.assign(&tasks[1], "worker", "sess_2").await;
    world.assign(&tasks[2], "other", "sess_1").await;
    let leases = world.leases(&world.ns, &agent_id("worker")).await.unwrap();
    assert_eq!(leases.len(), 2);
    assert_eq!(leases[0].task_id.as_str(), "a");
    assert_eq!(
        (leases[0].attempt, leases[0].session.as_str()),
        (1, "sess_1")
    );
    assert_eq!(leases[1].session.as_str(), "sess_2");
    world.end(&a, State::Completed).await;
    world.change(&b, |task| task.state = State::Pending).await;
    let leases = world.leases(&world.ns, &agent_id("worker")).await.unwrap();
    assert!(leases.is_empty());
}

/// Leases of agents that are gone, or that signed on anew.
pub async fn orphans_are_found<B: Backend>() {
    let world = World::<B>::open().await;
    let tasks = world.create_all(&["a", "b", "c"]).await;
    let agent = world.new_agent("worker", "sess_1");
    world
        .commit(Commit::of(Write::Agent(Arc::new(agent.clone()))))
        .await
        .unwrap();
    world.assign(&tasks[0], "worker", "sess_1").await;
    world.assign(&tasks[1], "ghost", "sess_1").await;
    let orphans = world.orphaned_leases(10).await.unwrap();
    assert_eq!(orphans.len(), 1);
    assert_eq!(orphans[0].1.task_id.as_str(), "b");
    let mut anew = agent;
    anew.revision = 2;
    anew.session.id = session_id("sess_2");
    world
        .commit(Commit::of(Write::Agent(Arc::new(anew))))
        .await
        .unwrap();
    world.assign(&tasks[2], "worker", "sess_2").await;
    let world = world.restart().await;
    let orphans = world.orphaned_leases(10).await.unwrap();
    let ids: Vec<&str> = orphans
        .iter()
        .map(|(_, held)| held.task_id.as_str())
        .collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(world.orphaned_leases(1).await.unwrap().len(), 1);
}
