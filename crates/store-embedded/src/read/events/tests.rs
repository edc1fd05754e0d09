use std::sync::Arc;

use mcpanel_domain::{
    Namespace, Timestamp,
    event::{Event, Kind},
};
use mcpanel_store::{Commit, Store, query::EventFilter};

use super::look;
use crate::{EmbeddedStore, Options};

async fn a_hundred_happen(store: &EmbeddedStore) {
    let event = || {
        Event::new(
            Kind::TaskCreated,
            Timestamp::from_ms(0),
            Namespace::default_namespace(),
        )
    };
    let commit = Commit::default().with_events((0..100).map(|_| event()));
    store.commit(commit).await.unwrap();
}

#[tokio::test]
async fn what_is_removed_after_a_look_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        segment_bytes: 64 * 1024,
        events_kept: 500,
        ..Options::new(Arc::new(|| Timestamp::from_ms(0)))
    };
    let store = EmbeddedStore::open(dir.path(), options).unwrap();
    // Until a part of what is kept is in the tables alone.
    let (looked, after) = loop {
        a_hundred_happen(&store).await;
        let first_kept = look(&store.shared, 0).first_kept;
        let looked = look(&store.shared, first_kept);
        if looked.memory_from > first_kept + 1 && looked.first_kept == first_kept {
            break (looked, first_kept);
        }
    };
    for _ in 0..40 {
        a_hundred_happen(&store).await;
    }
    store.close().await;

    let ns = Namespace::default_namespace();
    let last = looked.last;
    let found = looked
        .events(&store.shared, &ns, &EventFilter::default(), after, 10_000)
        .unwrap();

    assert!(found.first_kept > after + 1, "from {}", found.first_kept);
    let numbers: Vec<u64> = found.events.iter().map(|event| event.seq).collect();
    let expected: Vec<u64> = (found.first_kept..=last).collect();
    assert_eq!(numbers, expected);
    assert_eq!(found.scanned_to, last);
}
