//! Transfers between stores of two kinds, there and back.

use std::{collections::BTreeMap, sync::Mutex};

use futures::stream;
use mcpanel_adapters::{ArtifactFiles, ArtifactStore};
use mcpanel_domain::{
    AgentId, ArtifactId, KeyId, Name, Namespace, Payload, PipelineId, SessionId, TaskId, Timestamp,
    agent::{Registration, register},
    artifact::Artifact,
    event::{Event, Kind as EventKind},
    key::ApiKey,
    log::{Level, Line},
    pipeline::{self, NewPipeline, techdeck},
    task::{NewTask, State, Task},
};
use mcpanel_store::{
    Commit, IdempotencyRecord, Store, Write, memory::MemoryStore, query::EventFilter,
};
use mcpanel_store_embedded::{EmbeddedStore, Options};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;

const NOW: i64 = 1_767_323_045_000;

fn now() -> Timestamp {
    Timestamp::from_ms(NOW)
}

fn namespaces() -> [Namespace; 2] {
    [
        Namespace::default_namespace(),
        Namespace::parse("other").unwrap(),
    ]
}

/// An end with its folder, which goes with it.
struct Place {
    end: End,
    folder: TempDir,
}

fn memory() -> Place {
    let folder = tempfile::tempdir().unwrap();
    Place {
        end: End {
            store: Arc::new(MemoryStore::new(Arc::new(now))),
            files: files(&folder),
        },
        folder,
    }
}

fn embedded() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let store =
        EmbeddedStore::open(folder.path().join("store"), Options::new(Arc::new(now))).unwrap();
    Place {
        end: End {
            store,
            files: files(&folder),
        },
        folder,
    }
}

fn files(folder: &TempDir) -> ArtifactStore {
    ArtifactFiles::new(folder.path().join("artifacts")).into()
}

fn quiet(_: Kind, _: u64) {}

async fn census(end: &End) -> Census {
    Census::take(end, &quiet).await.unwrap()
}

/// One commit after the other, as a server makes them.
struct Filler<'a> {
    end: &'a End,
    namespace: Namespace,
}

