//! What a whole copy reads, while it goes from memory into the tables.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use mcpanel_domain::{Namespace, Payload, Timestamp};
use mcpanel_store::{Commit, IdempotencyRecord, Portable, Store, Write};

use crate::support::{ns, open};

/// Some thirty of these fill a segment.
const OUTCOME_BYTES: usize = 2_000;

/// Enough to fill segments all the time that the reader looks.
const COMMITS: usize = 2_000;

fn key(n: usize) -> String {
    format!("tester:{n:06}")
}

/// A namespace for every ten.
fn namespace(n: usize) -> Namespace {
    Namespace::parse(&format!("n{:04}", n / 10)).unwrap()
}

fn record(namespace: Namespace, n: usize) -> Commit {
    Commit::of(Write::Idempotency(IdempotencyRecord {
        namespace,
        key: key(n),
        fingerprint: [0; 32],
        outcome: Payload::parse(&format!("\"{}\"", "x".repeat(OUTCOME_BYTES))).unwrap(),
        created_at: Timestamp::ZERO,
        expires_at: Timestamp::ZERO.plus_ms(1),
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_settles_meanwhile_is_not_missed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let (to, told) = (store.clone(), acknowledged.clone());
    let writing = tokio::spawn(async move {
        for n in 0..COMMITS {
            to.commit(record(ns(), n)).await.unwrap();
            to.commit(record(namespace(n), n)).await.unwrap();
            told.store(n + 1, Ordering::Release);
        }
    });
    loop {
        let there = acknowledged.load(Ordering::Acquire);
        let from = there.saturating_sub(200);
        let records = store
            .idempotency_records(&ns(), &key(from), there)
            .await
            .unwrap();
        let found: Vec<String> = records.into_iter().map(|each| each.key).collect();
        for n in from + 1..there {
            assert!(found.contains(&key(n)), "{n} of {there} is missed");
        }
        let namespaces = store.all_namespaces().await.unwrap();
        for n in from..there {
            let namespace = namespace(n);
            assert!(namespaces.contains(&namespace), "{namespace} is missed");
        }
        if there == COMMITS {
            break;
        }
        tokio::task::yield_now().await;
    }
    writing.await.unwrap();
    store.close().await;
}
