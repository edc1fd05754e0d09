//! Several instances on one database, each as if it were alone.

mod interrupted;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use mcpanel_domain::{
    Namespace, Payload, TaskId, Timestamp,
    event::{Event, Kind},
    task::{NewTask, State, Task},
};
use mcpanel_store::{
    Commit, Error, Store, Write,
    query::{EventFilter, TaskFilter},
};
use mcpanel_store_mongo::MongoStore;
use mongodb::bson::doc;
use tokio::task::JoinSet;

use crate::servers::Database;

/// A new task.
pub fn task(id: &str) -> Task {
    let id = TaskId::parse(id).unwrap();
    let new = NewTask::of_type(id, "work".parse().unwrap());
    let now = Timestamp::from_ms(1_767_323_045_000);
    let created = new.create(&Namespace::default_namespace(), &Arc::from("tester"), now);
    created.task.unwrap()
}

/// A commit of a task at its revision, with an event that tells of it.
pub fn write(task: &Task) -> Commit {
    let mut event = Event::new(Kind::TaskUpdated, task.updated_at, task.namespace.clone());
    event.task_id = Some(task.id.clone());
    event.message = Some(task.revision.to_string());
    Commit::of(Write::Task {
        task: Arc::new(task.clone()),
        parameters: (task.revision == 1).then(Payload::empty),
        result: None,
    })
    .with_events([event])
}

async fn instances(database: &Database, count: usize) -> Vec<Arc<MongoStore>> {
    let mut opening = JoinSet::new();
    for _ in 0..count {
        let settings = database.settings();
        opening.spawn(async move { MongoStore::open(settings, None).await.unwrap() });
    }
    opening.join_all().await
}

/// Ten that start at once on an empty database make its schema once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_start_together() {
    let Some(database) = Database::new() else {
        return;
    };
    let stores = instances(&database, 10).await;
    for (n, store) in stores.iter().enumerate() {
        store.commit(write(&task(&format!("t{n}")))).await.unwrap();
    }
    let ns = Namespace::default_namespace();
    let totals = stores[3].totals(&ns).await.unwrap();
    assert_eq!(totals.tasks.iter().sum::<u64>(), 10);
    for store in stores {
        store.close().await;
    }
}

/// Of all who write the same revision one wins; counts and events say the same as the documents.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_revision_has_one_winner_and_one_event() {
    const TASKS: usize = 24;
    const STEPS: u64 = 6;
    let Some(database) = Database::new() else {
        return;
    };
    let stores = instances(&database, 2).await;
    let mut rivals = JoinSet::new();
    for n in 0..TASKS {
        for (which, store) in stores.iter().enumerate() {
            let store = store.clone();
            rivals.spawn(async move {
                let mut won = Vec::new();
                let mut next = task(&format!("t{n:02}"));
                while next.revision <= STEPS {
                    next.priority = i32::try_from(which).unwrap();
                    next.state = match next.revision {
                        STEPS => State::Completed,
                        _ => State::Pending,
                    };
                    let began = Instant::now();
                    match store.commit(write(&next)).await {
                        Ok(receipt) => {
                            won.push((next.revision, (receipt.last_seq, began.elapsed())))
                        }
                        Err(Error::Conflict(conflict)) => assert!(conflict.found >= next.revision),
                        Err(other) => panic!("{other}"),
                    }
                    next.revision += 1;
                }
                (n, won)
            });
        }
    }
    let mut winners: BTreeMap<(usize, u64), (u64, Duration)> = BTreeMap::new();
    for (n, won) in rivals.join_all().await {
        for (revision, seq) in won {
            let before = winners.insert((n, revision), seq);
            assert!(
                before.is_none(),
                "task {n} was written twice at revision {revision}"
            );
        }
    }
    assert_eq!(winners.len(), TASKS * usize::try_from(STEPS).unwrap());
    let ns = Namespace::default_namespace();
    for store in &stores {
        let totals = store.totals(&ns).await.unwrap();
        assert_eq!(totals.tasks, [0, 0, 0, TASKS as u64, 0, 0, 0]);
        assert_eq!(totals.ready, 0);
        let filter = EventFilter::default();
        let log = store.events(&ns, &filter, 0, 10_000).await.unwrap();
        let numbers: Vec<u64> = log.events.iter().map(|event| event.seq).collect();
        let all: Vec<u64> = (1..=winners.len() as u64).collect();
        assert_eq!(numbers, all, "numbers have neither gaps nor repeats");
        // Causes come before effects.
        let mut newest: BTreeMap<TaskId, u64> = BTreeMap::new();
        let mut late = 0;
        for each in &log.events {
            let id = each.event.task_id.clone().unwrap();
            let revision: u64 = each.event.message.as_ref().unwrap().parse().unwrap();
            let before = newest.insert(id, revision).unwrap_or(0);
            assert_eq!(revision, before + 1, "events of a task come in its order");
            let n: usize = each.event.task_id.as_ref().unwrap().as_str()[1..]
                .parse()
                .unwrap();
            // Whoever waited too long for the number was told the newest that was known.
            let (told, after) = winners[&(n, revision)];
            if after < Duration::from_secs(4) {
                assert_eq!(told, each.seq);
            }
            late += usize::from(told != each.seq);
        }
        println!(
            "{late} of {} callers did not wait for their number",
            winners.len()
        );
    }
    for store in stores {
        store.close().await;
    }
}

