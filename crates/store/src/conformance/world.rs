//! What cases are written in: a store with a clock, and short words for documents and their changes.

use std::{
    future::Future,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use mcpanel_domain::{
    AgentId, Name, Namespace, Payload, PipelineId, SessionId, TaskId, Timestamp,
    agent::{Agent, Registration, register},
    event::{Event, Kind},
    limits::LEASE_TTL_MS,
    pipeline::{self, NewPipeline, Pipeline, techdeck},
    task::{Attempt, Lease, NewTask, Place, State, Status, Task},
};

use crate::{Commit, Error, Offer, Receipt, Result, Store, Write};

/// A kind of store, as the suite opens it.
pub trait Backend: Sized + Send + Sync {
    /// A new, empty store with this clock.
    fn open(clock: TestClock) -> impl Future<Output = Self> + Send;
    /// The store.
    fn store(&self) -> Arc<dyn Store>;
    /// The store as a new process finds it.
    fn restart(self) -> impl Future<Output = Self> + Send;
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_767_323_045_000)))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::Relaxed))
    }

    /// Moves on.
    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }

    /// As the function that stores take.
    pub fn reader(&self) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

/// A store under test.
pub struct World<B> {
    backend: B,
    store: Arc<dyn Store>,
    /// Its clock.
    pub clock: TestClock,
    /// The usual namespace.
    pub ns: Namespace,
}

impl<B> Deref for World<B> {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}

impl<B: Backend> World<B> {
    /// A new, empty store.
    pub async fn open() -> Self {
        let clock = TestClock::new();
        let backend = B::open(clock.clone()).await;
        Self {
            store: backend.store(),
            backend,
            clock,
            ns: Namespace::default_namespace(),
        }
    }

    /// The same store after a restart.
    pub async fn restart(self) -> Self {
        drop(self.store);
        let backend = self.backend.restart().await;
        Self {
            store: backend.store(),
            backend,
            clock: self.clock,
            ns: self.ns,
        }
    }

