//! What must hold when all is quiet again.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use mcpanel_api::{
    Payload, TaskId,
    agent::Claim,
    event::EventQuery,
    pipeline::{PipelineQuery, PipelineStatus},
    task::{NewTask, NewTasks, Release, Task, TaskQuery, TaskStatus},
};
use mcpanel_client::{Client, IdempotencyKey};

use crate::{
    balance::Balanced,
    book::Book,
    load::{AGENTS, CONCURRENCY, agent_id, sign_on},
    site::Site,
};

/// How long what is left may take to be worked off: leases of an instance that was frozen end after 30 s.
const DRAIN_MAX: Duration = Duration::from_secs(180);
/// How long what Redis shows may take to be right again: about a second, and more on a busy machine.
const VIEWS_MAX: Duration = Duration::from_secs(5);
/// Documents of a page.
const PAGE: u32 = 500;
/// Statuses of tasks that have not ended.
const LIVE: [TaskStatus; 4] = [
    TaskStatus::Pending,
    TaskStatus::Assigned,
    TaskStatus::Running,
    TaskStatus::Retry,
];

/// How much was looked at.
#[derive(Debug)]
pub struct Audited {
    pub tasks: usize,
    pub pipelines: usize,
    pub events: usize,
}

/// Waits until every task has ended.
pub async fn drained(at: &Balanced) -> Result<()> {
    let until = Instant::now() + DRAIN_MAX;
    loop {
        let mut left = None;
        for status in LIVE {
            let query = &TaskQuery {
                status: Some(status),
                limit: Some(1),
                ..TaskQuery::default()
            };
            let page = at
                .call(|client| async move { client.list_tasks(query).await })
                .await?;
            left = left.or(page.tasks.into_iter().next());
        }
        match left {
            None => return Ok(()),
            Some(task) if Instant::now() >= until => bail!(
                "`{}` is still {:?} after {} s",
                task.task_id,
                task.status,
                DRAIN_MAX.as_secs()
            ),
            Some(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// Compares what every instance shows with what was acknowledged.
pub async fn audit(site: &Site, at: &Balanced, book: &Book) -> Result<Audited> {
    let mut audited = None;
    for (number, client) in site.clients()?.iter().enumerate() {
        let tasks = tasks(client).await?;
        compare(&tasks, book).with_context(|| format!("instance {number}"))?;
        let pipelines = pipelines(client, book).await?;
        let events = events(client, &tasks).await?;
        audited = Some(Audited {
            tasks: tasks.len(),
            pipelines,
            events,
        });
    }
    no_server_errors(book)?;
    views(site).await?;
    slots(at).await?;
    audited.context("there is no instance")
}

async fn tasks(client: &Client) -> Result<BTreeMap<TaskId, Task>> {
    let mut query = TaskQuery {
        limit: Some(PAGE),
        ..TaskQuery::default()
    };
    let mut found = BTreeMap::new();
    loop {
        let page = client.list_tasks(&query).await?;
        let tasks = page.tasks.into_iter();
        found.extend(tasks.map(|task| (task.task_id.clone(), task)));
        match page.next_cursor {
            Some(next) => query.cursor = Some(next),
            None => return Ok(found),
        }
    }
}

fn compare(tasks: &BTreeMap<TaskId, Task>, book: &Book) -> Result<()> {
    book.read(|book| {
        for id in &book.created {
            ensure!(
                tasks.contains_key(id),
                "`{id}` was acknowledged and is lost"
            );
        }
        for (id, result) in &book.completed {
            let task = tasks.get(id).with_context(|| format!("`{id}` is lost"))?;
            ensure!(
                task.status == TaskStatus::Completed,
                "the completion of `{id}` was acknowledged and is lost: it is {:?}",
                task.status
            );
            let found = task.result.as_ref().map(Payload::as_str);
            ensure!(
                found == Some(result.as_str()),
                "`{id}` has the result {found:?}, not {result}"
            );
        }
        for (id, task) in tasks {
            ensure!(
                task.status == TaskStatus::Completed,
                "`{id}` ended as {:?}: {:?}",
                task.status,
                task.error
            );
        }
        Ok(())
    })
}

async fn pipelines(client: &Client, book: &Book) -> Result<usize> {
    let mut query = PipelineQuery {
        limit: Some(PAGE),
        ..PipelineQuery::default()
    };
    let mut found = BTreeMap::new();
    loop {
        let page = client.list_pipelines(&query).await?;
        found.extend(
            page.pipelines
                .into_iter()
                .map(|each| (each.pipeline_id, each.status)),
        );
        match page.next_cursor {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    for (id, status) in &found {
        ensure!(
            *status == PipelineStatus::Completed,
            "pipeline `{id}` is {status:?}"
        );
    }
    let made: Vec<_> = book.read(|book| book.pipelines.iter().cloned().collect());
    for id in made {
        ensure!(
            found.contains_key(&id),
            "pipeline `{id}` was acknowledged and is lost"
        );
    }
    Ok(found.len())
}

/// Events: numbers without a gap, one completion for each task.
async fn events(client: &Client, tasks: &BTreeMap<TaskId, Task>) -> Result<usize> {
    let mut query = EventQuery {
        after: Some(0),
        limit: Some(PAGE),
        ..EventQuery::default()
    };
    let mut created = BTreeSet::new();
    let mut completions: BTreeMap<TaskId, u32> = BTreeMap::new();
    let mut count = 0;
    let mut last = 0;
    loop {
        let page = client.list_events(&query).await?;
        ensure!(!page.reset, "the first events are gone");
        for event in page.events {
            ensure!(
                event.seq == last + 1,
                "after event {last} comes {}",
                event.seq
            );
            last = event.seq;
            count += 1;
            let Some(id) = event.payload.task_id.clone() else {
                continue;
            };
            match event.kind.as_str() {
                "task:created" => {
                    created.insert(id);
                }
                "task:completed" => *completions.entry(id).or_default() += 1,
                _ => {}
            }
        }
        query.after = Some(page.next_after);
        if !page.has_more {
            break;
        }
    }
    for id in tasks.keys() {
        ensure!(
            created.contains(id),
            "no event tells that `{id}` was created"
        );
        let times = completions.get(id).copied().unwrap_or(0);
        ensure!(
            times == 1,
            "events tell {times} times that `{id}` was completed"
        );
    }
    Ok(count)
}

/// A part that is away is answered with 503; anything else of that family is a bug.
fn no_server_errors(book: &Book) -> Result<()> {
    let wrong = book.read(|book| {
        let of_the_server = |words: &&String| words.starts_with('5') && !words.starts_with("503");
        book.failures.keys().find(of_the_server).cloned()
    });
    match wrong {
        Some(words) => bail!("an instance answered `{words}`"),
        None => Ok(()),
    }
}

/// What `redis-cli` shows is right.
async fn views(site: &Site) -> Result<()> {
    let until = Instant::now() + VIEWS_MAX;
    loop {
        let pending = site.redis.command(&["ZCARD", "tasks:pending"])?;
        let running = site.redis.command(&["EXISTS", "tasks:running"])?;
        if pending == "0" && running == "0" {
            return Ok(());
        }
        if Instant::now() >= until {
            bail!(
                "no task is left, and Redis shows {pending} pending and `tasks:running` {running} times"
            );
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Every slot of every agent can be used: none was lost.
async fn slots(at: &Balanced) -> Result<()> {
    for number in 0..AGENTS {
        let own = sign_on(at, number).await?;
        let id = agent_id(number);
        let task = NewTask {
            parameters: None,
            ..NewTask::of_type("fault".parse()?)
        };
        let batch = &NewTasks {
            tasks: vec![task; CONCURRENCY as usize],
        };
        let key = &IdempotencyKey::random();
        at.call(|client| async move { client.create_task_ids(batch, key).await })
            .await?;
        let claim = &Claim {
            max: Some(CONCURRENCY),
            wait_ms: Some(2_000),
        };
        let mut held: Vec<Task> = Vec::new();
        for _ in 0..CONCURRENCY {
            let id = &id;
            let some = own
                .call(|client| async move { client.claim(id, claim).await })
                .await?;
            held.extend(some.tasks);
            if held.len() >= CONCURRENCY as usize {
                break;
            }
        }
        ensure!(
            held.len() == CONCURRENCY as usize,
            "agent `{id}` has {CONCURRENCY} slots and got {} tasks",
            held.len()
        );
        for task in held {
            let id = &task.task_id;
            at.call(|client| async move { client.cancel_task(id, Some("audited")).await })
                .await?;
            let release = &Release {
                lease: task.lease.clone().unwrap_or_default(),
                ..serde_json::from_value(serde_json::json!({"lease": ""}))?
            };
            // Cancelled while it was held: giving it back ends it.
            let _ = own
                .call(|client| async move { client.release_task(id, release).await })
                .await;
        }
    }
    Ok(())
}
