//! [`TestServer`]: the real router in this process, with its own store, a clock that is moved by hand, seeded randomness
//! and ready-made clients.

mod answer;
mod client;
mod env;
mod masked;
pub mod stores;

use std::{ops::Deref, sync::Arc};

use axum::Router;
use mcpanel_adapters::ArtifactFiles;
use mcpanel_domain::Timestamp;
use mcpanel_guard::{Permission, Secret, Secrets};
use mcpanel_server::{App, mount::BasePath, rates::RateLimits};
use mcpanel_store::Store;
use serde_json::{Value, json};
use tempfile::TempDir;

pub use answer::Answer;
pub use client::Client;
pub use env::TestEnv;
pub use masked::masked;

pub const ADMIN_KEY: &str = "an administrator's key for tests";

/// How a store asks for the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A server under test.
pub struct TestServer {
    pub app: App,
    pub env: Arc<TestEnv>,
    router: Router,
    _artifacts: TempDir,
    _store: Option<TempDir>,
}

/// A signed-on agent.
pub struct TestAgent {
    /// Speaks with the agent's own token.
    pub client: Client,
    pub id: String,
    pub session: String,
}

impl TestServer {
    /// A server with an empty store, on 2 January 2026.
    pub async fn new() -> Self {
        let env = Arc::new(TestEnv::new());
        let opened = stores::open(clock_of(&env)).await;
        Self {
            _store: opened.folder,
            ..Self::begin(env, opened.store)
        }
    }

    /// The same with limits on calls.
    pub async fn limited(rates: RateLimits) -> Self {
        let mut server = Self::new().await;
        server.app.rates = rates;
        server.router = mcpanel_server::router(server.app.clone());
        server
    }

    /// Puts it below a path.
    pub fn below(&mut self, base: BasePath) {
        self.app.base = Some(base);
        self.router = mcpanel_server::router(self.app.clone());
    }

    /// A server over the store that this makes with the server's clock.
    pub fn over(make: impl FnOnce(Clock) -> Arc<dyn Store>) -> Self {
        let env = Arc::new(TestEnv::new());
        let store = make(clock_of(&env));
        Self::begin(env, store)
    }

    fn begin(env: Arc<TestEnv>, store: Arc<dyn Store>) -> Self {
        let secrets = Secrets {
            admin_key: Secret::new(ADMIN_KEY),
            jwt: Secret::new("a secret to sign tokens with in tests"),
        };
        let artifacts = tempfile::tempdir().unwrap();
        let files = ArtifactFiles::new(artifacts.path().to_path_buf());
        let app = App::new(store, env.clone(), &secrets, files);
        Self {
            router: mcpanel_server::router(app.clone()),
            app,
            env,
            _artifacts: artifacts,
            _store: None,
        }
    }

    /// Without credentials.
    pub fn anonymous(&self) -> Client {
        Client::new(self.router.clone())
    }

    /// The administrator.
    pub fn admin(&self) -> Client {
        self.anonymous().with_header("x-api-key", ADMIN_KEY)
    }

    /// The holder of a new API key of this namespace with these permissions.
    pub async fn key(&self, namespace: &str, permissions: &[&str]) -> Client {
        let body = json!({"name": "a test's", "namespace": namespace, "permissions": permissions});
        let made = self.admin().post("/api/v1/keys", body).await.ok(201);
        self.anonymous()
            .with_header("x-api-key", made["api_key"].as_str().unwrap())
    }

    /// A caller of another namespace who may do everything there.
    pub async fn stranger(&self) -> Client {
        let all: Vec<&str> = Permission::ALL.iter().map(|each| each.as_str()).collect();
        self.key("elsewhere", &all).await
    }

    /// Signs an agent on that can do this, with 10 slots.
    pub async fn agent(&self, id: &str, capabilities: &[&str]) -> TestAgent {
        let body = json!({"agent_id": id, "name": id, "type": "tester", "capabilities": capabilities, "concurrency": 10});
        let answer = self.admin().post("/api/v1/agents/register", body).await;
        TestAgent::of(&self.anonymous(), &answer.ok(201))
    }

    /// Makes a task of this type and gives its id.
    pub async fn task(&self, task_type: &str) -> String {
        self.task_with(json!({"task_type": task_type})).await
    }

    /// Makes a task and gives its id.
    pub async fn task_with(&self, body: Value) -> String {
        let made = self.admin().post("/api/v1/tasks", body).await.ok(201);
        made["task_id"].as_str().unwrap().to_owned()
    }

    /// The task as it is.
    pub async fn see(&self, task: &str) -> Value {
        self.admin()
            .get(&format!("/api/v1/tasks/{task}"))
            .await
            .ok(200)
    }

    /// Lets time pass.
    pub fn advance_ms(&self, ms: u64) {
        self.env.advance(ms);
    }

    /// Lets time pass, and the reconcilers do what became due.
    pub async fn live_ms(&self, ms: u64) {
        self.advance_ms(ms);
        loop {
            let round = self.app.control.tick().await.unwrap();
            if round.handled == 0 {
                break;
            }
        }
        self.app.control.sweep().await.unwrap();
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.env.time()
    }

    /// Everything that callers could see change: to show that a refused request changed nothing.
    pub async fn everything(&self) -> Value {
        let admin = self.admin();
        let mut all = serde_json::Map::new();
        for path in [
            "tasks",
            "agents",
            "keys",
            "pipelines",
            "artifacts",
            "templates",
            "operations",
        ] {
            let list = admin.get(&format!("/api/v1/{path}?limit=500")).await;
            all.insert(path.to_owned(), list.ok(200));
        }
        Value::Object(all)
    }
}

fn clock_of(env: &Arc<TestEnv>) -> Clock {
    let env = env.clone();
    Arc::new(move || env.time())
}

impl Deref for TestAgent {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl TestAgent {
    /// The agent of a sign-on's answer.
    pub fn of(anonymous: &Client, signed_on: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let bearer = format!("Bearer {}", text(&signed_on["token"]));
        Self {
            client: anonymous.with_header("authorization", &bearer),
            id: text(&signed_on["agent"]["agent_id"]),
            session: text(&signed_on["session_id"]),
        }
    }

    /// Takes up to `max` tasks without waiting.
    pub async fn claim(&self, max: u32) -> Vec<Value> {
        let path = format!("/api/v1/agents/{}/claim", self.id);
        let claimed = self.client.post(&path, json!({"max": max})).await.ok(200);
        claimed["tasks"].as_array().unwrap().clone()
    }

    /// Takes the only task there is: its id and lease.
    pub async fn claim_one(&self) -> (String, String) {
        let tasks = self.claim(10).await;
        let [task] = tasks.as_slice() else {
            panic!("{} tasks", tasks.len())
        };
        let text = |field: &str| task[field].as_str().unwrap().to_owned();
        (text("task_id"), text("lease"))
    }

    /// Says something about a task in hand.
    pub async fn say(&self, task: &str, verb: &str, body: Value) -> Answer {
        self.client
            .post(&format!("/api/v1/tasks/{task}/{verb}"), body)
            .await
    }

    /// Says that it is alive.
    pub async fn heartbeat(&self, body: Value) -> Answer {
        self.client
            .post(&format!("/api/v1/agents/{}/heartbeat", self.id), body)
            .await
    }
}
