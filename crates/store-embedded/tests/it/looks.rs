//! A page that hardly anything passes ends after a while, and says where.

use std::sync::Arc;

use mcpanel_domain::{
    Name, TaskId, Timestamp,
    task::{NewTask, State},
};
use mcpanel_store::{
    Commit, Store, Write,
    query::{Page, TaskFilter},
};
use mcpanel_store_embedded::{EmbeddedStore, Options};

use crate::support::{ns, options};

fn ended(n: i64) -> Write {
    let id = TaskId::parse(&format!("t{n:04}")).unwrap();
    let new = NewTask::of_type(id, Name::parse("work").unwrap());
    let at = Timestamp::from_ms(1_000 + n);
    let mut task = new.create(&ns(), &Arc::from("tester"), at).task.unwrap();
    task.state = State::Completed;
    task.completed_at = Some(at);
    Write::Task {
        task: Arc::new(task),
        parameters: None,
        result: None,
    }
}

async fn store(dir: &std::path::Path, settled: bool) -> Arc<EmbeddedStore> {
    let few = Options {
        list_looks_max: 50,
        ..options()
    };
    let store = EmbeddedStore::open(dir, few.clone()).unwrap();
    let mut commit = Commit::default();
    commit.writes.extend((0..500).map(ended));
    store.commit(commit).await.unwrap();
    if !settled {
        return store;
    }
    store.close().await;
    drop(store);
    let store = EmbeddedStore::open(dir, few).unwrap();
    // What is in memory lies among what is in the tables.
    let commit = Commit::default().with(ended(1_000)).with(ended(-500));
    store.commit(commit).await.unwrap();
    store
}

#[tokio::test]
async fn pages_end_early_and_lose_nothing() {
    for settled in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), settled).await;
        let filter = TaskFilter {
            ended_before: Some(Timestamp::from_ms(1_007)),
            ..TaskFilter::default()
        };
        let mut page = Page::first(3);
        let (mut seen, mut pages) = (Vec::new(), 0);
        loop {
            let listing = store.list_tasks(&ns(), &filter, &page).await.unwrap();
            seen.extend(listing.items.iter().map(|task| task.id.to_string()));
            pages += 1;
            match listing.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        let mut expected: Vec<String> = (0..7).rev().map(|n| format!("t{n:04}")).collect();
        if settled {
            expected.push("t-500".to_owned());
            assert!(pages > 5, "only {pages} pages");
        }
        assert_eq!(seen, expected);
    }
}
