//! Assignments that documents do not say yet.

use mcpanel_store::{Grant, Offer};

use super::*;
use crate::{queue::Move, testing::eventually};

/// A queue of which an agent has taken the first task.
struct Taken {
    queue: Arc<Queue>,
    ada: Offer,
    first: Task,
}

/// One on each server, with `a` and `more`, for an agent that has so many slots and asks for so many tasks.
async fn taken(slots: u32, max: u32, more: &[&str]) -> Vec<Taken> {
    let mut all = Vec::new();
    for (_, address) in servers() {
        let queue = queue(&address).await;
        let ada = offer("ada", &["work"], slots, max);
        let first = task("a", &["work"]);
        put(&queue, &first).await;
        assert_eq!(take(&queue, &ada).await, ["a"]);
        for name in more {
            put(&queue, &task(name, &["work"])).await;
        }
        all.push(Taken { queue, ada, first });
    }
    all
}

/// Turns what was taken into a grant.
async fn grant(queue: &Queue, offer: &Offer, task: &Task) -> (Vec<Grant>, Vec<bool>) {
    let given = assigned(task, offer, now());
    let lease = given.lease().unwrap();
    let grants = vec![Grant::of(task.id.clone(), task.revision, lease)];
    let noted = queue.grant(&ns(), &grants).await.unwrap();
    (grants, noted)
}

#[tokio::test]
async fn a_granted_task_takes_a_slot_and_is_shown_as_assigned() {
    for Taken { queue, ada, first } in taken(1, 9, &["b"]).await {
        let (grants, noted) = grant(&queue, &ada, &first).await;
        assert_eq!(noted, [true]);
        assert!(take(&queue, &ada).await.is_empty(), "no slot is free");
        let moves = queue.moves(&ns(), "me", 1_000, 100).await.unwrap();
        let shown = moves.moves.iter().find_map(|each| match each {
            Move::Task(id, Some(record)) if *id == first.id => Some(record.clone()),
            _ => None,
        });
        let shown = shown.unwrap();
        assert_eq!(
            (shown.status, shown.agent),
            ('a', Some(ada.agent_id.clone()))
        );
        assert_eq!(shown.since_ms, now().as_ms());
        let of_task = queue.grants_of_tasks(&ns(), &[&first.id]).await;
        assert_eq!(of_task, Ok(grants.clone()));
        let of_agent = queue.grants_of_agent(&ns(), &ada.agent_id).await;
        assert_eq!(of_agent.map(|(known, _)| known), Ok(grants));
    }
}

#[tokio::test]
async fn news_of_the_document_end_a_grant_and_old_news_do_not() {
    for Taken { queue, ada, first } in taken(1, 9, &["b"]).await {
        grant(&queue, &ada, &first).await;
        put(&queue, &first).await;
        assert!(take(&queue, &ada).await.is_empty(), "what was known before");
        let held = assigned(&first, &ada, now());
        put(&queue, &held).await;
        assert!(take(&queue, &ada).await.is_empty(), "its lease is written");
        assert_eq!(
            queue.grants_of_tasks(&ns(), &[&first.id]).await,
            Ok(Vec::new())
        );
        put(&queue, &next(&held, |task| task.state = State::Completed)).await;
        assert_eq!(take(&queue, &ada).await, ["b"], "the slot is free again");
    }
}

#[tokio::test]
async fn a_void_grant_goes_back_and_another_one_is_left_alone() {
    for Taken { queue, ada, first } in taken(9, 1, &[]).await {
        let (grants, _) = grant(&queue, &ada, &first).await;
        let other = Grant {
            nonce: 8,
            ..grants[0].clone()
        };
        queue.drop_grants(&ns(), &[other], now()).await.unwrap();
        assert!(take(&queue, &ada).await.is_empty());
        queue.drop_grants(&ns(), &grants, now()).await.unwrap();
        assert_eq!(take(&queue, &ada).await, ["a"]);
    }
}

#[tokio::test]
async fn what_is_not_set_aside_any_more_is_not_granted() {
    for Taken { queue, ada, first } in taken(9, 9, &[]).await {
        // Another instance hears that it was cancelled.
        let other = Queue::new(queue.link.clone(), queue.keys.clone(), true);
        put(&other, &next(&first, |task| task.state = State::Cancelled)).await;
        let (_, noted) = grant(&queue, &ada, &first).await;
        assert_eq!(noted, [false]);
    }
}

#[tokio::test]
async fn a_sweep_finds_grants_where_they_should_be() {
    for Taken { queue, ada, first } in taken(9, 9, &[]).await {
        grant(&queue, &ada, &first).await;
        let verified = [(Arc::new(first), false)];
        let put = queue.put(&ns(), &verified, now(), true).await.unwrap();
        assert_eq!((put.whole, put.torn), (true, 0));
        assert!(take(&queue, &ada).await.is_empty());
    }
}

#[tokio::test]
async fn what_was_granted_reaches_the_claimer_though_the_rest_cannot_be_granted() {
    for (_, address) in servers() {
        let queue = queue(&address).await;
        let many = u32::try_from(TASKS_MAX + 3).unwrap();
        let ada = offer("ada", &["work"], many, many);
        let tasks: Vec<Task> = (0..TASKS_MAX + 3)
            .map(|n| task(&format!("t{n:04}"), &["work"]))
            .collect();
        put_all(&queue, &tasks).await;
        assert_eq!(take(&queue, &ada).await.len(), tasks.len());
        let grant_of = |task: &Task| {
            let given = assigned(task, &ada, now());
            Grant::of(task.id.clone(), task.revision, given.lease().unwrap())
        };
        let mut grants: Vec<Grant> = tasks.iter().map(grant_of).collect();
        let strange = TASKS_MAX + 1;
        grants[strange].revision += 1;
        let noted = queue.grant(&ns(), &grants).await.unwrap();
        let expected: Vec<bool> = (0..tasks.len()).map(|n| n < TASKS_MAX).collect();
        assert_eq!(noted, expected);
        let (known, _) = queue.grants_of_agent(&ns(), &ada.agent_id).await.unwrap();
        assert_eq!(known.len(), TASKS_MAX);
        let alone = queue.grant(&ns(), &grants[strange..]).await;
        assert_eq!(alone, Err(Away), "nothing was granted: write them all");
    }
}

#[tokio::test]
async fn a_queue_that_was_just_built_does_not_know_all_grants() {
    for Taken { queue, ada, first } in taken(9, 9, &[]).await {
        let known = async || queue.grants_of_agent(&ns(), &ada.agent_id).await.unwrap();
        let (grants, _) = grant(&queue, &ada, &first).await;
        let patience = Duration::from_secs(60);
        eventually("it is not new any more", patience, async || {
            known().await == (grants.clone(), true)
        })
        .await;
        queue.built(&ns(), false).await.unwrap();
        assert_eq!(known().await, (grants.clone(), true), "it was whole");
        // A stall makes it old before it was looked at: try again.
        loop {
            let began = tokio::time::Instant::now();
            queue.wipe(&ns()).await.unwrap();
            assert_eq!(known().await, (Vec::new(), false), "it is not whole");
            put_unbuilt(&queue, &first).await;
            queue.built(&ns(), false).await.unwrap();
            let (grants, all) = known().await;
            assert_eq!(grants, []);
            if !all {
                break;
            }
            assert!(began.elapsed() >= Duration::from_millis(super::super::grants::NEW_MS));
        }
    }
}

async fn put_unbuilt(queue: &Queue, task: &Task) {
    let all = [(Arc::new(task.clone()), false)];
    queue.put(&ns(), &all, now(), true).await.unwrap();
}
