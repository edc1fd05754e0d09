//! A full disk: reading goes on, nothing acknowledged is lost, writing goes on when there is room.

use mcpanel_store::{Error, Store};
use mcpanel_store_embedded::{EmbeddedStore, Options};

use crate::support::{is_completed, live_through, options};

#[tokio::test]
async fn a_full_disk_stops_writes_only() {
    let dir = tempfile::tempdir().unwrap();
    let bounded = Options {
        table_pages_max: Some(80),
        ..options()
    };
    let store = EmbeddedStore::open(dir.path(), bounded).unwrap();
    let mut done = Vec::new();
    let refused = loop {
        let n = done.len() as u64;
        match live_through(&*store, n).await {
            Ok(_) => done.push(n),
            Err(error) => break error,
        }
        assert!(n < 5_000, "80 pages never fill");
    };
    assert!(
        matches!(&refused, Error::ReadOnly { reason } if reason.contains("disk is full")),
        "{refused}"
    );
    assert!(done.len() > 50, "only {} tasks fitted", done.len());
    let health = store.health().await;
    assert!(health.read_only.unwrap().contains("disk is full"));
    for n in &done {
        assert!(is_completed(&*store, *n).await, "task {n} while full");
    }
    let again = live_through(&*store, 9_999).await;
    assert!(matches!(again, Err(Error::ReadOnly { .. })), "{again:?}");
    store.close().await;
    drop(store);

    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    for n in &done {
        assert!(is_completed(&*store, *n).await, "task {n} after a start");
    }
    assert!(store.health().await.read_only.is_none());
    live_through(&*store, 10_000).await.unwrap();
    assert!(is_completed(&*store, 10_000).await);
}
