//! How many task lifecycles a second the store takes: created, claimed, completed, in batches; and what each costs MongoDB.
//!
//! `MCPANEL_TEST_MONGODB_URI=… cargo run --release -p mcpanel-store-mongo --example speed [lanes] [callers] [seconds]`
//!
//! With `MCPANEL_TEST_REDIS_URL` too, Redis is told of everything as in a real installation, and keeps the assignments of
//! tasks this short. `SPEED_WRITTEN=1` has them written all the same, for comparison.
//!
//! Works in a database of its own, `mcpanel_speed`, which it drops before and after.
#![expect(
    clippy::unwrap_used,
    reason = "a measuring tool for people who develop this"
)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mcpanel_domain::{
    Namespace, Payload, TaskId, Timestamp,
    event::{Event, Kind},
    task::{Attempt, Lease, NewTask, Outcome, State, Task},
};
use mcpanel_store::{Commit, Grant, Offer, Store, Write};
use mcpanel_store_mongo::{MongoStore, Settings, Shared, SharedSettings};
use tokio::task::JoinSet;

/// Tasks of one commit: a batch of the API.
const BATCH: usize = 100;

/// Callers at once when nothing else is said.
const CALLERS: usize = 16;

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_ms(i64::try_from(since.unwrap().as_millis()).unwrap())
}

fn commit(tasks: &[Task], kind: Kind, result: bool) -> Commit {
    let mut commit = Commit::default();
    for task in tasks {
        let created = task.revision == 1;
        commit.writes.push(Write::Task {
            task: Arc::new(task.clone()),
            parameters: created.then(|| {
                let text = "x".repeat(200);
                Payload::parse(&format!("{{\"of\":\"{}\",\"text\":\"{text}\"}}", task.id)).unwrap()
            }),
            result: result.then(|| Payload::parse("{\"score\":0.5,\"label\":\"calm\"}").unwrap()),
        });
        let mut event = Event::new(kind, now(), task.namespace.clone());
        event.task_id = Some(task.id.clone());
        commit.events.push(event);
    }
    commit
}

async fn lifecycles(
    store: Arc<MongoStore>,
    caller: usize,
    until: Instant,
) -> (usize, Vec<Duration>) {
    let (mut done, mut took) = (0, Vec::new());
    let mut round = 0;
    while Instant::now() < until {
        let offer = offer(caller);
        let mut tasks: Vec<Task> = (0..BATCH)
            .map(|n| {
                let id = TaskId::parse(&format!("task_{caller:03}_{round:06}_{n:03}")).unwrap();
                let mut new = NewTask::of_type(id, "work".parse().unwrap());
                new.capabilities = offer.capabilities.clone();
                let created =
                    new.create(&Namespace::default_namespace(), &Arc::from("tester"), now());
                created.task.unwrap()
            })
            .collect();
        let began = Instant::now();
        let created = commit(&tasks, Kind::TaskCreated, false);
        store.commit(created).await.unwrap();
        took.push(began.elapsed());
        let taken = store.take_ready(&offer, now()).await.unwrap();
        assert_eq!(taken.len(), BATCH, "a caller takes what it made");
        let created: Vec<u64> = tasks.iter().map(|task| task.revision).collect();
        tasks
            .iter_mut()
            .for_each(|task| advance(task, &offer, false));
        let began = Instant::now();
        let delegated = commit(&tasks, Kind::TaskDelegated, false);
        let remembered = match store.grants().filter(|_| !written()) {
            Some(grants) => {
                let given = tasks.iter().zip(&created).map(|(task, revision)| {
                    Grant::of(task.id.clone(), *revision, task.lease().unwrap())
                });
                let given: Vec<Grant> = given.collect();
                let noted = grants.note(&offer.namespace, &given).await;
                noted.is_ok_and(|noted| noted.iter().all(|noted| *noted))
            }
            None => false,
        };
        let mut before = Vec::new();
        if remembered {
            before = delegated.events;
            for (task, created) in tasks.iter_mut().zip(created) {
                task.revision = created;
            }
        } else {
            store.commit(delegated).await.unwrap();
        }
        took.push(began.elapsed());
        tasks
            .iter_mut()
            .for_each(|task| advance(task, &offer, true));
        let began = Instant::now();
        let mut completed = commit(&tasks, Kind::TaskCompleted, true);
        completed.events.splice(0..0, before);
        store.commit(completed).await.unwrap();
        took.push(began.elapsed());
        done += BATCH;
        round += 1;
    }
    (done, took)
}

