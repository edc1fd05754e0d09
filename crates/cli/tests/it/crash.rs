//! A server under load is killed twenty times. What it acknowledged is there afterwards, and every task ends once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use mcpanel_api::{
    Payload, TaskId,
    agent::{Claim, RegisterAgent},
    event::EventQuery,
    task::{
        AttemptOutcome, Complete, CompleteBatch, Completion, CompletionOutcome, NewTask, NewTasks,
        Task, TaskQuery, TaskStatus,
    },
};
use mcpanel_client::{Client, Credential, Error, IdempotencyKey};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::Server;

/// How often the server is killed.
const ROUNDS: usize = 20;

/// How long it is under load before: long enough for hundreds of commits, short enough for a test.
const ROUND: Duration = Duration::from_millis(500);

/// How many tasks travel together where many do.
const BATCH: u32 = 10;

/// What the server acknowledged.
#[derive(Default)]
struct Acknowledged {
    created: BTreeSet<TaskId>,
    /// With the result that was acknowledged.
    completed: BTreeMap<TaskId, String>,
}

type Book = Arc<Mutex<Acknowledged>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_twenty_kills() {
    let folder = tempfile::tempdir().unwrap();
    let book = Book::default();
    for round in 0..ROUNDS {
        let mut server = Server::start(folder.path());
        let mut load = under_load(&server.client(), round, &book);
        tokio::time::sleep(ROUND).await;
        server.process.kill();
        while let Some(ended) = load.join_next().await {
            ended.unwrap();
        }
    }
    let server = Server::start(folder.path());
    let client = server.client();
    check_acknowledged(&client, &book).await;
    drain(&client, &book).await;
    check_ended_once(&client, &book).await;

    let book = book.lock().unwrap();
    println!(
        "{} created, {} completed",
        book.created.len(),
        book.completed.len()
    );
    assert!(
        book.created.len() > ROUNDS * 20,
        "the server was under load"
    );
    assert!(
        book.completed.len() > ROUNDS * 10,
        "the server was under load"
    );
}

/// Creators and agents that go on until the server is gone.
fn under_load(client: &Client, round: usize, book: &Book) -> JoinSet<()> {
    let mut load = JoinSet::new();
    for _ in 0..2 {
        load.spawn(until_gone(create_singly(client.clone(), book.clone())));
        load.spawn(until_gone(create_batches(client.clone(), book.clone())));
    }
    for number in 0..4 {
        load.spawn(until_gone(work(
            client.clone(),
            number,
            round,
            book.clone(),
        )));
    }
    load
}

/// Only the end of the server may end the load: whatever it answers must be right.
async fn until_gone(load: impl Future<Output = Result<(), Error>>) {
    match load.await {
        Err(Error::Unreachable { .. } | Error::Broken { .. } | Error::Timeout { .. }) => {}
        Err(error) => panic!("the server answered wrongly: {}", error.chain()),
        Ok(()) => panic!("the load ended before the server did"),
    }
}

fn task() -> NewTask {
    NewTask {
        parameters: Some(Payload::of(&json!({"text": "x".repeat(300)})).unwrap()),
        ..NewTask::of_type("crash".parse().unwrap())
    }
}

async fn create_singly(client: Client, book: Book) -> Result<(), Error> {
    loop {
        let made = client
            .create_task(&task(), &IdempotencyKey::random())
            .await?;
        book.lock().unwrap().created.insert(made.task_id);
    }
}

