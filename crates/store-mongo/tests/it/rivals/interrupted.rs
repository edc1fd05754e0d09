//! An instance whose transactions are ended by another one while it commits.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use mcpanel_domain::{Namespace, TaskId};
use mcpanel_store::{Error, Store, query::EventFilter};
use mongodb::Client;
use tokio::{task::JoinSet, time::sleep};

use super::{instances, task, write};
use crate::servers::{Database, end_sessions, known_sessions};

/// Callers at once, and commits of each.
const CALLERS: usize = 8;
const COMMITS: usize = 40;
/// How often transactions are ended: a commit takes as long as one or a few of these pauses, so that some are met as they
/// wait for the disk, and others come through.
const PAUSE: Duration = Duration::from_millis(40);
/// As often at the most, so that a machine that is slower than that gets to its end as well.
const ENDED_MAX: usize = 300;
/// Until all events have their numbers.
const LONG: Duration = Duration::from_secs(60);

/// What a caller was told.
#[derive(Debug, PartialEq)]
enum Told {
    Done,
    Refused(String),
    Unknown,
}

/// Ends whatever the instances of a database have under way, again and again.
async fn end_again_and_again(client: Client, database: mongodb::Database) {
    for _ in 0..ENDED_MAX {
        end_sessions(&client, &known_sessions(&database).await).await;
        sleep(PAUSE).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_once_and_what_was_refused_is_not() {
    let Some(database) = Database::new() else {
        return;
    };
    let store = instances(&database, 1).await.remove(0);
    // So that there are sessions to end.
    store.commit(write(&task("first"))).await.unwrap();
    let client = Client::with_uri_str(&database.settings().uri)
        .await
        .unwrap();
    let theirs = client.database(database.name());
    let ending = tokio::spawn(end_again_and_again(client, theirs));

    let mut calling = JoinSet::new();
    for caller in 0..CALLERS {
        let store = store.clone();
        calling.spawn(async move {
            let mut told = Vec::new();
            for n in 0..COMMITS {
                let id = format!("t{caller}_{n:02}");
                let outcome = match store.commit(write(&task(&id))).await {
                    Ok(_) => Told::Done,
                    Err(Error::Unknown { .. }) => Told::Unknown,
                    Err(other) => Told::Refused(other.to_string()),
                };
                told.push((TaskId::parse(&id).unwrap(), outcome));
            }
            told
        });
    }
    let told: BTreeMap<TaskId, Told> = calling.join_all().await.into_iter().flatten().collect();
    ending.abort();
    assert_eq!(told.len(), CALLERS * COMMITS);

    let ns = Namespace::default_namespace();
    let mut there = BTreeSet::from([TaskId::parse("first").unwrap()]);
    let ids: Vec<TaskId> = told.keys().cloned().collect();
    let found = store.tasks(&ns, &ids).await.unwrap();
    for ((id, outcome), found) in told.iter().zip(found) {
        match outcome {
            Told::Done => assert!(found.is_some(), "`{id}` was acknowledged"),
            Told::Refused(why) => assert!(found.is_none(), "`{id}` was refused: {why}"),
            Told::Unknown => {}
        }
        there.extend(found.map(|found| found.id.clone()));
    }
    let done = told.values().filter(|told| **told == Told::Done).count();
    assert!(done > told.len() / 2, "commits come through: {done}");

    let until = Instant::now() + LONG;
    let log = loop {
        let log = store.events(&ns, &EventFilter::default(), 0, 1_000).await;
        let log = log.unwrap().events;
        if log.len() >= there.len() {
            break log;
        }
        assert!(Instant::now() < until, "{} of {}", log.len(), there.len());
        sleep(Duration::from_millis(50)).await;
    };
    let of: Vec<TaskId> = log
        .iter()
        .map(|each| each.event.task_id.clone().unwrap())
        .collect();
    assert_eq!(of.len(), there.len(), "each is told of once");
    assert_eq!(of.into_iter().collect::<BTreeSet<_>>(), there);
    store.close().await;
}
