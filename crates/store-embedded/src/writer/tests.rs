//! What callers hear of threads that ended by themselves, and of a disk that broke off.

use std::sync::Arc;

use mcpanel_domain::{Namespace, Payload, Timestamp};
use mcpanel_store::{Commit, Error, IdempotencyRecord, Receipt, Result, Store, Write};
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::{Abandon, Flusher, Job, Queue, Taken, Wanted, Writer};
use crate::{EmbeddedStore, Options, log::Log, tables};

/// A commit, and what its caller hears.
fn job(key: &str) -> (Job, oneshot::Receiver<Result<Receipt>>) {
    let record = IdempotencyRecord {
        namespace: Namespace::default_namespace(),
        key: key.to_owned(),
        fingerprint: [0; 32],
        outcome: Payload::empty(),
        created_at: Timestamp::from_ms(0),
        expires_at: Timestamp::from_ms(1),
    };
    let (reply, answer) = oneshot::channel();
    let job = Job::of(Commit::of(Write::Idempotency(record)), reply).unwrap();
    (job, answer)
}

/// A store, and a writer that works for it beside its own.
fn writer(dir: &std::path::Path) -> (Arc<EmbeddedStore>, Writer) {
    let options = Options::new(Arc::new(|| Timestamp::from_ms(0)));
    let store = EmbeddedStore::open(dir, options).unwrap();
    let shared = store.shared.clone();
    let log = Log::open(&dir.join("beside"), 1 << 20, 0, |_| Ok(())).unwrap();
    let flusher = Flusher::start(shared.clone()).unwrap();
    let tables = tables::open_reader(&dir.join(tables::FILE)).unwrap();
    let settler = store.settler().clone();
    (store, Writer::new(shared, log, flusher, tables, settler))
}

#[tokio::test]
async fn a_flush_that_failed_leaves_the_outcome_open_and_ends_writing() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("beside")).unwrap();
    let (store, mut writer) = writer(dir.path());
    let mut log = writer.log.take().unwrap();
    log.switch().unwrap();
    log.lose_flushes().unwrap();
    let (first, answer) = job("first");
    writer.waiting.push_back(first);
    writer.go_on(log);
    let answer = answer.await.unwrap();
    assert!(matches!(answer, Err(Error::Unknown { .. })), "{answer:?}");

    // It is not in memory, and what comes after it is surely not written.
    let ns = Namespace::default_namespace();
    assert!(store.idempotency(&ns, "first").await.unwrap().is_none());
    let (second, answer) = job("second");
    writer.waiting.push_back(second);
    let log = writer.log.take().unwrap();
    writer.go_on(log);
    let answer = answer.await.unwrap();
    assert!(matches!(answer, Err(Error::ReadOnly { .. })), "{answer:?}");
    assert!(store.health().await.read_only.is_some());
}

#[test]
fn what_a_writer_never_saw_is_refused_when_it_ends_and_what_it_had_is_left_open() {
    let queue = Queue::new(1);
    let (taken, mut unknown) = job("taken");
    queue.push(taken).unwrap();
    let in_hand = queue.take(Wanted::Commits);
    let (waiting, mut refused) = job("waiting");
    queue.push(waiting).unwrap();
    assert!(queue.abandon("gone"));
    drop(in_hand);
    let refused = refused.try_recv().unwrap();
    assert!(
        matches!(refused, Err(Error::ReadOnly { .. })),
        "{refused:?}"
    );
    assert_eq!(unknown.try_recv().unwrap_err(), TryRecvError::Closed);
}

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
    assert!(!queue.abandon("gone"));
    assert!(Queue::new(1).abandon("gone"));
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