    /// The store, shared.
    pub fn shared(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// A new task of type `work`, not yet stored.
    pub fn task(&self, id: &str) -> Task {
        let new = NewTask::of_type(task_id(id), name("work"));
        let by: Arc<str> = Arc::from("tester");
        new.create(&self.ns, &by, self.clock.now()).task.unwrap()
    }

    /// A new task of a pipeline's stage, not yet stored.
    pub fn stage_task(&self, pipeline: &str, stage: u16, index: u32) -> Task {
        let pipeline_id = pipeline_id(pipeline);
        let mut task = self.task(TaskId::of_stage(&pipeline_id, 1, stage, index).as_str());
        task.place = Some(Place {
            pipeline_id,
            stage,
            index,
            run: 1,
        });
        task
    }

    /// Stores a new task with small parameters.
    pub async fn create(&self, task: &Task) -> Receipt {
        self.commit(Commit::of(new_task(task))).await.unwrap()
    }

    /// Stores a changed task.
    pub async fn save(&self, task: &Task) {
        self.commit(Commit::of(changed_task(task))).await.unwrap();
    }

    /// Stores new tasks of these ids.
    pub async fn create_all(&self, ids: &[&str]) -> Vec<Task> {
        let mut tasks = Vec::new();
        for id in ids {
            let task = self.task(id);
            self.create(&task).await;
            tasks.push(task);
        }
        tasks
    }

    /// Stores a change of a task and answers it.
    pub async fn change(&self, task: &Task, change: impl FnOnce(&mut Task)) -> Task {
        let next = step(task, change);
        self.save(&next).await;
        next
    }

    /// Gives a task to an agent's session.
    pub async fn assign(&self, task: &Task, agent: &str, session: &str) -> Task {
        let next = assigned(task, agent, session, self.clock.now());
        self.save(&next).await;
        next
    }

    /// Ends a task.
    pub async fn end(&self, task: &Task, state: State) -> Task {
        let now = self.clock.now();
        self.change(task, |task| {
            task.state = state;
            task.completed_at = Some(now);
        })
        .await
    }

    /// The task as it is stored.
    pub async fn stored(&self, id: &str) -> Option<Arc<Task>> {
        let found = self.store.tasks(&self.ns, &[task_id(id)]).await.unwrap();
        found.into_iter().next().unwrap()
    }

    /// An offer of an agent that can do `work`.
    pub fn offer(&self, agent: &str, max: u32) -> Offer {
        Offer {
            namespace: self.ns.clone(),
            agent_id: agent_id(agent),
            session: session_id("sess_1"),
            capabilities: vec![name("work")],
            concurrency: 1_000,
            max,
        }
    }

    /// The ids of what an offer is given now.
    pub async fn take(&self, offer: &Offer) -> Vec<String> {
        let tasks = self
            .store
            .take_ready(offer, self.clock.now())
            .await
            .unwrap();
        tasks.iter().map(|task| task.id.to_string()).collect()
    }

    /// A new agent, not yet stored.
    pub fn new_agent(&self, id: &str, session: &str) -> Agent {
        let registration = Registration {
            id: agent_id(id),
            name: id.to_owned(),
            agent_type: name("worker"),
            capabilities: vec![name("work")],
            concurrency: None,
            metadata: Payload::empty(),
            permissions: Vec::new(),
            version: None,
            endpoint_url: None,
            health_check_url: None,
        };
        let decision = register(
            None,
            registration,
            &self.ns,
            session_id(session),
            self.clock.now(),
        );
        decision.unwrap().agent.unwrap()
    }

    /// A new pipeline, not yet stored.
    pub fn new_pipeline(&self, id: &str) -> Pipeline {
        let new = NewPipeline {
            id: pipeline_id(id),
            name: id.to_owned(),
            description: String::new(),
            template: None,
            stages: techdeck::template(&self.ns).stages,
            input_data: Payload::empty(),
            metadata: Payload::empty(),
            tags: Vec::new(),
            priority: 0,
        };
        let created = pipeline::create(new, &self.ns, "tester", self.clock.now());
        created.unwrap().pipeline.unwrap()
    }

    /// An event about a task.
    pub fn event(&self, kind: Kind, task: &str) -> Event {
        let mut event = Event::new(kind, self.clock.now(), self.ns.clone());
        event.task_id = Some(task_id(task));
        event
    }
}

/// The next revision of a task.
pub fn step(task: &Task, change: impl FnOnce(&mut Task)) -> Task {
    let mut next = task.clone();
    next.revision += 1;
    change(&mut next);
    next
}

/// The next revision of a task, given to an agent's session.
pub fn assigned(task: &Task, agent: &str, session: &str, now: Timestamp) -> Task {
    step(task, |task| {
        task.attempt += 1;
        task.attempts.push(Attempt {
            number: task.attempt,
            nonce: 7,
            agent_id: agent_id(agent),
            session: session_id(session),
            assigned_at: now,
            started_at: None,
            ended_at: None,
            outcome: None,
            error: None,
        });
        task.state = State::Assigned(Lease {
            attempt: task.attempt,
            nonce: 7,
            agent_id: agent_id(agent),
            session: session_id(session),
            granted_at: now,
            expires_at: now.plus_ms(LEASE_TTL_MS),
            started_at: None,
        });
    })
}

/// A write of a new task with small parameters.
pub fn new_task(task: &Task) -> Write {
    let parameters = Payload::parse(&format!("{{\"of\":\"{}\"}}", task.id)).unwrap();
    Write::Task {
        task: Arc::new(task.clone()),
        parameters: Some(parameters),
        result: None,
    }
}

/// A write of a changed task.
pub fn changed_task(task: &Task) -> Write {
    Write::Task {
        task: Arc::new(task.clone()),
        parameters: None,
        result: None,
    }
}

/// The conflict that a commit was refused with.
pub fn conflict(outcome: Result<Receipt>) -> crate::Conflict {
    match outcome {
        Err(Error::Conflict(conflict)) => conflict,
        other => panic!("expected a conflict, not {other:?}"),
    }
}

/// How many tasks of a status there are.
pub fn count(totals: &[u64; 7], status: Status) -> u64 {
    let at = Status::ALL.iter().position(|each| *each == status);
    totals[at.unwrap()]
}

pub fn task_id(text: &str) -> TaskId {
    TaskId::parse(text).unwrap()
}

pub fn agent_id(text: &str) -> AgentId {
    AgentId::parse(text).unwrap()
}

pub fn session_id(text: &str) -> SessionId {
    SessionId::parse(text).unwrap()
}

pub fn pipeline_id(text: &str) -> PipelineId {
    PipelineId::parse(text).unwrap()
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub fn namespace(text: &str) -> Namespace {
    Namespace::parse(text).unwrap()
}
