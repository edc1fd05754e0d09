//! What is told, and API keys.

use mcpanel_domain::{Namespace, event::Kind, retry::ErrorType};
use mcpanel_store::query::EventFilter;

use super::{world::World, *};
use crate::{NewKey, Span};

#[tokio::test]
async fn a_tasks_whole_life_is_told_in_order() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    world.start("t", proof).await;
    world.fail("t", proof, ErrorType::Network).await;
    world.pass(1_000).await;
    let proof = world.hold("a", "t").await;
    world.complete("t", proof).await;
    let expected = [
        Kind::TaskCreated,
        Kind::TaskDelegated,
        Kind::TaskStarted,
        Kind::TaskRetrying,
        Kind::TaskDelegated,
        Kind::TaskCompleted,
    ];
    assert_eq!(world.told_of("t").await, expected);
}

#[tokio::test]
async fn a_follower_goes_on_after_its_last_number_and_sees_its_namespace_only() {
    let world = World::new();
    for task in ["x", "y", "z"] {
        world.task(task, "read").await;
    }
    let other = world.stranger();
    let new = World::wish("theirs", "read");
    world.control.tasks.create(&other, new, None).await.unwrap();
    let events = &world.control.events;
    let all = EventFilter::default();
    let first = events.list(&world.scope, &all, 0, 2).await.unwrap();
    assert_eq!(
        (first.events.len(), first.scanned_to, first.last),
        (2, 2, 4)
    );
    let rest = events
        .list(&world.scope, &all, first.scanned_to, 100)
        .await
        .unwrap();
    let seqs: Vec<u64> = rest.events.iter().map(|event| event.seq).collect();
    assert_eq!((seqs, rest.scanned_to), (vec![3], 4));
    let theirs = events.list(&other, &all, 0, 100).await.unwrap();
    assert_eq!(theirs.events.len(), 1);
}

#[tokio::test]
async fn times_lead_to_the_part_of_the_log_where_their_events_are() {
    const HOUR_MS: u64 = 60 * 60_000;
    let world = World::new();
    let began = world.control.now();
    for hour in 0..20 {
        for n in 0..3 {
            let task = format!("t{hour}.{n}");
            let new = World::wish(&task, "read");
            // Whose events they are makes no difference to where they lie.
            let whose = if n == 1 {
                world.stranger()
            } else {
                world.scope.clone()
            };
            world.control.tasks.create(&whose, new, None).await.unwrap();
        }
        world.pass(HOUR_MS).await;
    }
    let events = &world.control.events;
    let span = async |from: Option<u64>, before: Option<u64>| {
        let filter = EventFilter {
            from: from.map(|hours| began.plus_ms(hours * HOUR_MS)),
            before: before.map(|hours| began.plus_ms(hours * HOUR_MS)),
            ..EventFilter::default()
        };
        events.span(&filter).await.unwrap()
    };
    assert_eq!(span(None, None).await, Span { after: 0, to: None });
    assert_eq!(span(Some(0), None).await, Span { after: 0, to: None });
    assert_eq!(span(Some(19), None).await.after, 57);
    assert_eq!(span(Some(30), None).await.after, 60, "nothing is so new");
    // A little more than the hours asked for: numbers may be a minute out of order.
    assert_eq!(
        span(Some(7), Some(9)).await,
        Span {
            after: 21,
            to: Some(30)
        }
    );
    assert_eq!(span(None, Some(1_000)).await.to, Some(60));
}

#[tokio::test]
async fn a_watcher_hears_of_each_change() {
    let world = World::new();
    let mut watch = world.control.events.watch();
    assert_eq!(*watch.borrow_and_update(), 0);
    world.task("t", "read").await;
    assert!(watch.has_changed().unwrap());
    assert_eq!(*watch.borrow_and_update(), 1);
}

#[tokio::test]
async fn refused_calls_tell_nothing() {
    let world = World::new();
    world.agent("a", &["read"], 1).await;
    world.task("t", "read").await;
    let proof = world.hold("a", "t").await;
    world.complete("t", proof).await;
    let before = *world.control.events.watch().borrow();
    world.complete("t", proof).await;
    let wrong = mcpanel_domain::task::Proof { nonce: 0, ..proof };
    assert!(world.try_complete("t", wrong).await.is_err());
    assert!(
        world
            .control
            .tasks
            .cancel(&world.scope, &id("t"), None)
            .await
            .is_err()
    );
    assert_eq!(*world.control.events.watch().borrow(), before);
}

fn key(secret: u8) -> NewKey {
    NewKey {
        name: "a key".to_owned(),
        sha256: [secret; 32],
        hint: "mcp_".to_owned(),
        permissions: vec!["task:read".to_owned()],
        namespace: Namespace::default_namespace(),
        expires_at: None,
    }
}

#[tokio::test]
async fn a_key_works_until_it_is_revoked_or_runs_out() {
    let world = World::new();
    let catalog = &world.control.catalog;
    let made = catalog
        .create_key(&world.scope, key(1), None)
        .await
        .unwrap()
        .value;
    assert!(catalog.valid_key(&[1; 32]).await.unwrap().is_some());
    assert!(catalog.valid_key(&[9; 32]).await.unwrap().is_none());
    catalog.revoke_key(&world.scope, &made.id).await.unwrap();
    assert!(catalog.valid_key(&[1; 32]).await.unwrap().is_none());
    let again = catalog.revoke_key(&world.scope, &made.id).await.unwrap();
    assert_eq!(
        again.revision, 2,
        "revoking twice is no fault and no change"
    );

    let brief = NewKey {
        expires_at: Some(world.now().plus_ms(1_000)),
        ..key(2)
    };
    catalog.create_key(&world.scope, brief, None).await.unwrap();
    assert!(catalog.valid_key(&[2; 32]).await.unwrap().is_some());
    world.skip(1_000);
    assert!(catalog.valid_key(&[2; 32]).await.unwrap().is_none());
    let past = NewKey {
        expires_at: Some(world.now()),
        ..key(3)
    };
    let found = faults(catalog.create_key(&world.scope, past, None).await);
    assert_eq!(found, [fault("/expires_at", "in_the_past")]);
}

#[tokio::test]
async fn keys_of_another_namespace_are_out_of_reach() {
    let world = World::new();
    let catalog = &world.control.catalog;
    let made = catalog
        .create_key(&world.scope, key(1), None)
        .await
        .unwrap()
        .value;
    let stranger = world.stranger();
    assert!(catalog.keys(&stranger).await.unwrap().is_empty());
    let refused = refused(catalog.revoke_key(&stranger, &made.id).await);
    assert!(matches!(refused, Rejection::NotFound { what: "key", .. }));
}
