//! Everything arrives, and what stores derive from it.

use mcpanel_store::{Store, query::EventFilter};

use super::{
    logs::{fill_with_log, long_log},
    *,
};

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_there_and_back() {
    let (first, second, third) = (memory(), embedded(), memory());
    fill(&first.end).await;
    let moved = move_all(&first.end, &second.end).await;
    assert_eq!(moved.of(Kind::Task).count, 2 * 1_202);
    assert_eq!(moved.of(Kind::Template).count, 2 * 3);
    assert_eq!(moved.of(Kind::Bytes).count, 2 * 2);
    for kind in [Kind::Key, Kind::Agent, Kind::Pipeline, Kind::Idempotency] {
        assert_eq!(moved.of(kind).count, 2, "{kind}");
    }
    assert!(moved.of(Kind::Event).count > 2 * 1_200);
    move_all(&second.end, &third.end).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_from_documents_is_derived_in_the_target() {
    let (from, to) = (memory(), embedded());
    fill(&from.end).await;
    move_all(&from.end, &to.end).await;
    for namespace in namespaces() {
        let totals = to.end.store.totals(&namespace).await.unwrap();
        assert_eq!(totals, from.end.store.totals(&namespace).await.unwrap());
        // The task whose dependency is completed is ready with the others.
        assert_eq!(totals.ready, 1_201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_target_keeps_everything_over_a_restart() {
    let (from, to) = (memory(), embedded());
    fill(&from.end).await;
    // As in a store whose first events were forgotten.
    let moved = move_all(&from.end, &to.end).await;
    let Place { end, folder } = to;
    drop(end);
    let options = Options::new(Arc::new(now));
    let store = EmbeddedStore::open(folder.path().join("store"), options).unwrap();
    let end = End {
        store,
        files: files(&folder),
    };
    assert_eq!(census(&end).await, moved);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_keep_their_numbers_where_the_first_ones_were_forgotten() {
    let (from, to) = (memory(), embedded());
    from.end.store.number_events_from(500).await.unwrap();
    fill(&from.end).await;
    let moved = move_all(&from.end, &to.end).await;
    assert_eq!(moved.events_from, 500);
    let Place { end, folder } = to;
    drop(end);
    let options = Options::new(Arc::new(now));
    let store = EmbeddedStore::open(folder.path().join("store"), options).unwrap();
    let all = EventFilter::default();
    let events = store.events(&namespaces()[0], &all, 0, 10).await.unwrap();
    assert_eq!((events.first_kept, events.events[0].seq), (500, 500));
    assert_eq!(events.last, moved.newest_event);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_in_mongodb_and_comes_back() {
    let Some(uri) = mcpanel_test_servers::given(mcpanel_test_servers::MONGODB_URI) else {
        return;
    };
    let (address, options) = uri.split_once("/?").unwrap_or((&uri, ""));
    let name = format!("transfer-{}", mongodb::bson::oid::ObjectId::new());
    let uri = format!("{}/{name}?{options}", address.trim_end_matches('/'));
    let settings = mcpanel_store_mongo::Settings {
        clock: Some(Arc::new(now)),
        ..mcpanel_store_mongo::Settings::new(&uri)
    };
    let store = mcpanel_store_mongo::MongoStore::open(settings, None)
        .await
        .unwrap();
    let mongo = End {
        store: store.clone(),
        files: mcpanel_adapters::GridFs::connect(&uri)
            .await
            .unwrap()
            .into(),
    };
    let (from, back) = (memory(), memory());
    from.end.store.number_events_from(500).await.unwrap();
    fill(&from.end).await;
    fill_with_log(&from.end, &long_log()).await;
    let moved = move_all(&from.end, &mongo).await;
    assert_eq!(moved.events_from, 500);
    for namespace in namespaces() {
        let totals = store.totals(&namespace).await.unwrap();
        assert_eq!(totals, from.end.store.totals(&namespace).await.unwrap());
    }
    // A second time there is nothing to do, and nothing changes.
    move_all(&from.end, &mongo).await;
    move_all(&mongo, &back.end).await;
    store.close().await;
    let client = mongodb::Client::with_uri_str(&uri).await.unwrap();
    client.database(&name).drop().await.unwrap();
}
