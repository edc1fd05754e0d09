//! What an operator sees in MongoDB, and what must fit into it.

use std::sync::Arc;

use mcpanel_domain::{Payload, pipeline::StageStatus, task::State};
use mcpanel_store::{
    Commit, Write,
    conformance::{self, World},
};
use mongodb::bson::{Bson, Document, doc};

use crate::{mongo_conformance::Mongo, servers, work};

async fn one(driver: &mongodb::Database, collection: &str, filter: Document) -> Document {
    let found = driver
        .collection(collection)
        .find_one(filter)
        .await
        .unwrap();
    found.unwrap_or_else(|| panic!("no such document in `{collection}`"))
}

/// The specification's fields, by its names, with its types.
#[tokio::test]
async fn documents_have_the_specified_fields() {
    let world = World::<Mongo>::open().await;
    let Some(driver) = servers::newest_here().await else {
        return;
    };
    work::everything(&world).await;
    let task = one(&driver, "tasks", doc! { "task_id": "pipe_1.s1.000000" }).await;
    assert!(matches!(task.get("_id"), Some(Bson::ObjectId(_))));
    for (field, text) in [
        ("pipeline_id", "pipe_1"),
        ("task_type", "work"),
        ("status", "assigned"),
        ("assigned_agent_id", "worker"),
    ] {
        assert_eq!(task.get_str(field).unwrap(), text, "{field}");
    }
    assert_eq!(task.get_i32("stage").unwrap(), 1);
    assert_eq!(task.get_i64("max_retries").unwrap(), 3);
    assert_eq!(task.get_i32("priority").unwrap(), 0);
    for field in ["created_at", "updated_at"] {
        assert!(task.get_datetime(field).is_ok(), "{field} is a date");
    }
    let parameters = task.get_document("parameters").unwrap();
    assert_eq!(parameters.get_str("of").unwrap(), "pipe_1.s1.000000");
    assert!(task.get_array("dependencies").unwrap().is_empty());

    let agent = one(&driver, "agents", doc! { "agent_id": "worker" }).await;
    for (field, text) in [("type", "worker"), ("status", "active"), ("name", "worker")] {
        assert_eq!(agent.get_str(field).unwrap(), text, "{field}");
    }
    assert!(agent.get_datetime("last_heartbeat").is_ok());
    assert!(agent.get_datetime("registered_at").is_ok());
    assert_eq!(agent.get_array("capabilities").unwrap().len(), 1);

    let pipeline = one(&driver, "pipelines", doc! { "pipeline_id": "pipe_1" }).await;
    assert_eq!(pipeline.get_str("status").unwrap(), "created");
    let stages = pipeline.get_array("stages").unwrap();
    let Some(Bson::Document(first)) = stages.first() else {
        panic!("stages are documents");
    };
    assert_eq!(first.get_i32("stage").unwrap(), 1);
    assert_eq!(first.get_str("status").unwrap(), "pending");
    assert!(first.get_array("tasks").unwrap().is_empty());
    assert!(first.get_array("dependencies").is_ok());
}

/// A stage of a hundred thousand tasks lists the first thousand.
#[tokio::test]
async fn a_pipeline_of_many_tasks_fits() {
    let world = World::<Mongo>::open().await;
    let Some(driver) = servers::newest_here().await else {
        return;
    };
    let mut pipeline = world.new_pipeline("pipe_1");
    for stage in &mut pipeline.stages {
        stage.total = 100_000;
        stage.status = StageStatus::Running;
    }
    let commit = Commit::of(Write::Pipeline(Arc::new(pipeline.clone())));
    world.commit(commit).await.unwrap();
    let found = world.pipeline(&world.ns, &pipeline.id).await.unwrap();
    assert_eq!(*found.unwrap(), pipeline);
    let stored = one(&driver, "pipelines", doc! {}).await;
    let Some(Bson::Document(first)) = stored.get_array("stages").unwrap().first() else {
        panic!("stages are documents");
    };
    let tasks = first.get_array("tasks").unwrap();
    assert_eq!(tasks.len(), 1_000);
    assert_eq!(tasks[7].as_str().unwrap(), "pipe_1.s1.000007");
}

/// The largest input and output there can be, of lists of small numbers, which BSON makes five times larger.
#[tokio::test]
async fn the_largest_payloads_fit_and_are_stored_once() {
    let world = World::<Mongo>::open().await;
    let Some(driver) = servers::newest_here().await else {
        return;
    };
    let numbers = vec!["7"; mcpanel_domain::limits::PAYLOAD_BYTES_MAX / 2 - 1].join(",");
    let large = Payload::parse(&format!("[{numbers}]")).unwrap();
    for id in ["a", "b"] {
        let write = Write::Task {
            task: Arc::new(world.task(id)),
            parameters: Some(large.clone()),
            result: Some(large.clone()),
        };
        world.commit(Commit::of(write)).await.unwrap();
    }
    let ids = ["a", "b"].map(|id| mcpanel_domain::TaskId::parse(id).unwrap());
    for found in world.payloads(&world.ns, &ids).await.unwrap() {
        let found = found.unwrap();
        assert!(found.parameters == large && found.result.unwrap() == large);
    }
    let chunks = driver.collection::<Document>("payloads");
    assert_eq!(chunks.count_documents(doc! {}).await.unwrap(), 2);
}

