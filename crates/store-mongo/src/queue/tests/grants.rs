//! Assignments that documents do not say yet.

use mcpanel_store::{Grant, Offer};

use super::*;
use crate::queue::Move;

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
    for (_, address) in servers() {
        let queue = queue(&address).await;
        let ada = offer("ada", &["work"], 1, 9);
        let first = task("a", &["work"]);
        put_all(&queue, &[first.clone(), task("b", &["work"])]).await;
        assert_eq!(take(&queue, &ada).await, ["a"]);
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
        assert_eq!(of_agent, Ok(grants));
    }
}

#[tokio::test]
async fn news_of_the_document_end_a_grant_and_old_news_do_not() {
    for (_, address) in servers() {
        let queue = queue(&address).await;
        let ada = offer("ada", &["work"], 1, 9);
        let first = task("a", &["work"]);
        put_all(&queue, &[first.clone(), task("b", &["work"])]).await;
        assert_eq!(take(&queue, &ada).await, ["a"]);
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
    for (_, address) in servers() {
        let queue = queue(&address).await;
        let ada = offer("ada", &["work"], 9, 1);
        let first = task("a", &["work"]);
        put(&queue, &first).await;
        assert_eq!(take(&queue, &ada).await, ["a"]);
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
    for (_, address) in servers() {
        let queue = queue(&address).await;
        let ada = offer("ada", &["work"], 9, 9);
        let first = task("a", &["work"]);
        put(&queue, &first).await;
        assert_eq!(take(&queue, &ada).await, ["a"]);
        // Another instance hears that it was cancelled.
        let other = Queue::new(queue.link.clone(), queue.keys.clone(), true);
        put(&other, &next(&first, |task| task.state = State::Cancelled)).await;
        let (_, noted) = grant(&queue, &ada, &first).await;
        assert_eq!(noted, [false]);
    }
}

#[tokio::test]
async fn a_sweep_finds_grants_where_they_should_be() {
    for (_, address) in servers() {
        let queue = queue(&address).await;
        let ada = offer("ada", &["work"], 9, 9);
        let first = task("a", &["work"]);
        put(&queue, &first).await;
        assert_eq!(take(&queue, &ada).await, ["a"]);
        grant(&queue, &ada, &first).await;
        let verified = [(Arc::new(first), false)];
        let put = queue.put(&ns(), &verified, now(), true).await.unwrap();
        assert_eq!((put.whole, put.torn), (true, 0));
        assert!(take(&queue, &ada).await.is_empty());
    }
}