/// One instance ends a task while the other makes one that waits for it: nobody waits for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_end_passes_unnoticed() {
    const ROUNDS: usize = 40;
    let Some(database) = Database::new() else {
        return;
    };
    let stores = instances(&database, 2).await;
    for n in 0..ROUNDS {
        let first = task(&format!("first{n:02}"));
        stores[n % 2].commit(write(&first)).await.unwrap();
        let mut done = first.clone();
        done.revision = 2;
        done.state = State::Completed;
        let mut waits = task(&format!("waits{n:02}"));
        waits.dependencies = [first.id].into();
        let (ended, made) = tokio::join!(
            stores[0].commit(write(&done)),
            stores[1].commit(write(&waits)),
        );
        ended.unwrap();
        made.unwrap();
    }
    let ns = Namespace::default_namespace();
    let totals = stores[0].totals(&ns).await.unwrap();
    assert_eq!(totals.ready, ROUNDS as u64, "all that waited are ready");
    assert_eq!(
        stores[1]
            .count_tasks(&ns, &TaskFilter::default(), 1_000)
            .await
            .unwrap(),
        2 * ROUNDS as u64
    );
    for n in 0..ROUNDS {
        let id = TaskId::parse(&format!("first{n:02}")).unwrap();
        assert!(stores[1].dependents(&ns, &id).await.unwrap().is_empty());
    }
    for store in stores {
        store.close().await;
    }
}

/// What an instance left without numbers is numbered by another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_one_that_died_are_numbered_by_others() {
    let Some(database) = Database::new() else {
        return;
    };
    let stores = instances(&database, 2).await;
    let dying = stores[0].clone();
    let commits: Vec<_> = (0..50).map(|n| write(&task(&format!("t{n:02}")))).collect();
    let mut writing = JoinSet::new();
    for commit in commits {
        let dying = dying.clone();
        writing.spawn(async move { dying.commit(commit).await });
    }
    // Killed in the middle: some are durable, and nobody here goes on numbering them.
    tokio::time::sleep(std::time::Duration::from_millis(15)).await;
    dying.kill();
    writing.abort_all();
    drop(writing);
    let ns = Namespace::default_namespace();
    let mut numbered = 0;
    // Half a minute: a busy machine takes a while to notice, and then numbers one block after the other.
    for _ in 0..600 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let log = stores[1]
            .events(&ns, &EventFilter::default(), 0, 1_000)
            .await
            .unwrap();
        let durable = stores[1]
            .totals(&ns)
            .await
            .unwrap()
            .tasks
            .iter()
            .sum::<u64>();
        numbered = log.events.len() as u64;
        if numbered == durable && durable > 0 {
            break;
        }
    }
    let durable = stores[1]
        .totals(&ns)
        .await
        .unwrap()
        .tasks
        .iter()
        .sum::<u64>();
    assert_eq!(numbered, durable);
    stores[1].close().await;
}

/// An instance that dies in the middle of numbering events leaves the counter locked, which MongoDB undoes after a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_a_dead_instance_left_open_is_ended_by_those_that_live() {
    let Some(database) = Database::new() else {
        return;
    };
    let store = instances(&database, 1).await.remove(0);
    store.commit(write(&task("first"))).await.unwrap();
    let settings = database.settings();
    let client = mongodb::Client::with_uri_str(&settings.uri).await.unwrap();
    let dead = client.database(settings.database.as_deref().unwrap());
    let mut session = client.start_session().await.unwrap();
    let known = doc! { "_id": "sessions:dead", "sessions": [session.id().clone()] };
    dead.collection("meta").insert_one(known).await.unwrap();
    session.start_transaction().await.unwrap();
    dead.collection::<mongodb::bson::Document>("counters")
        .update_one(doc! { "_id": "events" }, doc! { "$inc": { "value": 1 } })
        .session(&mut session)
        .await
        .unwrap();
    // As one that was killed: it neither commits nor gives up.
    std::mem::forget(session);
    let began = Instant::now();
    let receipt = store.commit(write(&task("second"))).await.unwrap();
    assert_eq!(receipt.last_seq, 2, "the dead one's number was never given");
    assert!(
        began.elapsed() < Duration::from_secs(50),
        "MongoDB's own limit is a minute"
    );
    store.close().await;
}
