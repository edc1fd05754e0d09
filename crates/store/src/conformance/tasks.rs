//! Tasks and their payloads.

use std::sync::Arc;

use mcpanel_domain::{Payload, task::State};

use super::{
    Backend, World,
    world::{changed_task, count, namespace, new_task, step, task_id},
};
use crate::{Commit, Write, query::TaskFilter};

/// What is read is what was written.
pub async fn keeps_documents_and_payloads<B: Backend>() {
    let world = World::<B>::open().await;
    let task = world.task("a");
    world.create(&task).await;
    assert_eq!(*world.stored("a").await.unwrap(), task);
    let found = world.payloads(&world.ns, &[task_id("a")]).await.unwrap();
    let payloads = found[0].as_ref().unwrap();
    assert_eq!(payloads.parameters.as_str(), r#"{"of":"a"}"#);
    assert!(payloads.result.is_none());
}

/// A result arrives with a later commit; the parameters stay.
pub async fn a_result_joins_its_parameters<B: Backend>() {
    let world = World::<B>::open().await;
    let task = world.create_all(&["a"]).await.remove(0);
    let done = step(&task, |task| task.state = State::Completed);
    let write = Write::Task {
        task: Arc::new(done.clone()),
        parameters: None,
        result: Some(Payload::parse("[1,2]").unwrap()),
    };
    world.commit(Commit::of(write)).await.unwrap();
    let world = world.restart().await;
    // A change of the ended task that brings no payloads.
    let noted = step(&done, |task| task.metadata = Some(Payload::empty()));
    world.save(&noted).await;
    let found = world.payloads(&world.ns, &[task_id("a")]).await.unwrap();
    let payloads = found[0].as_ref().unwrap();
    assert_eq!(payloads.parameters.as_str(), r#"{"of":"a"}"#);
    assert_eq!(payloads.result.as_ref().unwrap().as_str(), "[1,2]");
}

/// Answers come in the order of the questions, with gaps where nothing is.
pub async fn asks_in_the_order_given<B: Backend>() {
    let world = World::<B>::open().await;
    let ids: Vec<String> = (0..40).map(|n| format!("t{n:02}")).collect();
    for id in &ids {
        let task = world.task(id);
        world.create(&task).await;
        world.end(&task, State::Completed).await;
    }
    let world = world.restart().await;
    let mut asked: Vec<_> = ids.iter().rev().map(|id| task_id(id)).collect();
    asked.insert(7, task_id("nobody"));
    let found = world.tasks(&world.ns, &asked).await.unwrap();
    for (asked, found) in asked.iter().zip(&found) {
        match found {
            Some(task) => assert_eq!(task.id, *asked),
            None => assert_eq!(asked.as_str(), "nobody"),
        }
    }
    assert_eq!(found.iter().flatten().count(), 40);
    let payloads = world.payloads(&world.ns, &asked).await.unwrap();
    assert!(payloads[7].is_none());
    assert_eq!(payloads.iter().flatten().count(), 40);
}

/// The same id in another namespace is another task.
pub async fn namespaces_are_apart<B: Backend>() {
    let world = World::<B>::open().await;
    world.create_all(&["a"]).await;
    let other = namespace("other");
    let found = world.tasks(&other, &[task_id("a")]).await.unwrap();
    assert!(found[0].is_none());
    let mut theirs = world.task("a");
    theirs.namespace = other.clone();
    theirs.priority = 9;
    world.commit(Commit::of(new_task(&theirs))).await.unwrap();
    assert_eq!(world.stored("a").await.unwrap().priority, 0);
    let filter = TaskFilter::default();
    let page = crate::query::Page::first(10);
    let listed = world.list_tasks(&other, &filter, &page).await.unwrap();
    assert_eq!(listed.items.len(), 1);
    assert_eq!(listed.items[0].priority, 9);
    assert_eq!(world.take(&world.offer("worker", 10)).await, ["a"]);
}

/// Payloads of megabytes are kept byte for byte.
pub async fn a_large_payload_survives<B: Backend>() {
    let world = World::<B>::open().await;
    let task = world.task("a");
    let text = format!("\"{}\"", "ä\\n".repeat(700_000));
    let write = Write::Task {
        task: Arc::new(task.clone()),
        parameters: Some(Payload::parse(&text).unwrap()),
        result: None,
    };
    world.commit(Commit::of(write)).await.unwrap();
    world.end(&task, State::Failed).await;
    let world = world.restart().await;
    let found = world.payloads(&world.ns, &[task_id("a")]).await.unwrap();
    assert!(found[0].as_ref().unwrap().parameters.as_str() == text);
}

/// A failed task that is tried again is live again, and ends again.
pub async fn an_ended_task_can_change_and_come_back<B: Backend>() {
    let world = World::<B>::open().await;
    let task = world.create_all(&["a"]).await.remove(0);
    let failed = world.end(&task, State::Failed).await;
    let world = world.restart().await;
    let again = world
        .change(&failed, |task| task.state = State::Pending)
        .await;
    assert_eq!(world.take(&world.offer("worker", 1)).await, ["a"]);
    let world = world.restart().await;
    assert_eq!(world.take(&world.offer("worker", 1)).await, ["a"]);
    let done = step(&again, |task| task.state = State::Completed);
    world.commit(Commit::of(changed_task(&done))).await.unwrap();
    let totals = world.totals(&world.ns).await.unwrap();
    assert_eq!(
        count(&totals.tasks, mcpanel_domain::task::Status::Completed),
        1
    );
    assert_eq!(totals.tasks.iter().sum::<u64>(), 1);
}