async fn create_batches(client: Client, book: Book) -> Result<(), Error> {
    let batch = NewTasks {
        tasks: vec![task(); BATCH as usize],
    };
    loop {
        let made = client
            .create_task_ids(&batch, &IdempotencyKey::random())
            .await?;
        assert_eq!(made.len(), BATCH as usize);
        book.lock().unwrap().created.extend(made);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn sign_on(client: &Client, number: usize) -> Result<Client, Error> {
    let registration = RegisterAgent {
        agent_id: Some(format!("crash-{number}").parse().unwrap()),
        name: "An agent".to_owned(),
        kind: "test".parse().unwrap(),
        capabilities: vec!["crash".parse().unwrap()],
        concurrency: Some(BATCH),
        version: None,
        endpoint_url: None,
        health_check_url: None,
        metadata: None,
    };
    let signed = client
        .register_agent(&registration, &IdempotencyKey::random())
        .await?;
    client.with_credential(Credential::Token(signed.token))
}

/// An agent under a name that its predecessor in the round before had, too.
async fn work(client: Client, number: usize, round: usize, book: Book) -> Result<(), Error> {
    let agent = sign_on(&client, number).await?;
    let id = format!("crash-{number}").parse().unwrap();
    let claim = Claim {
        max: Some(BATCH),
        wait_ms: Some(200),
    };
    let mut count = 0;
    loop {
        let tasks = agent.claim(&id, &claim).await?.tasks;
        let result = |count: &mut usize| {
            *count += 1;
            json!({"by": format!("{round}.{number}.{count}")}).to_string()
        };
        if number.is_multiple_of(2) {
            for task in tasks {
                complete_singly(&agent, &task, result(&mut count), &book).await?;
            }
        } else if !tasks.is_empty() {
            let results = tasks.iter().map(|_| result(&mut count)).collect();
            complete_together(&agent, tasks, results, &book).await?;
        }
    }
}

async fn complete_singly(
    agent: &Client,
    task: &Task,
    result: String,
    book: &Book,
) -> Result<(), Error> {
    let complete = Complete {
        lease: task.lease.clone().unwrap(),
        result: Some(Payload::parse(&result).unwrap()),
    };
    agent.complete_task(&task.task_id, &complete).await?;
    note(book, &task.task_id, result);
    Ok(())
}

async fn complete_together(
    agent: &Client,
    tasks: Vec<Task>,
    results: Vec<String>,
    book: &Book,
) -> Result<(), Error> {
    let completions = tasks
        .iter()
        .zip(&results)
        .map(|(task, result)| Completion {
            task_id: task.task_id.clone(),
            lease: task.lease.clone().unwrap(),
            result: Some(Payload::parse(result).unwrap()),
        })
        .collect();
    let done = agent.complete_tasks(&CompleteBatch { completions }).await?;
    for ((task, result), outcome) in tasks.iter().zip(results).zip(done.results) {
        assert_eq!(
            outcome.status,
            CompletionOutcome::Completed,
            "{:?}",
            outcome.problem
        );
        note(book, &task.task_id, result);
    }
    Ok(())
}

fn note(book: &Book, id: &TaskId, result: String) {
    let before = book.lock().unwrap().completed.insert(id.clone(), result);
    assert_eq!(before, None, "`{id}` was completed before");
}

/// All tasks there are.
async fn all_tasks(client: &Client) -> BTreeMap<TaskId, Task> {
    let mut query = TaskQuery {
        limit: Some(500),
        ..TaskQuery::default()
    };
    let mut found = BTreeMap::new();
    loop {
        let page = client.list_tasks(&query).await.unwrap();
        found.extend(
            page.tasks
                .into_iter()
                .map(|task| (task.task_id.clone(), task)),
        );
        match page.next_cursor {
            Some(next) => query.cursor = Some(next),
            None => return found,
        }
    }
}

async fn check_acknowledged(client: &Client, book: &Book) {
    let tasks = all_tasks(client).await;
    let book = book.lock().unwrap();
    for id in &book.created {
        assert!(
            tasks.contains_key(id),
            "`{id}` was acknowledged and is lost"
        );
    }
    for (id, result) in &book.completed {
        let task = &tasks[id];
        assert_eq!(
            task.status,
            TaskStatus::Completed,
            "the completion of `{id}` was acknowledged and is lost"
        );
        assert_eq!(
            task.result.as_ref().map(Payload::as_str),
            Some(result.as_str()),
            "`{id}`"
        );
    }
}

/// Completes whatever is left: also what agents held that were killed with the server.
async fn drain(client: &Client, book: &Book) {
    for number in 0..4 {
        let agent = sign_on(client, number).await.unwrap();
        let id = format!("crash-{number}").parse().unwrap();
        let claim = Claim {
            max: Some(BATCH),
            wait_ms: Some(300),
        };
        loop {
            let tasks = agent.claim(&id, &claim).await.unwrap().tasks;
            if tasks.is_empty() {
                break;
            }
            let results = tasks
                .iter()
                .map(|_| json!({"by": "the last"}).to_string())
                .collect();
            complete_together(&agent, tasks, results, book)
                .await
                .unwrap();
        }
    }
}

async fn check_ended_once(client: &Client, book: &Book) {
    let tasks = all_tasks(client).await;
    for (id, task) in &tasks {
        assert_eq!(
            task.status,
            TaskStatus::Completed,
            "`{id}`: {:?}",
            task.error
        );
    }
    let mut completions: BTreeMap<TaskId, u32> = BTreeMap::new();
    let mut query = EventQuery {
        after: Some(0),
        kind: Some("task:completed".to_owned()),
        limit: Some(500),
        ..EventQuery::default()
    };
    loop {
        let page = client.list_events(&query).await.unwrap();
        assert!(!page.reset, "all events are kept");
        for event in page.events {
            *completions
                .entry(event.payload.task_id.unwrap())
                .or_default() += 1;
        }
        query.after = Some(page.next_after);
        if !page.has_more {
            break;
        }
    }
    for id in tasks.keys() {
        assert_eq!(completions.get(id), Some(&1), "`{id}` ends once");
    }
    // The attempts tell the same story; a look at some is enough.
    let some: Vec<TaskId> = book
        .lock()
        .unwrap()
        .completed
        .keys()
        .step_by(50)
        .cloned()
        .collect();
    for id in some {
        let attempts = client.list_attempts(&id).await.unwrap().attempts;
        let won = attempts
            .iter()
            .filter(|attempt| attempt.outcome == Some(AttemptOutcome::Completed))
            .count();
        assert_eq!(won, 1, "{attempts:?}");
    }
}
