//! Stored forms. What a version wrote, every later one reads: the folder `fixtures/form-1` was written by
//! the first release and is never changed; a new form gets a folder beside it.
//!
//! `MCPANEL_WRITE_FIXTURES=1 cargo test -p mcpanel-store-embedded forms::` writes the folder of the present form where
//! there is none yet.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use mcpanel_domain::{
    AgentId, ArtifactId, KeyId, Name, OperationId, Payload, PipelineId, SessionId, TaskId,
    TemplateId, Timestamp,
    agent::{Agent, Health, Liveness, Registration, register},
    artifact::Artifact,
    event::{Event, Kind},
    key::ApiKey,
    log::{Level, Line},
    operation::{self, Cursor, Matched, Operation},
    pipeline::{self, NewPipeline, Pipeline, Template, techdeck},
    retry::{BackoffStrategy, ErrorType, RetryConfig},
    sample::{Activity, ErrorGroup, Sample, minute_of},
    task::{
        Attempt, CancelRequest, Lease, NewTask, Outcome, Place, Progress, Search, State, Status,
        Task, TaskError,
    },
};
use mcpanel_store::{
    Commit, IdempotencyRecord, Store, Write,
    query::{EventFilter, Page, TaskFilter},
};
use mcpanel_store_embedded::{EmbeddedStore, Options};

use crate::support::ns;

/// The form that is written now.
const FORM: &str = "form-3";

/// All that were ever written.
const FORMS: [&str; 3] = ["form-1", "form-2", FORM];

fn now() -> Timestamp {
    Timestamp::from_ms(1_767_323_045_678)
}

fn options() -> Options {
    Options {
        segment_bytes: 4_096,
        ..Options::new(Arc::new(now))
    }
}

fn folder(form: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/fixtures")
        .join(form)
}

