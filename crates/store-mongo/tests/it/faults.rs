//! What was acknowledged stays, whatever becomes of MongoDB's primary.
//!
//! Starts a set of three nodes of its own, lets two instances write, and kills or freezes the primary under
//! them. Afterwards every acknowledged revision is there, each written once, with its event and its count.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use mcpanel_domain::{Namespace, TaskId};
use mcpanel_store::{Error, Store, query::EventFilter};
use mcpanel_store_mongo::{MongoStore, Settings};
use mcpanel_test_servers::ReplicaSet;
use tokio::task::JoinSet;

use crate::{
    rivals::{task, write},
    servers::{MONGODB, given},
};

/// Writers of each instance.
const WRITERS: usize = 6;

/// Revisions of one task before its writer begins another.
const STEPS: u64 = 4;

/// What the writers saw.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    acknowledged: AtomicU64,
    refused: AtomicU64,
}

/// Writes tasks and their changes until it is stopped; answers with the newest acknowledged revision of each.
async fn writer(store: Arc<MongoStore>, name: String, seen: Arc<Seen>) -> BTreeMap<TaskId, u64> {
    let mut acknowledged = BTreeMap::new();
    let ns = Namespace::default_namespace();
    let mut round = 0;
    while !seen.stop.load(Ordering::Relaxed) {
        let mut next = task(&format!("{name}.{round:04}"));
        while next.revision <= STEPS {
            match store.commit(write(&next)).await {
                Ok(_) => {
                    acknowledged.insert(next.id.clone(), next.revision);
                    seen.acknowledged.fetch_add(1, Ordering::Relaxed);
                    next.revision += 1;
                }
                Err(
                    Error::Unavailable { .. } | Error::Unknown { .. } | Error::Overloaded { .. },
                ) => {
                    // Whether it was written shows when it is read again.
                    seen.refused.fetch_add(1, Ordering::Relaxed);
                    let Ok(found) = store.tasks(&ns, &[next.id.clone()]).await else {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        continue;
                    };
                    next.revision = found[0].as_ref().map_or(1, |found| found.revision + 1);
                }
                Err(other) => panic!("nobody else writes `{}`: {other}", next.id),
            }
        }
        round += 1;
    }
    acknowledged
}

/// Runs writers of two instances while something happens to the set.
async fn under(fault: impl FnOnce(&mut ReplicaSet, usize) + Send + 'static) {
    if given(MONGODB).is_none() {
        return;
    }
    let mut set = tokio::task::spawn_blocking(|| ReplicaSet::start(3).unwrap())
        .await
        .unwrap();
    let mut stores = Vec::new();
    for _ in 0..2 {
        stores.push(
            MongoStore::open(Settings::new(set.uri()), None)
                .await
                .unwrap(),
        );
    }
    let seen = Arc::new(Seen::default());
    let mut writers = JoinSet::new();
    for (which, store) in stores.iter().enumerate() {
        for n in 0..WRITERS {
            writers.spawn(writer(store.clone(), format!("w{which}{n}"), seen.clone()));
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = seen.acknowledged.load(Ordering::Relaxed);
    assert!(before > 0, "writes go on before the fault");
    let began = Instant::now();
    let set = tokio::task::spawn_blocking(move || {
        let primary = set.primary(Duration::from_secs(10)).unwrap();
        fault(&mut set, primary);
        set
    })
    .await
    .unwrap();
    let then = seen.acknowledged.load(Ordering::Relaxed) + 2 * WRITERS as u64;
    while seen.acknowledged.load(Ordering::Relaxed) <= then {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "writes go on after the fault"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!(
        "writes went on {:.1} s after the fault began; {} calls were refused meanwhile",
        began.elapsed().as_secs_f64(),
        seen.refused.load(Ordering::Relaxed),
    );
    seen.stop.store(true, Ordering::Relaxed);
    let mut acknowledged = BTreeMap::new();
    for each in writers.join_all().await {
        acknowledged.extend(each);
    }
    verify(&stores, &acknowledged).await;
    for store in stores {
        store.close().await;
    }
    drop(set);
}

/// Documents, counts and events agree, with each other and with what was acknowledged.
async fn verify(stores: &[Arc<MongoStore>], acknowledged: &BTreeMap<TaskId, u64>) {
    let ns = Namespace::default_namespace();
    let ids: Vec<TaskId> = acknowledged.keys().cloned().collect();
    let found = stores[1].tasks(&ns, &ids).await.unwrap();
    let mut revisions: BTreeMap<TaskId, u64> = BTreeMap::new();
    for (id, task) in ids.iter().zip(found) {
        let task = task.unwrap_or_else(|| panic!("`{id}` was acknowledged and is gone"));
        assert!(task.revision >= acknowledged[id], "`{id}` lost a revision");
        revisions.insert(id.clone(), task.revision);
    }
    let totals = stores[0].totals(&ns).await.unwrap();
    assert_eq!(totals.tasks.iter().sum::<u64>(), ids.len() as u64);
    // The numbers of the last blocks may be on their way.
    let expected: u64 = revisions.values().sum();
    let mut events = Vec::new();
    for _ in 0..100 {
        events.clear();
        let mut after = 0;
        loop {
            let filter = EventFilter::default();
            let page = stores[0].events(&ns, &filter, after, 10_000).await.unwrap();
            events.extend(page.events);
            if page.scanned_to == after {
                break;
            }
            after = page.scanned_to;
        }
        if events.len() as u64 >= expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut told: BTreeMap<TaskId, u64> = BTreeMap::new();
    for (event, seq) in events.iter().zip(1..) {
        assert_eq!(event.seq, seq, "numbers have neither gaps nor repeats");
        *told
            .entry(event.event.task_id.clone().unwrap())
            .or_insert(0) += 1;
    }
    assert_eq!(told, revisions, "each revision has one event");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_primary_loses_nothing() {
    under(|set, primary| set.node(primary).kill().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_primary_loses_nothing() {
    under(|set, primary| {
        set.node(primary).pause().unwrap();
        std::thread::sleep(Duration::from_secs(20));
        set.node(primary).resume().unwrap();
    })
    .await;
}
