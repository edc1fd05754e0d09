//! A dashboard over a store in memory, and a browser without a window.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use mcpanel_control::{Control, Env, NewArtifact, NewKey, PipelineRequest, Scope, StagesFrom};
use mcpanel_domain::{
    AgentId, Name, Namespace, Payload, PipelineId, TaskId, TemplateId, Timestamp,
    agent::Registration,
    artifact::Artifact,
    event::Numbered,
    log::Level,
    retry::ErrorType,
    task::{NewTask, Proof, TaskError},
};
use mcpanel_guard::{ApiKeySecret, Permission, Permissions, Principal, Role, Secret, Tokens};
use mcpanel_store::memory::MemoryStore;
use tokio::sync::watch;

use super::browser::Browser;
use crate::{About, Dashboard, Environment, Host, PartHealth, Person, Refusal, Upload, router};

pub const ADMIN_KEY: &str = "the-administrator";

struct Clock(AtomicU64);

impl Env for Clock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap())
    }

    fn random(&self) -> u128 {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        u128::from(number).wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645) + 1
    }
}

struct Server {
    control: Control,
    env: Arc<Clock>,
    tokens: Tokens,
    stop: watch::Sender<bool>,
    parts: Arc<Mutex<Vec<PartHealth>>>,
}

#[async_trait]
impl Host for Server {
    async fn identify(&self, credential: &str) -> Result<Person, Refusal> {
        let unknown = || Refusal::Credential("the credential is not valid".to_owned());
        if credential == ADMIN_KEY {
            return Ok(Person {
                principal: Principal::admin(),
                name: None,
            });
        }
        if let Ok(secret) = ApiKeySecret::parse(credential) {
            let found = self
                .control
                .catalog
                .valid_key(secret.digest().as_bytes())
                .await;
            let key = found.unwrap().ok_or_else(unknown)?;
            let words = key.permissions.iter().map(String::as_str);
            let principal = Principal {
                role: Role::Key(key.id.clone()),
                namespace: key.namespace.clone(),
                permissions: Permissions::parse(words).unwrap(),
            };
            return Ok(Person {
                principal,
                name: Some(key.name.clone()),
            });
        }
        let principal = self
            .tokens
            .read(credential, self.env.now())
            .map_err(|_| unknown())?;
        let mut name = None;
        if let Role::Key(id) = &principal.role {
            let scope = Scope::new(principal.namespace.clone(), "test");
            let keys = self.control.catalog.keys(&scope).await.unwrap();
            let now = self.env.now();
            let key = keys.iter().find(|key| key.id == *id);
            let key = key.filter(|key| key.is_valid_at(now));
            name = Some(key.ok_or_else(unknown)?.name.clone());
        }
        Ok(Person { principal, name })
    }

    fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    fn random(&self) -> u128 {
        self.env.random()
    }

    fn about(&self) -> About {
        About {
            version: "1.2.3",
            started_at: self.env.now(),
            resident_bytes: None,
            claims_waiting: 0,
        }
    }

    async fn parts(&self) -> Vec<PartHealth> {
        self.parts.lock().unwrap().clone()
    }

    fn request_id(&self) -> Option<String> {
        Some("req_1".to_owned())
    }

    fn event_json(&self, event: &Numbered) -> serde_json::Result<String> {
        let kind = event.event.kind.as_str();
        serde_json::to_string(&serde_json::json!({ "seq": event.seq, "type": kind }))
    }

    fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    async fn store(&self, scope: &Scope, mut upload: Upload) -> Result<Arc<Artifact>, Refusal> {
        let mut size_bytes = 0;
        while let Some(piece) = upload.bytes.next().await {
            let piece = piece.map_err(|error| Refusal::Request(error.to_string()))?;
            size_bytes += piece.len() as u64;
        }
        let new = NewArtifact {
            id: self.control.catalog.new_artifact_id(),
            pipeline_id: None,
            made_by: None,
            index: 0,
            name: upload.name,
            role: "input".to_owned(),
            media_type: upload.media_type,
            size_bytes,
            sha256: "0".repeat(64),
            records: None,
            metadata: Payload::empty(),
        };
        let made = self.control.catalog.create_artifact(scope, new, None).await;
        Ok(made
            .map_err(|error| Refusal::Request(error.to_string()))?
            .value)
    }

    async fn download(&self, artifact: &Artifact, _: &HeaderMap) -> Response {
        let kind = artifact.media_type.clone();
        ([(header::CONTENT_TYPE, kind)], "<script>alert(1)</script>").into_response()
    }
}

pub struct World {
    pub control: Control,
    pub dashboard: Dashboard,
    pub scope: Scope,
    /// What the server says of Redis and other instances.
    pub parts: Arc<Mutex<Vec<PartHealth>>>,
    tokens: Tokens,
    env: Arc<Clock>,
    router: Router,
}

impl World {
    pub fn new() -> Self {
        let env = Arc::new(Clock(AtomicU64::new(1)));
        let clock = env.clone();
        let store = MemoryStore::new(Arc::new(move || clock.now()));
        let control = Control::new(Arc::new(store), env.clone());
        let tokens = Tokens::new(&Secret::new("a secret for tests that is long enough"));
        let parts = Arc::new(Mutex::new(Vec::new()));
        let host = Server {
            control: control.clone(),
            env: env.clone(),
            tokens: tokens.clone(),
            stop: watch::Sender::new(false),
            parts: parts.clone(),
        };
        let dashboard = Dashboard::new(
            control.clone(),
            Arc::new(host),
            Environment::parse("staging"),
        );
        Self {
            router: router(&dashboard),
            dashboard,
            scope: Scope::new(Namespace::default_namespace(), "admin"),
            control,
            parts,
            tokens,
            env,
        }
    }