impl Filler<'_> {
    async fn commit(&self, writes: Vec<Write>) {
        let mut event = Event::new(EventKind::TaskCreated, now(), self.namespace.clone());
        event.task_id = Some(TaskId::parse("task_any").unwrap());
        let commit = Commit {
            writes,
            events: vec![event],
            ..Commit::default()
        };
        self.end.store.commit(commit).await.unwrap();
    }

    fn task(&self, id: &str, at: i64, dependencies: &[&str]) -> Task {
        let mut new = NewTask::of_type(TaskId::parse(id).unwrap(), Name::parse("work").unwrap());
        new.dependencies = dependencies
            .iter()
            .map(|id| TaskId::parse(id).unwrap())
            .collect();
        let by: Arc<str> = Arc::from("tester");
        new.create(&self.namespace, &by, Timestamp::from_ms(NOW + at))
            .task
            .unwrap()
    }

    async fn create(&self, task: &Task, parameters: &str) {
        self.commit(vec![Write::Task {
            task: Arc::new(task.clone()),
            parameters: Some(Payload::parse(parameters).unwrap()),
            result: None,
        }])
        .await;
    }

    /// Brings a task to its third revision, completed, with two lines of log.
    async fn complete(&self, task: &Task) {
        let mut task = task.clone();
        task.revision += 1;
        task.attempt = 1;
        self.commit(vec![
            Write::Task {
                task: Arc::new(task.clone()),
                parameters: None,
                result: None,
            },
            Write::Logs {
                namespace: self.namespace.clone(),
                task_id: task.id.clone(),
                lines: ["begun", "done"].map(line).into(),
            },
        ])
        .await;
        task.revision += 1;
        task.state = State::Completed;
        task.completed_at = Some(now());
        self.commit(vec![Write::Task {
            task: Arc::new(task),
            parameters: None,
            result: Some(Payload::parse(r#"{"answer": 42}"#).unwrap()),
        }])
        .await;
    }

    async fn artifact(&self, id: &str, bytes: &'static [u8]) {
        let id = ArtifactId::parse(id).unwrap();
        let pieces = stream::iter([Ok::<_, std::io::Error>(::bytes::Bytes::from_static(bytes))]);
        let draft = self.end.files.receive(pieces).await.unwrap();
        draft.keep(&self.namespace, &id).await.unwrap();
        self.commit(vec![Write::Artifact(Arc::new(Artifact {
            id,
            namespace: self.namespace.clone(),
            revision: 1,
            pipeline_id: None,
            stage: None,
            task_id: None,
            attempt: None,
            index: 0,
            name: "data.csv".to_owned(),
            role: "input".to_owned(),
            media_type: "text/csv".to_owned(),
            size_bytes: bytes.len() as u64,
            sha256: Sha256::digest(bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            records: None,
            metadata: Payload::empty(),
            created_at: now(),
            created_by: "tester".to_owned(),
        }))])
        .await;
    }

    /// Some of everything.
    async fn fill(&self) {
        let first = self.task("task_a", 0, &[]);
        // Of the same moment, and listed before what it waits for.
        let second = self.task("task_0", 0, &["task_a"]);
        self.create(
            &first,
            r#"{"text":  "with  spaces", "n": 12345678901234567890}"#,
        )
        .await;
        self.create(&second, "{}").await;
        self.complete(&first).await;
        for n in 0..1_200 {
            let task = self.task(&format!("task_n{n:04}"), 10 + n / 7, &[]);
            self.create(&task, &format!(r#"{{"n":{n}}}"#)).await;
        }
        self.artifact("art_1", b"id,text\n1,hello\n").await;
        self.artifact("art_2", b"").await;
        self.small().await;
    }

    async fn small(&self) {
        let registration = Registration {
            id: AgentId::parse("agent_1").unwrap(),
            name: "one".to_owned(),
            agent_type: Name::parse("worker").unwrap(),
            capabilities: vec![Name::parse("work").unwrap()],
            concurrency: None,
            metadata: Payload::empty(),
            permissions: Vec::new(),
            version: None,
            endpoint_url: None,
            health_check_url: None,
        };
        let session = SessionId::parse("sess_1").unwrap();
        let agent = register(None, registration, &self.namespace, session, now());
        let mut agent = agent.unwrap().agent.unwrap();
        self.commit(vec![Write::Agent(Arc::new(agent.clone()))])
            .await;
        agent.revision += 1;
        self.commit(vec![Write::Agent(Arc::new(agent))]).await;

        let mut template = techdeck::template(&self.namespace);
        for version in 1..=3 {
            template.version = version;
            template.description = format!("version {version}");
            self.commit(vec![Write::Template(Arc::new(template.clone()))])
                .await;
        }
        let new = NewPipeline {
            id: PipelineId::parse("pipe_1").unwrap(),
            name: "one".to_owned(),
            description: String::new(),
            template: None,
            stages: template.stages,
            input_data: Payload::empty(),
            metadata: Payload::empty(),
            tags: Vec::new(),
            priority: 0,
        };
        let created = pipeline::create(new, &self.namespace, "tester", now());
        self.commit(vec![Write::Pipeline(Arc::new(
            created.unwrap().pipeline.unwrap(),
        ))])
        .await;
        self.commit(vec![Write::Key(Arc::new(self.key(1)))]).await;
        self.commit(vec![Write::Key(Arc::new(self.key(2)))]).await;
        self.commit(vec![Write::Idempotency(IdempotencyRecord {
            namespace: self.namespace.clone(),
            key: "caller/key".to_owned(),
            fingerprint: [7; 32],
            outcome: Payload::parse("[1]").unwrap(),
            created_at: now(),
            expires_at: Timestamp::from_ms(NOW + 3_600_000),
        })])
        .await;
    }

    fn key(&self, revision: u64) -> ApiKey {
        ApiKey {
            id: KeyId::parse("key_1").unwrap(),
            namespace: self.namespace.clone(),
            revision,
            name: "one".to_owned(),
            sha256: Sha256::digest(self.namespace.as_str()).into(),
            hint: "mcp_…".to_owned(),
            permissions: Vec::new(),
            created_at: now(),
            created_by: "tester".to_owned(),
            expires_at: None,
            revoked_at: (revision > 1).then(now),
        }
    }
}

fn line(message: &str) -> Line {
    Line {
        seq: 0,
        at: now(),
        attempt: 1,
        level: Level::Info,
        message: message.to_owned(),
    }
}

async fn fill(end: &End) {
    for namespace in namespaces() {
        Filler { end, namespace }.fill().await;
    }
}

async fn move_all(from: &End, to: &End) -> Census {
    let before = census(from).await;
    transfer(from, to, &before, &quiet).await.unwrap();
    let after = census(to).await;
    assert_eq!(after.differences(&before), Vec::new());
    assert_eq!(after, before);
    after
}

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
    assert_eq!(super::Census::take(&to.end, &quiet).await.unwrap(), census);
    // Everything is heard of once, also what was there.
    for kind in Kind::ALL {
        let heard = heard.lock().unwrap().get(&kind).copied().unwrap_or(0);
        assert_eq!(heard, census.of(kind).count, "{kind}");
    }
    // And once more changes nothing.
    transfer(&from.end, &to.end, &census, &quiet).await.unwrap();
    assert_eq!(super::Census::take(&to.end, &quiet).await.unwrap(), census);
}

#[tokio::test]
async fn a_target_that_holds_something_else_is_refused() {
    let (from, to) = (memory(), memory());
    let namespace = Namespace::default_namespace();
    let ours = Filler {
        end: &from.end,
        namespace: namespace.clone(),
    };
    let theirs = Filler {
        end: &to.end,
        namespace,
    };
    let task = ours.task("task_a", 0, &[]);
    ours.create(&task, "{}").await;
    ours.complete(&task).await;
    theirs.create(&task, "{}").await;
    let before = census(&from.end).await;
    let error = transfer(&from.end, &to.end, &before, &quiet)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Different {
                kind: Kind::Task,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_source_that_changes_meanwhile_is_noticed() {
    let (from, to) = (memory(), memory());
    let filler = Filler {
        end: &from.end,
        namespace: Namespace::default_namespace(),
    };
    filler.create(&filler.task("task_a", 0, &[]), "{}").await;
    let before = census(&from.end).await;
    filler.create(&filler.task("task_b", 1, &[]), "{}").await;
    let error = transfer(&from.end, &to.end, &before, &quiet)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::SourceChanged | Error::EventsAhead { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn bytes_that_are_not_what_was_recorded_are_not_copied() {
    let (from, to) = (memory(), memory());
    let filler = Filler {
        end: &from.end,
        namespace: Namespace::default_namespace(),
    };
    filler.artifact("art_1", b"good").await;
    let id = ArtifactId::parse("art_1").unwrap();
    let pieces = stream::iter([Ok::<_, std::io::Error>(::bytes::Bytes::from_static(
        b"evil",
    ))]);
    let draft = from.end.files.receive(pieces).await.unwrap();
    draft.keep(&filler.namespace, &id).await.unwrap();
    let before = census(&from.end).await;
    let error = transfer(&from.end, &to.end, &before, &quiet)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::WrongBytes { .. }), "{error}");
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
