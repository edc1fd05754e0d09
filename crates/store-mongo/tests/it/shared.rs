//! Two instances over one database and one Redis, which is killed, paused and emptied.

mod grants;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use mcpanel_domain::{
    AgentId, Name, Namespace, SessionId, TaskId, Timestamp,
    event::{Event, Kind},
    limits::LEASE_TTL_MS,
    task::{Attempt, Lease, NewTask, State, Status, Task},
};
use mcpanel_store::{Commit, Offer, Reserved, Store, Write, conformance::step, query::EventFilter};
use mcpanel_store_mongo::{MongoStore, Shared, SharedSettings};
use mcpanel_test_servers::{Redis, RedisCluster};
use parking_lot::Mutex;

use crate::servers::Database;

/// Two instances and what they share.
struct Two {
    redis: Redis,
    one: Arc<MongoStore>,
    other: Arc<MongoStore>,
    database: Database,
}

async fn instance(database: &Database, url: String) -> Arc<MongoStore> {
    let shared = Shared::open(SharedSettings {
        url,
        prefix: String::new(),
        clock: Arc::new(now),
    })
    .await
    .unwrap();
    MongoStore::open(database.settings(), Some(shared))
        .await
        .unwrap()
}

impl Two {
    async fn open() -> Option<Self> {
        let database = Database::new()?;
        let redis = Redis::start().unwrap();
        Some(Self {
            one: instance(&database, redis.url()).await,
            other: instance(&database, redis.url()).await,
            redis,
            database,
        })
    }

