//! What is kept, and for how long.

use mcpanel_domain::{event::Event, event::Kind};
use mcpanel_store::{Commit, Store, query::EventFilter};
use mcpanel_store_embedded::{EmbeddedStore, Options};

use crate::support::{ns, options};

#[tokio::test]
async fn old_events_are_removed_and_whoever_asks_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let kept = Options {
        events_kept: 500,
        ..options()
    };
    let store = EmbeddedStore::open(dir.path(), kept.clone()).unwrap();
    for _ in 0..40 {
        let events = (0..100).map(|_| Event::new(Kind::TaskCreated, (kept.clock)(), ns()));
        store
            .commit(Commit::default().with_events(events))
            .await
            .unwrap();
    }
    store.close().await;
    let filter = EventFilter::default();
    let found = store.events(&ns(), &filter, 0, 10_000).await.unwrap();
    assert_eq!(found.last, 4_000);
    assert!(found.first_kept > 2_000, "from {}", found.first_kept);
    let kept = 4_000 - found.first_kept + 1;
    assert!(kept >= 500, "{kept} kept");
    assert_eq!(found.events.len() as u64, kept);
    assert_eq!(found.events[0].seq, found.first_kept);
    drop(store);
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    let again = store.events(&ns(), &filter, 0, 10_000).await.unwrap();
    assert_eq!(again.first_kept, found.first_kept);
}