/// Whether assignments are written in any case.
fn written() -> bool {
    std::env::var("SPEED_WRITTEN").is_ok()
}

fn offer(caller: usize) -> Offer {
    Offer {
        namespace: Namespace::default_namespace(),
        agent_id: format!("worker-{caller}").parse().unwrap(),
        session: "sess_1".parse().unwrap(),
        capabilities: vec![format!("work-{caller}").parse().unwrap()],
        concurrency: 10_000,
        max: u32::try_from(BATCH).unwrap(),
    }
}

/// What the server has computed since it began.
async fn server_cpu(client: &mongodb::Client) -> Duration {
    let ask = mongodb::bson::doc! { "serverStatus": 1 };
    let status = client.database("admin").run_command(ask).await.unwrap();
    let info = status.get_document("extra_info").unwrap();
    let of = |name: &str| u64::try_from(info.get_i64(name).unwrap()).unwrap();
    Duration::from_micros(of("user_time_us") + of("system_time_us"))
}

fn advance(task: &mut Task, offer: &Offer, complete: bool) {
    let now = now();
    task.revision += 1;
    task.updated_at = now;
    if complete {
        task.state = State::Completed;
        task.completed_at = Some(now);
        task.progress.percent = 100.0;
        if let Some(attempt) = task.attempts.last_mut() {
            attempt.ended_at = Some(now);
            attempt.outcome = Some(Outcome::Completed);
        }
        return;
    }
    task.attempt = 1;
    task.attempts.push(Attempt {
        number: 1,
        nonce: 7,
        agent_id: offer.agent_id.clone(),
        session: offer.session.clone(),
        assigned_at: now,
        started_at: None,
        ended_at: None,
        outcome: None,
        error: None,
    });
    task.state = State::Assigned(Lease {
        attempt: 1,
        nonce: 7,
        agent_id: offer.agent_id.clone(),
        session: offer.session.clone(),
        granted_at: now,
        expires_at: now.plus_ms(30_000),
        started_at: None,
    });
}

#[tokio::main]
async fn main() {
    let uri =
        std::env::var("MCPANEL_TEST_MONGODB_URI").expect("MCPANEL_TEST_MONGODB_URI names a server");
    let given: Vec<usize> = std::env::args()
        .skip(1)
        .map(|word| word.parse().unwrap())
        .collect();
    let database = "mcpanel_speed".to_owned();
    let client = mongodb::Client::with_uri_str(&uri).await.unwrap();
    client.database(&database).drop().await.unwrap();
    let mut settings = Settings::new(uri);
    settings.lanes = given.first().copied().unwrap_or(settings.lanes);
    settings.database = Some(database.clone());
    let shared = match std::env::var("MCPANEL_TEST_REDIS_URL") {
        Ok(url) => Some(
            Shared::open(SharedSettings {
                url,
                prefix: format!("{database}:"),
                clock: Arc::new(now),
            })
            .await
            .unwrap(),
        ),
        Err(_) => None,
    };
    let store = MongoStore::open(settings, shared).await.unwrap();
    let callers_wanted = given.get(1).copied().unwrap_or(CALLERS);
    let spent = server_cpu(&client).await;
    let began = Instant::now();
    let seconds = given.get(2).copied().unwrap_or(10);
    let until = began + Duration::from_secs(seconds as u64);
    let mut callers = JoinSet::new();
    for caller in 0..callers_wanted {
        callers.spawn(lifecycles(store.clone(), caller, until));
    }
    let (mut done, mut took) = (0, Vec::new());
    for (count, times) in callers.join_all().await {
        done += count;
        took.extend(times);
    }
    let seconds = began.elapsed().as_secs_f64();
    took.sort();
    let spent = server_cpu(&client).await - spent;
    println!(
        "MongoDB computed {:.3} ms for each lifecycle",
        spent.as_secs_f64() * 1e3 / done as f64
    );
    println!(
        "{:.0} lifecycles a second; a commit of {BATCH} tasks took {:?} (median), {:?} (95 %); {:?}",
        done as f64 / seconds,
        took[took.len() / 2],
        took[took.len() * 95 / 100],
        store.figures(),
    );
    store.close().await;
    client.database(&database).drop().await.unwrap();
}
