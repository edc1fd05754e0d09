//! A copy that broke off goes on where it was.

use std::{collections::BTreeMap, sync::Mutex};

use mcpanel_store::{Commit, Write};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_broke_off_goes_on_where_it_was() {
    let (from, to) = (memory(), memory());
    fill(&from.end).await;
    let census = census(&from.end).await;
    // A part of the tasks of the first namespace, as a crash leaves it.
    let mut few = census.clone();
    few.namespaces.truncate(1);
    few.newest_event = 100;
    let page = mcpanel_store::query::Page::first(40);
    let tasks = from
        .end
        .store
        .list_tasks(&namespaces()[0], &Default::default(), &page)
        .await
        .unwrap();
    for task in tasks.items {
        let id = [task.id.clone()];
        let payloads = from
            .end
            .store
            .payloads(&namespaces()[0], &id)
            .await
            .unwrap();
        let commit = Commit {
            writes: vec![Write::Task {
                task,
                parameters: payloads[0].as_ref().map(|both| both.parameters.clone()),
                result: payloads[0].as_ref().and_then(|both| both.result.clone()),
            }],
            import: true,
            ..Commit::default()
        };
        to.end.store.commit(commit).await.unwrap();
    }
    let heard = Mutex::new(BTreeMap::new());
    let hear = |kind: Kind, count: u64| *heard.lock().unwrap().entry(kind).or_insert(0) += count;
    transfer(&from.end, &to.end, &census, &hear).await.unwrap();
    assert_eq!(Census::take(&to.end, &quiet).await.unwrap(), census);
    // Everything is heard of once, also what was there.
    for kind in Kind::ALL {
        let heard = heard.lock().unwrap().get(&kind).copied().unwrap_or(0);
        assert_eq!(heard, census.of(kind).count, "{kind}");
    }
    // And once more changes nothing.
    transfer(&from.end, &to.end, &census, &quiet).await.unwrap();
    assert_eq!(Census::take(&to.end, &quiet).await.unwrap(), census);
}
