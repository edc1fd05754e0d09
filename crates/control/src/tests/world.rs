//! A control over a store in memory, and short words for what tests do with it.

use std::{collections::BTreeMap, sync::Arc};

use mcpanel_domain::{
    AgentId, ArtifactId, Name, Namespace, Payload, PipelineId, SessionId, TaskId, Timestamp,
    agent::Registration,
    artifact::CHUNK_ROLE,
    event::Kind,
    pipeline::{Mode, StageDefinition},
    retry::{BackoffStrategy, ErrorType, RetryConfig},
    task::{NewTask, Proof, Status, Task, TaskError},
};
use mcpanel_store::{
    memory::MemoryStore,
    query::{EventFilter, Page, TaskFilter},
};
use parking_lot::Mutex;

use crate::{
    AgentView, Claim, Claimed, Completion, Control, Env, NewArtifact, PipelineRequest,
    PipelineView, Result, Scope, StagesFrom,
};

/// A clock that stands still until it is moved, and numbers that are the same in every run.
pub struct TestEnv {
    now: Mutex<Timestamp>,
    random: Mutex<u128>,
}

impl Env for TestEnv {
    fn now(&self) -> Timestamp {
        *self.now.lock()
    }

    fn random(&self) -> u128 {
        let mut random = self.random.lock();
        // An odd multiplier visits every number once (Knuth, The Art of Computer Programming 2, 3.2.1).
        *random = random
            .wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645)
            .wrapping_add(1);
        *random
    }
}

pub struct World {
    pub control: Control,
    pub store: Arc<MemoryStore>,
    pub env: Arc<TestEnv>,
    pub scope: Scope,
}

