//! The event log.

use std::time::Duration;

use mcpanel_domain::{event::Kind, task::Needle};

use super::{
    Backend, World,
    world::{agent_id, namespace, new_task, task_id},
};
use crate::{Commit, query::EventFilter};

async fn record<B: Backend>(world: &World<B>, kind: Kind, task: &str) {
    let commit = Commit::default().with_events([world.event(kind, task)]);
    world.commit(commit).await.unwrap();
}

/// From 1, one by one, in the order of the commits and within each.
pub async fn numbers_have_no_gaps<B: Backend>() {
    let world = World::<B>::open().await;
    for n in 0..10 {
        let id = format!("t{n}");
        let commit = Commit::of(new_task(&world.task(&id))).with_events([
            world.event(Kind::TaskCreated, &id),
            world.event(Kind::TaskUpdated, &id),
        ]);
        let receipt = world.commit(commit).await.unwrap();
        assert_eq!(receipt.last_seq, 2 * n + 2);
    }
    let mut world = world;
    for _ in 0..2 {
        let all = world
            .events(&world.ns, &EventFilter::default(), 0, 1_000)
            .await
            .unwrap();
        assert_eq!((all.last, all.scanned_to, all.first_kept), (20, 20, 1));
        for (event, seq) in all.events.iter().zip(1..) {
            assert_eq!(event.seq, seq);
            let expected = format!("t{}", (seq - 1) / 2);
            assert_eq!(event.event.task_id, Some(task_id(&expected)));
        }
        assert_eq!(all.events.len(), 20);
        world = world.restart().await;
    }
}

/// Only what was asked for, and never what is another namespace's.
pub async fn filters_and_namespaces_hold<B: Backend>() {
    let world = World::<B>::open().await;
    record(&world, Kind::TaskCreated, "a").await;
    let somebody = "key:key_1".into();
    let done = world.event(Kind::TaskCompleted, "a").caused_by(&somebody);
    world
        .commit(Commit::default().with_events([done]))
        .await
        .unwrap();
    record(&world, Kind::TaskCreated, "b").await;
    let mut theirs = world.event(Kind::TaskCreated, "a");
    theirs.namespace = namespace("other");
    theirs.agent_id = Some(agent_id("worker"));
    world
        .commit(Commit::default().with_events([theirs]))
        .await
        .unwrap();
    let base = EventFilter::default();
    let cases = [
        (base.clone(), vec![1, 2, 3]),
        (
            EventFilter {
                kinds: vec![Kind::TaskCreated],
                ..base.clone()
            },
            vec![1, 3],
        ),
        (
            EventFilter {
                task_id: Some(task_id("a")),
                ..base.clone()
            },
            vec![1, 2],
        ),
        (
            EventFilter {
                agent_id: Some(agent_id("worker")),
                ..base.clone()
            },
            vec![],
        ),
        (
            EventFilter {
                by: Some("key:key_1".to_owned()),
                ..base.clone()
            },
            vec![2],
        ),
        (
            EventFilter {
                text: Some(Needle::new("B")),
                ..base
            },
            vec![3],
        ),
    ];
    for (filter, expected) in cases {
        let found = world.events(&world.ns, &filter, 0, 100).await.unwrap();
        let numbers: Vec<u64> = found.events.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, expected);
        assert_eq!(found.scanned_to, 4, "others are passed over");
    }
}

/// The time of an event is told by its number, and times are filtered by, across restarts.
pub async fn times_are_told_and_filtered_by<B: Backend>() {
    let mut world = World::<B>::open().await;
    let began = world.event(Kind::TaskCreated, "t").at;
    for minute in 0..5 {
        let mut event = world.event(Kind::TaskCreated, "t");
        event.at = began.plus_ms(minute * 60_000);
        event.namespace = namespace(if minute == 3 { "other" } else { "default" });
        world
            .commit(Commit::default().with_events([event]))
            .await
            .unwrap();
    }
    for _ in 0..2 {
        for after in 0..5 {
            let at = began.plus_ms(after * 60_000);
            let found = world.event_time(after).await.unwrap();
            assert_eq!(found, Some((after + 1, at)), "whosever it is");
        }
        for after in [5, 6, u64::MAX - 1] {
            assert_eq!(world.event_time(after).await.unwrap(), None);
        }
        let filter = EventFilter {
            from: Some(began.plus_ms(60_000)),
            before: Some(began.plus_ms(4 * 60_000)),
            ..EventFilter::default()
        };
        let found = world
            .events(&namespace("default"), &filter, 0, 100)
            .await
            .unwrap();
        let numbers: Vec<u64> = found.events.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, [2, 3]);
        world = world.restart().await;
    }
}

/// A page says how far it looked; going on from there misses nothing, across restarts.
pub async fn pages_tell_where_to_go_on<B: Backend>() {
    let world = World::<B>::open().await;
    for n in 0..25 {
        record(&world, Kind::TaskCreated, &format!("t{n}")).await;
    }
    let world = world.restart().await;
    for n in 25..50 {
        record(&world, Kind::TaskCreated, &format!("t{n}")).await;
    }
    let world = world.restart().await;
    for n in 50..60 {
        record(&world, Kind::TaskCreated, &format!("t{n}")).await;
    }
    for limit in [1, 7, 59, 100] {
        let mut after = 0;
        let mut seen = Vec::new();
        loop {
            let page = world
                .events(&world.ns, &EventFilter::default(), after, limit)
                .await
                .unwrap();
            assert!(page.events.len() <= limit);
            seen.extend(page.events.iter().map(|event| event.seq));
            if page.scanned_to == after {
                break;
            }
            after = page.scanned_to;
        }
        assert_eq!(seen, (1..=60).collect::<Vec<u64>>(), "limit {limit}");
    }
}

/// The newest number changes when events become durable.
pub async fn watchers_hear_of_new_ones<B: Backend>() {
    let world = World::<B>::open().await;
    let mut watch = world.watch_events();
    assert_eq!(*watch.borrow_and_update(), 0);
    record(&world, Kind::TaskCreated, "a").await;
    let changed = tokio::time::timeout(Duration::from_secs(5), watch.changed()).await;
    changed.unwrap().unwrap();
    assert_eq!(*watch.borrow_and_update(), 1);
    let world = world.restart().await;
    assert_eq!(*world.watch_events().borrow(), 1);
}

/// Whoever asks for what is not there yet is told what there is.
pub async fn any_number_may_be_asked_for<B: Backend>() {
    let world = World::<B>::open().await;
    let empty = world
        .events(&world.ns, &EventFilter::default(), 0, 10)
        .await
        .unwrap();
    assert_eq!((empty.last, empty.scanned_to, empty.first_kept), (0, 0, 1));
    record(&world, Kind::TaskCreated, "a").await;
    let world = world.restart().await;
    for after in [1, 2, 1 << 62, u64::MAX - 1] {
        let found = world
            .events(&world.ns, &EventFilter::default(), after, 10)
            .await
            .unwrap();
        assert!(found.events.is_empty());
        assert_eq!(found.last, 1);
    }
}
