//! One of everything, as a server makes it.

use futures::stream;
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
use mcpanel_store::{Commit, IdempotencyRecord, Write};
use sha2::{Digest as _, Sha256};

use super::{super::*, NOW, now};

/// One commit after the other, as a server makes them.
pub struct Filler<'a> {
    pub end: &'a End,
    pub namespace: Namespace,
}

impl Filler<'_> {
    pub async fn commit(&self, writes: Vec<Write>) {
        let mut event = Event::new(EventKind::TaskCreated, now(), self.namespace.clone());
        event.task_id = Some(TaskId::parse("task_any").unwrap());
        let commit = Commit {
            writes,
            events: vec![event],
            ..Commit::default()
        };
        self.end.store.commit(commit).await.unwrap();
    }

    pub fn task(&self, id: &str, at: i64, dependencies: &[&str]) -> Task {
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

    pub async fn create(&self, task: &Task, parameters: &str) {
        self.commit(vec![Write::Task {
            task: Arc::new(task.clone()),
            parameters: Some(Payload::parse(parameters).unwrap()),
            result: None,
        }])
        .await;
    }

    /// Brings a task to its third revision, completed, with two lines of log.
    pub async fn complete(&self, task: &Task) {
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

    pub async fn artifact(&self, id: &str, bytes: &'static [u8]) {
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
    pub async fn fill(&self) {
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

/// A line of a log.
pub fn line(message: &str) -> Line {
    Line {
        seq: 0,
        at: now(),
        attempt: 1,
        level: Level::Info,
        message: message.to_owned(),
    }
}
