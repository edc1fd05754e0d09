//! What callers hear of threads that ended by themselves.

use std::sync::Arc;

use mcpanel_domain::Timestamp;
use mcpanel_store::Store;

use super::{Abandon, Queue, Taken, Wanted};
use crate::{EmbeddedStore, Options};

#[tokio::test]
async fn a_writer_that_ends_by_itself_closes_the_store_for_writes() {
    let dir = tempfile::tempdir().unwrap();
    let store =
        EmbeddedStore::open(dir.path(), Options::new(Arc::new(|| Timestamp::from_ms(0)))).unwrap();
    assert_eq!(store.health().await.read_only, None);
    drop(Abandon(store.shared.clone()));
    let reason = store.health().await.read_only.unwrap();
    assert!(reason.contains("start again"), "{reason}");
}

#[test]
fn a_queue_that_was_closed_is_not_abandoned() {
    let queue = Queue::new(1);
    queue.close(false);
    assert!(!queue.abandon());
    assert!(Queue::new(1).abandon());
}

#[test]
fn nobody_waits_for_a_flush_that_never_ends() {
    let queue = Queue::new(1);
    queue.nothing_is_flushed();
    for wanted in [Wanted::Flush, Wanted::FlushOrCommits] {
        assert!(matches!(
            queue.take(wanted),
            Taken::Closed { settle: false }
        ));
    }
}
