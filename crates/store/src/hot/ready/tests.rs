//! Fairness between pipelines, over many turns.

use std::sync::Arc;

use mcpanel_domain::{
    AgentId, Name, Namespace, PipelineId, SessionId, TaskId, Timestamp,
    task::{NewTask, Place, Task},
};

use super::Ready;
use crate::Offer;

const SKILLS: [&str; 2] = ["read", "write"];

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn task(id: &str, pipeline: &str, skill: &str, created_ms: i64) -> Task {
    let mut new = NewTask::of_type(TaskId::parse(id).unwrap(), name(skill));
    new.place = Some(Place {
        pipeline_id: PipelineId::parse(pipeline).unwrap(),
        stage: 1,
        index: 0,
        run: 1,
    });
    let created = Timestamp::from_ms(created_ms);
    let namespace = Namespace::default_namespace();
    let decision = new.create(&namespace, &Arc::from("tests"), created);
    decision.task.unwrap()
}

fn insert(ready: &mut Ready, task: &Task) {
    let key = (task.namespace.clone(), task.id.clone());
    ready.insert(&key, task, Timestamp::ZERO, Timestamp::MAX);
}

fn take(ready: &mut Ready, skills: &[&str]) -> Option<String> {
    let offer = Offer {
        namespace: Namespace::default_namespace(),
        agent_id: AgentId::parse("a").unwrap(),
        session: SessionId::parse("s").unwrap(),
        capabilities: skills.iter().map(|skill| name(skill)).collect(),
        concurrency: u32::MAX,
        max: 1,
    };
    ready.take_best(&offer).map(|id| id.to_string())
}

/// How many of the next tasks belong to the pipeline whose tasks begin so.
fn share(ready: &mut Ready, of: &str, turns: usize) -> usize {
    let taken = (0..turns).filter_map(|_| take(ready, &SKILLS));
    taken.filter(|id| id.starts_with(of)).count()
}

#[test]
fn a_pipeline_with_one_task_at_a_time_does_not_starve_one_with_many() {
    let mut ready = Ready::default();
    for n in 0..100 {
        insert(&mut ready, &task(&format!("big-{n}"), "big", "read", n));
    }
    let mut big = 0;
    for n in 0..50 {
        // Always exactly one task there when it is somebody's turn.
        insert(&mut ready, &task(&format!("drip-{n}"), "drip", "read", 0));
        let first = take(&mut ready, &SKILLS).unwrap();
        if first.starts_with("big") {
            big += 1;
            assert!(take(&mut ready, &SKILLS).unwrap().starts_with("drip"));
        }
    }
    assert!(big >= 24, "the big one had {big} of 50 turns");
}

#[test]
fn pipelines_take_turns_across_lanes() {
    let mut ready = Ready::default();
    for n in 0..100 {
        insert(&mut ready, &task(&format!("old-{n}"), "old", "read", n));
        insert(
            &mut ready,
            &task(&format!("new-{n}"), "new", "write", 1_000 + n),
        );
    }
    let new = share(&mut ready, "new", 40);
    assert_eq!(
        new, 20,
        "an older pipeline in another lane takes every second turn"
    );
}

#[test]
fn a_pipeline_in_two_lanes_has_one_share() {
    let mut ready = Ready::default();
    for n in 0..100 {
        insert(&mut ready, &task(&format!("wide-r{n}"), "wide", "read", n));
        insert(&mut ready, &task(&format!("wide-w{n}"), "wide", "write", n));
        insert(&mut ready, &task(&format!("thin-{n}"), "thin", "write", n));
    }
    assert_eq!(share(&mut ready, "thin", 40), 20);
}

#[test]
fn who_waited_for_want_of_an_agent_goes_first_once_and_then_takes_turns() {
    let mut ready = Ready::default();
    for n in 0..60 {
        insert(
            &mut ready,
            &task(&format!("served-{n}"), "served", "read", n),
        );
        insert(
            &mut ready,
            &task(&format!("stuck-{n}"), "stuck", "write", n),
        );
    }
    for _ in 0..50 {
        assert!(take(&mut ready, &["read"]).unwrap().starts_with("served"));
    }
    insert(&mut ready, &task("late-0", "late", "write", 9));
    insert(&mut ready, &task("late-1", "late", "write", 9));
    assert!(take(&mut ready, &["write"]).unwrap().starts_with("stuck"));
    assert_eq!(share(&mut ready, "late", 4), 2);
}

#[test]
fn what_is_emptied_is_forgotten() {
    let mut ready = Ready::default();
    for n in 0..10 {
        let task = task(&format!("t-{n}"), &format!("p-{n}"), "read", n);
        insert(&mut ready, &task);
        if n % 2 == 0 {
            ready.remove(&(task.namespace.clone(), task.id.clone()));
        }
    }
    while take(&mut ready, &SKILLS).is_some() {}
    assert!(ready.lanes.is_empty() && ready.turns.is_empty() && ready.places.is_empty());
    assert_eq!(ready.count(&Namespace::default_namespace()), 0);
}