    async fn close(self) {
        self.one.close().await;
        self.other.close().await;
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_ms(i64::try_from(since.unwrap().as_millis()).unwrap())
}

fn ns() -> Namespace {
    Namespace::default_namespace()
}

fn offer(agent: &str, max: u32) -> Offer {
    Offer {
        namespace: ns(),
        agent_id: AgentId::parse(agent).unwrap(),
        session: SessionId::parse("sess_1").unwrap(),
        capabilities: vec![Name::parse("work").unwrap()],
        concurrency: 50,
        max,
    }
}

fn write(task: &Task) -> Write {
    Write::Task {
        task: Arc::new(task.clone()),
        parameters: None,
        result: None,
    }
}

/// The next revision of a task, given to an agent.
fn assigned(task: &Task, agent: &str) -> Task {
    let offer = offer(agent, 1);
    step(task, |task| {
        task.attempt += 1;
        task.attempts.push(Attempt {
            number: task.attempt,
            nonce: 7,
            agent_id: offer.agent_id.clone(),
            session: offer.session.clone(),
            assigned_at: now(),
            started_at: None,
            ended_at: None,
            outcome: None,
            error: None,
        });
        task.state = State::Assigned(Lease {
            attempt: task.attempt,
            nonce: 7,
            agent_id: offer.agent_id,
            session: offer.session,
            granted_at: now(),
            expires_at: now().plus_ms(LEASE_TTL_MS),
            started_at: None,
        });
    })
}

async fn create(store: &MongoStore, ids: impl IntoIterator<Item = String>) -> Vec<TaskId> {
    let mut commit = Commit::default();
    let mut created = Vec::new();
    for id in ids {
        let new = NewTask::of_type(TaskId::parse(&id).unwrap(), Name::parse("work").unwrap());
        let task = new.create(&ns(), &Arc::from("tests"), now()).task.unwrap();
        commit = commit.with(write(&task));
        created.push(task.id);
    }
    store.commit(commit).await.unwrap();
    created
}

async fn take(store: &MongoStore, agent: &str, max: u32) -> Vec<Arc<Task>> {
    store.take_ready(&offer(agent, max), now()).await.unwrap()
}

/// Claims and completes until nothing is left; counts who completed what.
async fn work(store: Arc<MongoStore>, agent: String, done: Arc<Mutex<BTreeMap<TaskId, u32>>>) {
    let mut idle = 0;
    while idle < 60 {
        let taken = store.take_ready(&offer(&agent, 10), now()).await;
        let tasks = taken.unwrap_or_default();
        if tasks.is_empty() {
            idle += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        }
        idle = 0;
        let shared: Arc<dyn Store> = store.clone();
        let reserved = Reserved::new(shared, ns(), tasks);
        for task in &reserved.tasks {
            let held = assigned(task, &agent);
            // Somebody else may have been faster: two instances that lost Redis offer the same.
            if store.commit(Commit::of(write(&held))).await.is_err() {
                continue;
            }
            let end = step(&held, |task| {
                task.state = State::Completed;
                task.completed_at = Some(now());
            });
            store.commit(Commit::of(write(&end))).await.unwrap();
            *done.lock().entry(task.id.clone()).or_insert(0) += 1;
        }
    }
}

async fn eventually<F: Future<Output = bool>>(
    what: &str,
    mut holds: impl FnMut() -> F,
) -> Duration {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

async fn ready(store: &MongoStore) -> u64 {
    store.totals(&ns()).await.unwrap().ready
}

#[tokio::test]
async fn what_one_creates_the_other_hears_of_and_takes() {
    let Some(two) = Two::open().await else { return };
    let mut news = two.other.watch_events();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut fastest = Duration::MAX;
    // The net below the messages wakes too, a second after the last time: whoever it woke in one round hears of the next
    // task that late.
    for id in ["a", "b", "c", "d", "e"] {
        let woken = two.other.wait_ready(&offer("ada", 1));
        let begun = Instant::now();
        create(&two.one, [id.to_owned()]).await;
        tokio::time::timeout(Duration::from_secs(20), woken)
            .await
            .expect("woken")
            .unwrap();
        if id != "a" {
            fastest = fastest.min(begun.elapsed());
        }
        assert_eq!(take(&two.other, "ada", 9).await.len(), 1);
    }
    println!("woken on the other instance after {fastest:?}");
    let by_the_message = fastest < Duration::from_millis(700);
    assert!(by_the_message, "not by the net: {fastest:?}");
    assert!(
        take(&two.one, "bob", 9).await.is_empty(),
        "set aside for all"
    );

    news.borrow_and_update();
    let event = Event::new(Kind::TaskCreated, now(), ns());
    let receipt = two
        .one
        .commit(Commit::default().with_events([event]))
        .await
        .unwrap();
    eventually("the other knows the number", async || {
        *two.other.watch_events().borrow() >= receipt.last_seq
    })
    .await;
    let events = two
        .other
        .events(&ns(), &EventFilter::default(), receipt.last_seq - 1, 9)
        .await;
    assert_eq!(events.unwrap().events.len(), 1);
    let figures = two.other.shared().unwrap().figures();
    assert_eq!(
        (figures.claims, figures.claims_away),
        (5, 0),
        "through redis"
    );
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_done_twice_though_redis_forgets_dies_and_stands_still() {
    let Some(mut two) = Two::open().await else {
        return;
    };
    const TASKS: usize = 600;
    for first in (0..TASKS).step_by(100) {
        create(&two.one, (first..first + 100).map(|n| format!("t{n:04}"))).await;
    }
    let done = Arc::new(Mutex::new(BTreeMap::new()));
    let mut workers = Vec::new();
    for (n, store) in [&two.one, &two.other, &two.one, &two.other]
        .into_iter()
        .enumerate()
    {
        workers.push(tokio::spawn(work(
            store.clone(),
            format!("agent{n}"),
            done.clone(),
        )));
    }
    let pause = || tokio::time::sleep(Duration::from_millis(400));
    pause().await;
    two.redis.command(&["FLUSHALL"]).unwrap();
    pause().await;
    two.redis.process().kill().unwrap();
    eventually("mongodb answers claims", async || {
        let away = |store: &MongoStore| store.shared().unwrap().figures().claims_away;
        away(&two.one) + away(&two.other) > 0
    })
    .await;
    two.redis.process().start_again().unwrap();
    two.redis.answers().unwrap();
    pause().await;
    two.redis.process().pause().unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    two.redis.process().resume().unwrap();
    for worker in workers {
        worker.await.unwrap();
    }
    let done = done.lock().clone();
    assert_eq!(done.len(), TASKS, "every task was completed");
    assert!(done.values().all(|times| *times == 1), "and by one alone");
    let totals = two.one.totals(&ns()).await.unwrap();
    assert_eq!(totals.of(&[Status::Completed]), TASKS as u64);
    for agent in 0..4 {
        let agent = AgentId::parse(&format!("agent{agent}")).unwrap();
        assert!(two.one.leases(&ns(), &agent).await.unwrap().is_empty());
    }
    two.close().await;
}

#[tokio::test]
async fn redis_that_lost_all_is_whole_again_within_seconds() {
    let Some(mut two) = Two::open().await else {
        return;
    };
    create(&two.one, (0..300).map(|n| format!("t{n:04}"))).await;
    assert_eq!(ready(&two.other).await, 300);

    two.redis.command(&["FLUSHALL"]).unwrap();
    let whole = async || {
        let before = two.one.shared().unwrap().figures();
        let taken = take(&two.one, "ada", 1).await;
        two.one.unreserve(&ns(), &taken);
        two.one.shared().unwrap().figures().claims > before.claims && ready(&two.other).await == 300
    };
    let took = eventually("whole after FLUSHALL", whole).await;
    println!("after FLUSHALL the queue was whole in {took:?}");

    two.redis.process().kill().unwrap();
    let begun = Instant::now();
    assert_eq!(take(&two.one, "ada", 5).await.len(), 5, "from mongodb");
    println!("the first claim without redis took {:?}", begun.elapsed());
    create(&two.other, ["meanwhile".to_owned()]).await;
    two.redis.process().start_again().unwrap();
    two.redis.answers().unwrap();
    let whole = async || {
        let shared = two.other.shared().unwrap();
        shared.queue().look(&ns()).await.unwrap_or(false) && ready(&two.other).await == 301
    };
    let took = eventually("whole after it came back empty", whole).await;
    println!("a redis that came back empty was whole in {took:?}");
    let keys = two.redis.command(&["ZCARD", "tasks:pending"]).unwrap();
    eventually("the views too", async || {
        two.redis
            .command(&["ZCARD", "tasks:pending"])
            .unwrap()
            .trim()
            == "301"
    })
    .await;
    assert!(!keys.is_empty());
    two.close().await;
}

#[tokio::test]
async fn another_database_does_not_inherit() {
    let Some(two) = Two::open().await else { return };
    create(&two.one, ["a".to_owned()]).await;
    assert_eq!(ready(&two.one).await, 1);
    let Some(fresh) = Database::new() else { return };
    two.one.close().await;
    two.other.close().await;
    let store = instance(&fresh, two.redis.url()).await;
    assert_eq!(ready(&store).await, 0);
    assert!(take(&store, "ada", 9).await.is_empty());
    store.close().await;
}

#[tokio::test]
async fn a_cluster_that_lost_a_master_is_done_without_and_taken_up_again() {
    let Some(database) = Database::new() else {
        return;
    };
    let mut cluster = RedisCluster::start().unwrap();
    let store = instance(&database, cluster.url()).await;
    create(&store, (0..20).map(|n| format!("t{n:02}"))).await;
    assert_eq!(take(&store, "ada", 5).await.len(), 5);
    for master in 0..3 {
        cluster.master(master).kill().unwrap();
        let begun = Instant::now();
        create(&store, [format!("without{master}")]).await;
        assert_eq!(take(&store, "bob", 1).await.len(), 1, "with or without it");
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{:?}",
            begun.elapsed()
        );
        cluster.master(master).start_again().unwrap();
        let figures = || store.shared().unwrap().figures();
        let took = eventually("claims go through the cluster again", async || {
            let before = figures();
            let taken = take(&store, "eve", 1).await;
            store.unreserve(&ns(), &taken);
            figures().claims > before.claims
                && store.shared().unwrap().queue().look(&ns()).await == Ok(true)
        })
        .await;
        println!("master {master} was killed and came back: through redis again in {took:?}");
    }
    store.close().await;
}