    /// A key with these permissions.
    pub async fn key(&self, permissions: &[Permission]) -> String {
        self.named_key("test", permissions).await
    }

    /// The same, with this name.
    pub async fn named_key(&self, name: &str, permissions: &[Permission]) -> String {
        let mut random = [0; 32];
        random[..16].copy_from_slice(&self.env.random().to_be_bytes());
        let secret = ApiKeySecret::of(random);
        let permissions: Permissions = permissions.iter().copied().collect();
        let new = NewKey {
            name: name.to_owned(),
            sha256: *secret.digest().as_bytes(),
            hint: secret.hint().to_owned(),
            permissions: permissions.words(),
            namespace: self.scope.namespace.clone(),
            expires_at: None,
        };
        self.control
            .catalog
            .create_key(&self.scope, new, None)
            .await
            .unwrap();
        secret.reveal().to_owned()
    }

    /// A token with every permission, such as a key buys.
    pub fn token(&self) -> String {
        let now = self.env.now();
        self.tokens.issue(&Principal::admin(), 60_000, now, 7).0
    }

    pub async fn task(&self, id: &str, parameters: &str) -> TaskId {
        let id = TaskId::parse(id).unwrap();
        let mut new = NewTask::of_type(id.clone(), Name::parse("bias_detection").unwrap());
        new.parameters = Payload::parse(parameters).unwrap();
        self.control
            .tasks
            .create(&self.scope, new, None)
            .await
            .unwrap();
        id
    }

    /// A pipeline from the built-in template, not begun.
    pub async fn pipeline(&self, id: &str, name: &str, tags: &[&str]) -> PipelineId {
        let id = PipelineId::parse(id).unwrap();
        let request = PipelineRequest {
            id: Some(id.clone()),
            name: name.to_owned(),
            description: String::new(),
            stages: StagesFrom::Template(TemplateId::parse("techdeck").unwrap(), None),
            input_data: Payload::parse(r#"{"text":"hello"}"#).unwrap(),
            metadata: Payload::empty(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            priority: 0,
        };
        let pipelines = &self.control.pipelines;
        pipelines.create(&self.scope, request, None).await.unwrap();
        id
    }

    /// A task that an agent runs and wrote these lines about.
    pub async fn log(&self, id: &str, messages: &[&str]) -> Proof {
        self.task(id, "{}").await;
        let (task, proof) = self.take_next().await;
        self.lines(task.as_str(), proof, messages).await;
        proof
    }

    /// Lets the agent that holds a task write more lines.
    pub async fn lines(&self, id: &str, proof: Proof, messages: &[&str]) {
        let lines = messages.iter();
        let lines = lines.map(|message| (None, Level::Info, (*message).to_owned()));
        let (id, tasks) = (TaskId::parse(id).unwrap(), &self.control.tasks);
        let written = tasks.append_logs(&self.scope, &id, proof, lines.collect());
        written.await.unwrap();
    }

    /// Lets an agent take the oldest task and fail it for good.
    pub async fn fail_next(&self, message: &str) {
        self.fail_next_with(ErrorType::Validation, message).await;
    }

    /// Lets an agent take the oldest task and fail it.
    pub async fn fail_next_with(&self, kind: ErrorType, message: &str) {
        let (task, proof) = self.take_next().await;
        let error = TaskError::new(kind, message);
        let tasks = &self.control.tasks;
        tasks.fail(&self.scope, &task, proof, error).await.unwrap();
    }

    /// Lets an agent take the oldest task and start it.
    async fn take_next(&self) -> (TaskId, Proof) {
        use mcpanel_control::Claim;
        let id = AgentId::parse("worker").unwrap();
        let view = self
            .control
            .agents
            .register(
                &self.scope,
                Registration {
                    id: id.clone(),
                    name: "Worker".to_owned(),
                    agent_type: Name::parse("bias-detector").unwrap(),
                    capabilities: ["bias_detection", "data_ingestion"]
                        .map(|name| Name::parse(name).unwrap())
                        .into(),
                    concurrency: Some(4),
                    metadata: Payload::empty(),
                    permissions: Vec::new(),
                    version: Some("1.0".to_owned()),
                    endpoint_url: None,
                    health_check_url: None,
                },
                None,
            )
            .await
            .unwrap()
            .value;
        let claim = Claim {
            agent_id: id,
            session: Some(view.agent.session.id.clone()),
            max: 1,
        };
        let claimed = self.control.tasks.claim(&self.scope, &claim).await.unwrap();
        let task = &claimed[0].task;
        let proof = task.lease().unwrap().proof();
        self.control
            .tasks
            .start(&self.scope, &task.id, proof)
            .await
            .unwrap();
        (task.id.clone(), proof)
    }

    pub fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            cookies: std::collections::BTreeMap::new(),
        }
    }

    pub async fn signed_in(&self, credential: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(credential).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        browser
    }
}