/// A task with every field filled.
fn full_task(id: &str, state: State) -> Task {
    let mut new = NewTask::of_type(TaskId::parse(id).unwrap(), Name::parse("work").unwrap());
    new.capabilities = vec![Name::parse("gpu").unwrap(), Name::parse("work").unwrap()];
    new.target = Some(AgentId::parse("ada").unwrap());
    new.place = Some(Place {
        pipeline_id: PipelineId::parse("pipe_1").unwrap(),
        stage: 2,
        index: 3,
        run: 1,
    });
    new.priority = -7;
    new.run_at = Some(now());
    new.deadline = Some(now().plus_ms(99_999));
    new.timeout_ms = Some(5_000);
    new.retry = Arc::new(RetryConfig {
        max_retries: 9,
        initial_delay: 10,
        max_delay: 100,
        backoff_strategy: BackoffStrategy::Linear,
        retryable_errors: vec![ErrorType::Timeout, ErrorType::System],
    });
    new.metadata = Some(Payload::parse(r#"{"note":"ä"}"#).unwrap());
    let mut task = new.create(&ns(), &Arc::from("tester"), now()).task.unwrap();
    let error = TaskError {
        kind: ErrorType::BusinessLogic,
        message: "no".to_owned(),
        details: Some(Payload::parse("[1]").unwrap()),
    };
    task.attempt = 2;
    task.retry_count = 1;
    task.unstarted = 1;
    task.attempts = vec![Attempt {
        number: 1,
        nonce: u128::MAX - 5,
        agent_id: AgentId::parse("ada").unwrap(),
        session: SessionId::parse("sess_1").unwrap(),
        assigned_at: now(),
        started_at: Some(now()),
        ended_at: Some(now()),
        outcome: Some(Outcome::LeaseLost),
        error: Some(error.clone()),
    }];
    task.progress = Progress {
        percent: 12.5,
        message: Some("half".to_owned()),
        counters: vec![(Name::parse("records").unwrap(), 1 << 40)],
    };
    task.cancel_requested = Some(CancelRequest {
        at: now(),
        by: "tester".to_owned(),
        reason: Some("why not".to_owned()),
    });
    task.error = Some(error);
    task.started_at = Some(now());
    task.completed_at = Some(now());
    task.state = state;
    task
}

/// One task in every state, the last ones ended.
fn tasks() -> Vec<Task> {
    let lease = Lease {
        attempt: 2,
        nonce: 3,
        agent_id: AgentId::parse("ada").unwrap(),
        session: SessionId::parse("sess_1").unwrap(),
        granted_at: now(),
        expires_at: now().plus_ms(30_000),
        started_at: Some(now()),
    };
    [
        State::Pending,
        State::Assigned(lease.clone()),
        State::Running(lease),
        State::Retry { at: now() },
        State::Completed,
        State::Failed,
        State::Cancelled,
    ]
    .into_iter()
    .zip(1..)
    .map(|(state, n)| full_task(&format!("task_{n}"), state))
    .collect()
}

fn agent() -> Agent {
    let registration = Registration {
        id: AgentId::parse("ada").unwrap(),
        name: "Ada".to_owned(),
        agent_type: Name::parse("worker").unwrap(),
        capabilities: vec![Name::parse("work").unwrap()],
        concurrency: Some(3),
        metadata: Payload::empty(),
        permissions: vec!["tasks:read".to_owned()],
        version: Some("1.2".to_owned()),
        endpoint_url: Some("http://localhost".to_owned()),
        health_check_url: None,
    };
    let session = SessionId::parse("sess_1").unwrap();
    let decision = register(None, registration, &ns(), session, now());
    let mut agent = decision.unwrap().agent.unwrap();
    agent.liveness = Liveness::Suspect;
    agent.health = Health::Error("no disk".to_owned());
    agent
}

fn pipeline() -> Pipeline {
    let new = NewPipeline {
        id: PipelineId::parse("pipe_1").unwrap(),
        name: "One".to_owned(),
        description: "first".to_owned(),
        template: Some((TemplateId::parse("techdeck").unwrap(), 1)),
        stages: techdeck::template(&ns()).stages,
        input_data: Payload::parse(r#"{"artifacts":[]}"#).unwrap(),
        metadata: Payload::empty(),
        tags: vec!["weekly".to_owned()],
        priority: 4,
    };
    let created = pipeline::create(new, &ns(), "tester", now());
    created.unwrap().pipeline.unwrap()
}

fn template() -> Template {
    Template {
        created_at: now(),
        ..techdeck::template(&ns())
    }
}

fn artifact() -> Artifact {
    Artifact {
        id: ArtifactId::parse("art_1").unwrap(),
        namespace: ns(),
        revision: 1,
        pipeline_id: Some(PipelineId::parse("pipe_1").unwrap()),
        stage: Some(1),
        task_id: Some(TaskId::parse("task_1").unwrap()),
        attempt: Some(2),
        index: 3,
        name: "data.csv".to_owned(),
        role: "chunk".to_owned(),
        media_type: "text/csv".to_owned(),
        size_bytes: 1 << 33,
        sha256: "00ff".to_owned(),
        records: Some(7),
        metadata: Payload::empty(),
        created_at: now(),
        created_by: "tester".to_owned(),
    }
}

fn key() -> ApiKey {
    ApiKey {
        id: KeyId::parse("key_1").unwrap(),
        namespace: ns(),
        revision: 1,
        name: "One".to_owned(),
        sha256: [9; 32],
        hint: "mcp_ab".to_owned(),
        permissions: vec!["tasks:read".to_owned()],
        created_at: now(),
        created_by: "tester".to_owned(),
        expires_at: Some(now()),
        revoked_at: Some(now()),
    }
}

fn idempotency() -> IdempotencyRecord {
    IdempotencyRecord {
        namespace: ns(),
        key: "tester/1".to_owned(),
        fingerprint: [4; 32],
        outcome: Payload::parse(r#"{"id":"task_1"}"#).unwrap(),
        created_at: now(),
        expires_at: now().plus_ms(1),
    }
}

fn line() -> Line {
    Line {
        seq: 1,
        at: now(),
        attempt: 1,
        level: Level::Critical,
        message: "careful".to_owned(),
    }
}

/// An operation with every field filled.
fn operation() -> Operation {
    let at = Some(now());
    Operation {
        id: OperationId::parse("op_1").unwrap(),
        namespace: ns(),
        revision: 1,
        kind: operation::Kind::Cancel,
        search: Search {
            filter: TaskFilter {
                statuses: vec![Status::Failed],
                task_type: Some(Name::parse("work").unwrap()),
                agent_id: Some(agent().id),
                held_by: Some(agent().id),
                pipeline_id: Some(pipeline().id),
                stage: Some(2),
                created_from: at,
                created_before: at,
                updated_from: at,
                updated_before: at,
                ended_from: at,
                ended_before: at,
            },
            text: Some("text".to_owned()),
        },
        status: operation::Status::Running,
        matched: Matched {
            tasks: 5,
            more: true,
        },
        done: 1,
        skipped: 2,
        failed: 3,
        cursor: Some(Cursor {
            created_at: now(),
            id: "task_1".to_owned(),
        }),
        reason: Some("why not".to_owned()),
        error: Some("no".to_owned()),
        created_by: "tester".to_owned(),
        created_at: now(),
        updated_at: now(),
        completed_at: at,
    }
}

/// A sample with every field filled.
fn sample() -> Sample {
    let mut activity = Activity {
        created: 1,
        completed: 2,
        failed: 3,
        cancelled: 4,
        retried: 5,
        other_errors: 6,
        errors: vec![ErrorGroup {
            task_type: Name::parse("work").unwrap(),
            kind: ErrorType::Network,
            message: "no answer".to_owned(),
            count: 3,
            last_task: TaskId::parse("task_1").unwrap(),
            last_at: now(),
        }],
        ..Activity::default()
    };
    activity.wait.record(1_000);
    activity.run.record(50);
    Sample {
        namespace: ns(),
        minute: minute_of(now()),
        tasks: [1, 2, 3, 4, 5, 6, 7],
        ready: 8,
        agents: [1, 2, 3, 4, 5],
        oldest_waiting_ms: Some(9),
        activity,
    }
}

/// One event of every kind, with every field filled.
fn events() -> Vec<Event> {
    Kind::ALL
        .iter()
        .map(|kind| Event {
            kind: *kind,
            at: now(),
            namespace: ns(),
            task_id: Some(TaskId::parse("task_1").unwrap()),
            agent_id: Some(AgentId::parse("ada").unwrap()),
            pipeline_id: Some(PipelineId::parse("pipe_1").unwrap()),
            stage: Some(2),
            status: Some("running".into()),
            progress: Some(0.5),
            message: Some("so it is".to_owned()),
            subject: Some("work".to_owned()),
            by: Some("key:key_1".into()),
        })
        .collect()
}

/// Everything, in one commit.
fn everything() -> Commit {
    let tasks = tasks().into_iter().map(|task| Write::Task {
        parameters: Some(Payload::parse(r#"{"p":1}"#).unwrap()),
        result: Some(Payload::parse(r#"{"r":2}"#).unwrap()),
        task: Arc::new(task),
    });
    let mut commit = Commit::default().with_events(events());
    commit.writes.extend(tasks);
    commit
        .with(Write::Agent(Arc::new(agent())))
        .with(Write::Pipeline(Arc::new(pipeline())))
        .with(Write::Template(Arc::new(template())))
        .with(Write::Artifact(Arc::new(artifact())))
        .with(Write::Key(Arc::new(key())))
        .with(Write::Idempotency(idempotency()))
        .with(Write::Logs {
            namespace: ns(),
            task_id: TaskId::parse("task_1").unwrap(),
            lines: vec![line()],
        })
        .with(Write::Operation(Arc::new(operation())))
        .with(Write::Sample(Arc::new(sample())))
}

/// What form 1 did not have.
async fn assert_history_is_there(store: &dyn Store) {
    let found = store.operation(&ns(), &operation().id).await.unwrap();
    assert_eq!(*found.unwrap(), operation());
    let from = sample().minute;
    let found = store.samples(&ns(), from, from.plus_ms(1)).await.unwrap();
    assert_eq!(*found[0], sample());
    let found = store.activity(&ns(), from).await.unwrap();
    assert_eq!(found.created, 7);
}

async fn assert_everything_is_there(store: &dyn Store, form: &str) {
    for task in tasks() {
        let ids = [task.id.clone()];
        let found = store.tasks(&ns(), &ids).await.unwrap();
        assert_eq!(*found[0].clone().unwrap(), task);
        let payloads = store.payloads(&ns(), &ids).await.unwrap();
        let payloads = payloads[0].as_ref().unwrap();
        assert_eq!(payloads.parameters.as_str(), r#"{"p":1}"#);
        // Who has not ended has no result to show, whatever was handed in.
        if task.status().is_terminal() {
            assert_eq!(payloads.result.as_ref().unwrap().as_str(), r#"{"r":2}"#);
        }
    }
    let page = Page::first(100);
    let filter = TaskFilter {
        agent_id: Some(agent().id),
        pipeline_id: Some(pipeline().id),
        stage: Some(2),
        ..TaskFilter::default()
    };
    let listed = store.list_tasks(&ns(), &filter, &page).await.unwrap();
    assert_eq!(listed.items.len(), tasks().len());
    let found = store.agent(&ns(), &agent().id).await.unwrap();
    assert_eq!(*found.unwrap(), agent());
    let found = store.pipeline(&ns(), &pipeline().id).await.unwrap();
    assert_eq!(*found.unwrap(), pipeline());
    let found = store
        .template(&ns(), &template().id, Some(1))
        .await
        .unwrap();
    assert_eq!(*found.unwrap(), template());
    let found = store.artifact(&ns(), &artifact().id).await.unwrap();
    assert_eq!(*found.unwrap(), artifact());
    let found = store.key_by_hash(&[9; 32]).await.unwrap();
    assert_eq!(*found.unwrap(), key());
    let found = store.idempotency(&ns(), "tester/1").await.unwrap();
    assert_eq!(found.unwrap(), idempotency());
    let found = store.logs(&ns(), &tasks()[0].id, 0, 10).await.unwrap();
    assert_eq!(found, [line()]);
    let found = store
        .events(&ns(), &EventFilter::default(), 0, 1_000)
        .await
        .unwrap();
    let found: Vec<Event> = found.events.iter().map(|each| each.event.clone()).collect();
    let mut wrote = events();
    if form != FORM {
        // Events did not tell yet who caused them.
        wrote.iter_mut().for_each(|event| event.by = None);
    }
    // A later program knows more kinds than an earlier one wrote.
    assert_eq!(found, wrote[..found.len()]);
    assert!(found.len() >= 33, "{} kinds", found.len());
}

fn copy(from: &Path, names: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in names {
        fs::copy(from.join(name), dir.path().join(name)).unwrap();
    }
    dir
}

#[tokio::test]
async fn tables_of_every_form_are_read() {
    for form in FORMS {
        let dir = copy(&folder(form), &["mcpanel.db"]);
        let store = EmbeddedStore::open(dir.path(), options()).unwrap();
        assert_everything_is_there(&*store, form).await;
        if form != "form-1" {
            assert_history_is_there(&*store).await;
        }
    }
}

#[tokio::test]
async fn logs_of_every_form_are_read() {
    for form in FORMS {
        let dir = copy(&folder(form), &["commit-0.log"]);
        let store = EmbeddedStore::open(dir.path(), options()).unwrap();
        assert_everything_is_there(&*store, form).await;
        if form != "form-1" {
            assert_history_is_there(&*store).await;
        }
    }
}

/// What is written now is what the fixture holds: who changes a stored type without a new
/// version finds out here.
#[tokio::test]
async fn the_present_form_is_written_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    store.commit(everything()).await.unwrap();
    let log = fs::read(dir.path().join("commit-0.log")).unwrap();
    store.close().await;
    let fixture = folder(FORM);
    if std::env::var_os("MCPANEL_WRITE_FIXTURES").is_some() && !fixture.exists() {
        fs::create_dir_all(&fixture).unwrap();
        fs::write(fixture.join("commit-0.log"), &log).unwrap();
        fs::copy(dir.path().join("mcpanel.db"), fixture.join("mcpanel.db")).unwrap();
    }
    assert!(
        log == fs::read(fixture.join("commit-0.log")).unwrap(),
        "the stored form changed: it needs a new version in codec.rs, with the old one still read"
    );
}
