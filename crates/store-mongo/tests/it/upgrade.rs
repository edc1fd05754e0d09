//! Databases of former versions of the schema.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use mcpanel_domain::{TaskId, Timestamp, task::Status};
use mcpanel_store::{
    conformance::World,
    query::{Page, TaskFilter},
};
use mongodb::bson::{Bson, Document, doc};

use crate::{mongo_conformance::Mongo, servers, work};

/// Tags and phase of each task.
async fn derived(driver: &mongodb::Database) -> BTreeMap<String, (Vec<Bson>, Option<String>)> {
    let tasks = driver.collection::<Document>("tasks");
    let found = tasks.find(doc! {}).await.unwrap();
    let found: Vec<Document> = found.try_collect().await.unwrap();
    let read = |task: &Document| {
        let tags = task.get_array("tags").unwrap().clone();
        let phase = task.get_str("phase").ok().map(str::to_owned);
        (task.get_str("task_id").unwrap().to_owned(), (tags, phase))
    };
    found.iter().map(read).collect()
}

/// Makes the tasks look as version 1 had them.
async fn back_to_1(driver: &mongodb::Database) {
    let tasks = driver.collection::<Document>("tasks");
    for name in ["by_tag", "by_phase"] {
        tasks.drop_index(name).await.unwrap();
    }
    let pipelines = driver.collection::<Document>("pipelines");
    pipelines.drop_index("by_template").await.unwrap();
    let index = |name: &str, field: &str| {
        doc! {
            "name": name, "key": { field: 1 },
            "partialFilterExpression": { field: { "$exists": true } },
        }
    };
    let newest =
        doc! { "name": "newest", "key": { "namespace": 1, "created_at": -1, "task_id": -1 } };
    let indexes = vec![newest, index("live", "live_in"), index("later", "later_at")];
    driver
        .run_command(doc! { "createIndexes": "tasks", "indexes": indexes })
        .await
        .unwrap();
    let steps = vec![
        doc! { "$set": { "ready_class": "$queue_class", "live_in": "default/pipe_1" } },
        doc! { "$unset": ["tags", "phase"] },
    ];
    tasks.update_many(doc! {}, steps).await.unwrap();
    driver
        .collection::<Document>("meta")
        .update_one(
            doc! { "_id": "schema" },
            doc! { "$set": { "version": 1_i64 } },
        )
        .await
        .unwrap();
}

/// What MongoDB works out of stored tasks is what is written with a change, whichever of the two did it.
#[tokio::test]
async fn tasks_of_version_1_are_found_again() {
    let world = World::<Mongo>::open().await;
    let Some(driver) = servers::newest_here().await else {
        return;
    };
    work::everything(&world).await;
    let mut waits = world.task("waits");
    waits.dependencies = [TaskId::parse("t02").unwrap()].into();
    world.create(&waits).await;
    let mut later = world.task("later");
    // The year 2100: later by whichever clock.
    later.run_at = Some(Timestamp::from_ms(4_102_444_800_000));
    world.create(&later).await;
    let mut expected = derived(&driver).await;
    for (id, (_, phase)) in &mut expected {
        // The test's clock is behind the server's, by which these are ready.
        if phase
            .as_ref()
            .is_some_and(|phase| id != "later" && phase.starts_with("later/"))
        {
            *phase = Some("ready/default/work".to_owned());
        }
    }
    let phases: Vec<&str> = expected
        .values()
        .filter_map(|(_, phase)| phase.as_deref()?.split('/').next())
        .collect();
    for kind in ["ready", "later", "held", "waiting", "doomed"] {
        assert!(phases.contains(&kind), "no task is {kind}: {phases:?}");
    }
    back_to_1(&driver).await;

    let world = world.restart().await;

    assert_eq!(derived(&driver).await, expected);
    let tasks = driver.collection::<Document>("tasks");
    let mut names = tasks.list_index_names().await.unwrap();
    names.sort();
    assert_eq!(names, ["_id_", "by_id", "by_phase", "by_tag", "due"]);
    let pipelines = driver.collection::<Document>("pipelines");
    let names = pipelines.list_index_names().await.unwrap();
    assert!(names.iter().any(|name| name == "by_template"), "{names:?}");
    let old = doc! { "$or": [{ "ready_class": { "$exists": true } }, { "live_in": { "$exists": true } }] };
    assert_eq!(tasks.count_documents(old).await.unwrap(), 0);
    let pending = TaskFilter {
        statuses: vec![Status::Pending],
        ..TaskFilter::default()
    };
    let page = Page::first(100);
    let listed = world.list_tasks(&world.ns, &pending, &page).await.unwrap();
    let by_count = world
        .totals(&world.ns)
        .await
        .unwrap()
        .of(&[Status::Pending]);
    assert_eq!(listed.items.len() as u64, by_count);
    assert!(!world.take(&world.offer("worker", 5)).await.is_empty());
    assert!(world.next_due().await.unwrap().is_some());
}
