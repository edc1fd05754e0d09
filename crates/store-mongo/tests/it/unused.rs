//! Large values that nothing refers to any more.

use std::sync::Arc;

use mcpanel_domain::{
    Payload,
    retry::ErrorType,
    task::{Task, TaskError},
};
use mcpanel_store::{Commit, Store, Write, conformance};
use mcpanel_store_mongo::MongoStore;
use mongodb::bson::{Document, doc};

use crate::{
    rivals::task,
    servers::{Database, newest_here},
};

const HOUR_MS: u64 = 3_600_000;

/// Text that takes two chunks.
fn large(letter: &str) -> Payload {
    Payload::parse(&format!("\"{}\"", letter.repeat(5_000_000))).unwrap()
}

async fn save(store: &MongoStore, task: &Task, result: Option<&Payload>) {
    let write = Write::Task {
        task: Arc::new(task.clone()),
        parameters: (task.revision == 1).then(Payload::empty),
        result: result.cloned(),
    };
    store.commit(Commit::of(write)).await.unwrap();
}

/// They go when they were not used for long, and can come again.
#[tokio::test]
async fn what_nothing_refers_to_goes() {
    let Some(database) = Database::new() else {
        return;
    };
    let store = MongoStore::open(database.settings(), None).await.unwrap();
    let driver = newest_here().await.unwrap();
    let chunks = driver.collection::<Document>("payloads");
    let mut deep = task("deep");
    deep.error = Some(TaskError {
        kind: ErrorType::System,
        message: "too much".to_owned(),
        details: Some(Payload::parse(&format!("\"{}\"", "d".repeat(40_000))).unwrap()),
    });
    save(&store, &deep, None).await;
    let first = task("a");
    save(&store, &first, Some(&large("x"))).await;
    let second = conformance::step(&first, |_| {});
    save(&store, &second, Some(&large("y"))).await;
    let count = async || chunks.count_documents(doc! {}).await.unwrap();
    assert_eq!(
        count().await,
        5,
        "two chunks of each result, and the details"
    );
    let recent = store.now().minus_ms(HOUR_MS);
    assert_eq!(store.forget_unused_values(recent).await.unwrap(), 0);
    assert_eq!(count().await, 5, "what was of use not long ago stays");

    let everything = store.now().plus_ms(HOUR_MS);
    assert_eq!(store.forget_unused_values(everything).await.unwrap(), 1);

    assert_eq!(count().await, 3, "what is referred to stays, however deep");
    let found = store
        .tasks(&deep.namespace, std::slice::from_ref(&deep.id))
        .await;
    assert_eq!(*found.unwrap()[0].clone().unwrap(), deep);
    let third = conformance::step(&second, |_| {});
    save(&store, &third, Some(&large("x"))).await;
    let found = store
        .payloads(&third.namespace, std::slice::from_ref(&third.id))
        .await;
    let result = found.unwrap()[0].clone().unwrap().result.unwrap();
    assert!(result == large("x"));
    store.close().await;
}
