//! Short words for the tests of this store.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use mcpanel_domain::{
    Name, Namespace, Payload, TaskId, Timestamp,
    event::{Event, Kind},
    task::{NewTask, State, Task},
};
use mcpanel_store::{Commit, Receipt, Result, Store, Write};
use mcpanel_store_embedded::{EmbeddedStore, Options};

/// A clock that moves a millisecond with each look.
pub fn ticking() -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    let ms = AtomicI64::new(1_767_323_045_000);
    Arc::new(move || Timestamp::from_ms(ms.fetch_add(1, Ordering::Relaxed)))
}

/// Small segments, so that little work fills several.
pub fn options() -> Options {
    Options {
        segment_bytes: 64 * 1024,
        ..Options::new(ticking())
    }
}

pub fn open(dir: &Path) -> Arc<EmbeddedStore> {
    EmbeddedStore::open(dir, options()).unwrap()
}

pub fn ns() -> Namespace {
    Namespace::default_namespace()
}

pub fn id(n: u64) -> TaskId {
    TaskId::parse(&format!("task_{n:06}")).unwrap()
}

/// A new task with a number.
pub fn task(n: u64) -> Task {
    let new = NewTask::of_type(id(n), Name::parse("work").unwrap());
    let by: Arc<str> = Arc::from("tester");
    let now = Timestamp::from_ms(1_767_323_045_000 + i64::try_from(n).unwrap());
    new.create(&ns(), &by, now).task.unwrap()
}

/// The same task, completed.
pub fn completed(n: u64) -> Task {
    let mut task = task(n);
    task.revision = 2;
    task.state = State::Completed;
    task
}

pub fn parameters(n: u64) -> Payload {
    Payload::parse(&format!("{{\"n\":{n},\"text\":\"{}\"}}", "x".repeat(500))).unwrap()
}

/// The commit that creates a task, with its event.
pub fn create(n: u64) -> Commit {
    let mut event = Event::new(Kind::TaskCreated, Timestamp::ZERO, ns());
    event.task_id = Some(id(n));
    Commit::of(Write::Task {
        task: Arc::new(task(n)),
        parameters: Some(parameters(n)),
        result: None,
    })
    .with_events([event])
}

/// The commit that completes it.
pub fn complete(n: u64) -> Commit {
    let mut event = Event::new(Kind::TaskCompleted, Timestamp::ZERO, ns());
    event.task_id = Some(id(n));
    Commit::of(Write::Task {
        task: Arc::new(completed(n)),
        parameters: None,
        result: Some(Payload::parse(&n.to_string()).unwrap()),
    })
    .with_events([event])
}

/// Creates and completes a task.
pub async fn live_through(store: &dyn Store, n: u64) -> Result<Receipt> {
    store.commit(create(n)).await?;
    store.commit(complete(n)).await
}

/// Whether a task is there as [`live_through`] left it.
pub async fn is_completed(store: &dyn Store, n: u64) -> bool {
    let found = store.tasks(&ns(), &[id(n)]).await.unwrap();
    let payloads = store.payloads(&ns(), &[id(n)]).await.unwrap();
    match (&found[0], &payloads[0]) {
        (Some(task), Some(payloads)) => {
            **task == completed(n)
                && payloads.parameters == parameters(n)
                && payloads.result.as_ref().map(Payload::as_str) == Some(&*n.to_string())
        }
        _ => false,
    }
}