pub fn id(text: &str) -> TaskId {
    TaskId::parse(text).unwrap()
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A stage whose tasks need one skill.
pub fn stage(number: u16, mode: Mode, skill: &str, dependencies: &[u16]) -> StageDefinition {
    StageDefinition {
        number,
        name: format!("stage-{number}"),
        task_type: name(skill),
        capabilities: Vec::new(),
        dependencies: dependencies.to_vec(),
        mode,
        timeout_ms: None,
        retry: RetryConfig::default(),
        parameters: Payload::parse(r#"{"seed":7}"#).unwrap(),
    }
}

impl World {
    pub fn new() -> Self {
        let env = Arc::new(TestEnv {
            now: Mutex::new(Timestamp::from_ms(1_700_000_000_000)),
            random: Mutex::new(1),
        });
        let clock = env.clone();
        let store = MemoryStore::new(Arc::new(move || clock.now()));
        Self::over(store, env)
    }

    fn over(store: MemoryStore, env: Arc<TestEnv>) -> Self {
        let store = Arc::new(store);
        Self {
            control: Control::new(store.clone(), env.clone()),
            store,
            env,
            scope: Scope::new(Namespace::default_namespace(), "tests"),
        }
    }

    /// What a process finds that starts after this one died.
    pub fn restarted(&self) -> Self {
        Self::over(self.store.restarted(), self.env.clone())
    }

    /// A caller of another namespace.
    pub fn stranger(&self) -> Scope {
        Scope::new(Namespace::parse("other").unwrap(), "stranger")
    }

    pub fn as_agent(&self, agent: &str) -> Scope {
        Scope {
            agent: Some(AgentId::parse(agent).unwrap()),
            ..self.scope.clone()
        }
    }

    pub fn now(&self) -> Timestamp {
        self.env.now()
    }

    /// Moves the clock, then does what is due.
    pub async fn pass(&self, ms: u64) {
        self.skip(ms);
        let round = self.control.tick().await.unwrap();
        assert_eq!(round.failed, 0);
    }

    /// Moves the clock alone.
    pub fn skip(&self, ms: u64) {
        let mut now = self.env.now.lock();
        *now = now.plus_ms(ms);
    }

    /// Sets the clock back, as a time daemon does that finds it wrong.
    pub fn set_back(&self, ms: u64) {
        let mut now = self.env.now.lock();
        *now = now.minus_ms(ms);
    }

    pub fn registration(agent: &str, skills: &[&str], slots: u32) -> Registration {
        Registration {
            id: AgentId::parse(agent).unwrap(),
            name: agent.to_owned(),
            agent_type: name("worker"),
            capabilities: skills.iter().map(|skill| name(skill)).collect(),
            concurrency: Some(slots),
            metadata: Payload::empty(),
            permissions: Vec::new(),
            version: None,
            endpoint_url: None,
            health_check_url: None,
        }
    }

    pub async fn agent(&self, agent: &str, skills: &[&str], slots: u32) -> AgentView {
        let registration = Self::registration(agent, skills, slots);
        let created = self
            .control
            .agents
            .register(&self.scope, registration, None);
        created.await.unwrap().value
    }

    pub async fn heartbeat(&self, agent: &str, holds: Option<&[TaskId]>) -> crate::HeartbeatAnswer {
        let agent = AgentId::parse(agent).unwrap();
        let heard = self
            .control
            .agents
            .heartbeat(&self.scope, &agent, None, None, holds)
            .await;
        heard.unwrap()
    }

    /// A task that needs one skill and retries network errors twice, after a second.
    pub fn wish(task: &str, skill: &str) -> NewTask {
        let mut new = NewTask::of_type(id(task), name(skill));
        new.retry = Arc::new(RetryConfig {
            max_retries: 2,
            initial_delay: 1_000,
            max_delay: 1_000,
            backoff_strategy: BackoffStrategy::Fixed,
            retryable_errors: vec![ErrorType::Network],
        });
        new.parameters = Payload::parse(r#"{"text":"hello"}"#).unwrap();
        new
    }

    pub async fn create(&self, new: NewTask) -> Arc<Task> {
        let created = self.control.tasks.create(&self.scope, new, None);
        created.await.unwrap().value.task
    }

    pub async fn task(&self, task: &str, skill: &str) -> Arc<Task> {
        self.create(Self::wish(task, skill)).await
    }

    pub async fn waiting_for(&self, task: &str, dependencies: &[&str]) -> Arc<Task> {
        let mut new = Self::wish(task, "read");
        new.dependencies = dependencies.iter().map(|each| id(each)).collect();
        self.create(new).await
    }

    pub async fn get(&self, task: &str) -> Arc<Task> {
        let view = self.control.tasks.get(&self.scope, &id(task)).await;
        view.unwrap().task
    }

    pub async fn status(&self, task: &str) -> Status {
        self.get(task).await.status()
    }

    pub fn asks(agent: &str, max: u32) -> Claim {
        Claim {
            agent_id: AgentId::parse(agent).unwrap(),
            session: None,
            max,
        }
    }

    pub async fn try_claim(&self, agent: &str, max: u32) -> Result<Vec<Claimed>> {
        self.control
            .tasks
            .claim(&self.scope, &Self::asks(agent, max))
            .await
    }

    pub async fn claim(&self, agent: &str, max: u32) -> Vec<Claimed> {
        self.try_claim(agent, max).await.unwrap()
    }

    /// The ids that a claim brings.
    pub async fn claim_ids(&self, agent: &str, max: u32) -> Vec<String> {
        let claimed = self.claim(agent, max).await;
        claimed
            .iter()
            .map(|each| each.task.id.to_string())
            .collect()
    }

    /// Claims one task that must be this one.
    pub async fn hold(&self, agent: &str, task: &str) -> Proof {
        let claimed = self.claim(agent, 1).await;
        assert_eq!(claimed[0].task.id, id(task));
        claimed[0].proof
    }

    pub async fn start(&self, task: &str, proof: Proof) -> Arc<Task> {
        let started = self
            .control
            .tasks
            .start(&self.scope, &id(task), proof)
            .await;
        started.unwrap()
    }

    pub async fn try_complete(&self, task: &str, proof: Proof) -> Result<Arc<Task>> {
        let completion = Completion {
            task_id: id(task),
            proof,
            result: Some(Payload::parse(r#"{"done":true}"#).unwrap()),
        };
        self.control.tasks.complete(&self.scope, completion).await
    }

    pub async fn complete(&self, task: &str, proof: Proof) -> Arc<Task> {
        self.try_complete(task, proof).await.unwrap()
    }

    pub async fn fail(&self, task: &str, proof: Proof, kind: ErrorType) -> Arc<Task> {
        let error = TaskError::new(kind, "it did not work");
        let failed = self
            .control
            .tasks
            .fail(&self.scope, &id(task), proof, error)
            .await;
        failed.unwrap()
    }

    /// Claims and completes whatever there is, storing so many chunks for each stage's task.
    pub async fn work(&self, agent: &str, chunks: u32) -> Vec<String> {
        let mut done = Vec::new();
        loop {
            let claimed = self.claim(agent, 100).await;
            if claimed.is_empty() {
                return done;
            }
            for each in claimed {
                let task = each.task.id.to_string();
                for index in 0..chunks {
                    self.chunk(&task, each.proof, index).await.unwrap();
                }
                self.complete(&task, each.proof).await;
                done.push(task);
            }
        }
    }

    pub fn artifact(artifact: &str, role: &str) -> NewArtifact {
        NewArtifact {
            id: ArtifactId::parse(artifact).unwrap(),
            pipeline_id: None,
            made_by: None,
            index: 0,
            name: artifact.to_owned(),
            role: role.to_owned(),
            media_type: "application/jsonl".to_owned(),
            size_bytes: 1,
            sha256: "0".repeat(64),
            records: None,
            metadata: Payload::empty(),
        }
    }

    /// Stores a chunk under a lease.
    pub async fn chunk(&self, task: &str, proof: Proof, index: u32) -> Result<()> {
        let new = NewArtifact {
            made_by: Some((id(task), proof)),
            index,
            ..Self::artifact(&format!("{task}.a{}.{index}", proof.attempt), CHUNK_ROLE)
        };
        let stored = self.control.catalog.create_artifact(&self.scope, new, None);
        stored.await.map(drop)
    }

    pub fn run(pipeline: &str, stages: Vec<StageDefinition>) -> PipelineRequest {
        PipelineRequest {
            id: Some(PipelineId::parse(pipeline).unwrap()),
            name: pipeline.to_owned(),
            description: String::new(),
            stages: StagesFrom::Request(stages),
            input_data: Payload::parse(r#"{"source":"x"}"#).unwrap(),
            metadata: Payload::empty(),
            tags: Vec::new(),
            priority: 0,
        }
    }

    /// Creates a pipeline and starts it.
    pub async fn execute(&self, pipeline: &str, stages: Vec<StageDefinition>) -> PipelineView {
        let pipelines = &self.control.pipelines;
        let created = pipelines.create(&self.scope, Self::run(pipeline, stages), None);
        let created = created.await.unwrap().value;
        pipelines
            .execute(&self.scope, &created.pipeline.id)
            .await
            .unwrap()
    }

    pub async fn pipeline(&self, pipeline: &str) -> PipelineView {
        let id = PipelineId::parse(pipeline).unwrap();
        self.control.pipelines.get(&self.scope, &id).await.unwrap()
    }

    /// The tasks of a pipeline by id, with where they stand.
    pub async fn tasks_of(&self, pipeline: &str) -> BTreeMap<String, Status> {
        let filter = TaskFilter {
            pipeline_id: PipelineId::parse(pipeline).ok(),
            ..TaskFilter::default()
        };
        let page = Page::first(1_000);
        let listing = self.control.tasks.list(&self.scope, &filter, &page).await;
        let views = listing.unwrap().items.into_iter();
        views
            .map(|view| (view.task.id.to_string(), view.task.status()))
            .collect()
    }

    /// What happened to a task.
    pub async fn told_of(&self, task: &str) -> Vec<Kind> {
        let filter = EventFilter {
            task_id: Some(id(task)),
            ..EventFilter::default()
        };
        let events = self
            .control
            .events
            .list(&self.scope, &filter, 0, 1_000)
            .await;
        let events = events.unwrap().events.into_iter();
        events.map(|event| event.event.kind).collect()
    }

    pub fn session(view: &AgentView) -> SessionId {
        view.agent.session.id.clone()
    }
}