/// What Python writes by default, with spaces and escapes, is an object like any other to who looks with `mongosh`.
#[tokio::test]
async fn json_with_spaces_and_escapes_is_an_object() {
    let world = World::<Mongo>::open().await;
    let task = world.task("t");
    let text = "{\"text\": \"it\\u2019s \\u00e4\", \"scores\": [0.5, 1]}";
    let write = Write::Task {
        task: Arc::new(task.clone()),
        parameters: Some(Payload::parse(text).unwrap()),
        result: None,
    };
    world.commit(Commit::of(write)).await.unwrap();
    let Some(driver) = servers::newest_here().await else {
        return;
    };
    let tasks = driver.collection::<Document>("tasks");
    let wanted = doc! { "parameters.text": "it’s ä", "parameters.scores": 0.5 };
    let found = tasks.find_one(wanted).await.unwrap().expect("it is found");
    assert!(!found.contains_key("parameters_json"), "{found}");
}

/// JSON comes back byte for byte, also where BSON would not keep it, and as older programs wrote it.
#[tokio::test]
async fn any_json_comes_back_as_it_was() {
    let world = World::<Mongo>::open().await;
    for (n, text) in [
        "{}",
        "null",
        "[]",
        "\"\\u0000 and \\ud83d\\ude00\"",
        "{ \"spaced\" : 1 }",
        "{\"$set\":{\"a.b\":1}}",
        "{\"a\":1,\"a\":2}",
        "{\"\":{\"\\u0000\":1}}",
        "[1.0,1e400,-0,12345678901234567890,0.1,1E5]",
        "{\"dotted.name\":[true,false,null,{\"x\":-9223372036854775808}]}",
    ]
    .into_iter()
    .enumerate()
    {
        let payload = Payload::from_stored(text);
        let mut task = world.task(&format!("t{n}"));
        task.metadata = Some(payload.clone());
        let write = Write::Task {
            task: Arc::new(task.clone()),
            parameters: Some(payload.clone()),
            result: Some(payload),
        };
        world.commit(Commit::of(write)).await.unwrap();
        let found = world.payloads(&world.ns, &[task.id.clone()]).await.unwrap();
        let found = found[0].as_ref().unwrap();
        assert_eq!(found.parameters.as_str(), text);
        assert_eq!(found.result.as_ref().unwrap().as_str(), text);
        assert_eq!(*world.stored(task.id.as_str()).await.unwrap(), task);
    }
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let task = world.task("deep");
    let write = Write::Task {
        task: Arc::new(task.clone()),
        parameters: Some(Payload::parse(&deep).unwrap()),
        result: None,
    };
    world.commit(Commit::of(write)).await.unwrap();
    let found = world.payloads(&world.ns, &[task.id]).await.unwrap();
    assert_eq!(found[0].as_ref().unwrap().parameters.as_str(), deep);
}

/// Changes of many tasks are one statement, and each task gets its own values, of any kind.
#[tokio::test]
async fn tasks_that_change_together_keep_their_own_values() {
    const RESULTS: [&str; 8] = [
        "{\"dotted.name\":{\"$inner\":1},\"n\":null}",
        "[1,1.0,-0.0,2147483648,0.1,[],{}]",
        "\"$task_id\"",
        "{\"$literal\":\"$$ROOT\"}",
        "null",
        "true",
        "{\"\":{\"x\":[[[{\"y\":\"z\"}]]]}}",
        "-9223372036854775808",
    ];
    let world = World::<Mongo>::open().await;
    let mut held = Vec::new();
    let ids: Vec<String> = (0..RESULTS.len()).map(|n| format!("t{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let created = world.create_all(&ids).await;
    for (n, task) in created.iter().enumerate() {
        held.push(world.assign(task, &format!("agent{n}"), "sess_1").await);
    }
    let mut completion = Commit::default();
    let mut done = Vec::new();
    for (task, result) in held.iter().zip(RESULTS) {
        let next = conformance::step(task, |task| {
            task.state = State::Completed;
            task.metadata = Some(Payload::parse(result).unwrap());
        });
        completion.writes.push(Write::Task {
            task: Arc::new(next.clone()),
            parameters: None,
            result: Some(Payload::parse(result).unwrap()),
        });
        done.push(next);
    }
    world.commit(completion).await.unwrap();

    for (task, result) in done.iter().zip(RESULTS) {
        assert_eq!(*world.stored(task.id.as_str()).await.unwrap(), *task);
        let found = world
            .payloads(&world.ns, std::slice::from_ref(&task.id))
            .await
            .unwrap();
        let found = found[0].as_ref().unwrap();
        assert_eq!(found.result.as_ref().unwrap().as_str(), result);
    }
    let mut stale = Commit::default();
    for task in &held {
        stale.writes.push(Write::Task {
            task: Arc::new(task.clone()),
            parameters: None,
            result: None,
        });
    }
    let refused = world.commit(stale).await;
    assert!(matches!(refused, Err(mcpanel_store::Error::Conflict(_))));
}
