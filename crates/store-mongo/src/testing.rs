//! Redis servers for tests, as the environment names them (`cargo xtask servers`).

use std::{
    collections::BTreeMap,
    future::Future,
    hash::{BuildHasher, Hasher, RandomState},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use mcpanel_domain::{
    AgentId, Name, Namespace, Payload, PipelineId, SessionId, TaskId, Timestamp,
    agent::{Agent, Registration, register},
    event::{Event, Kind, Numbered},
    limits::LEASE_TTL_MS,
    pipeline::{Pipeline, StageCounts},
    task::{Attempt, Lease, NewTask, Place, State, Task},
};
use mcpanel_store::{Offer, Result, query::Position};
use parking_lot::Mutex;

use crate::{
    Change, Shared, SharedSettings,
    keys::Keys,
    link::{Address, Link},
    queue::Queue,
    source::{Source, Standing},
};

const SINGLE: &str = "MCPANEL_TEST_REDIS_URL";
const CLUSTER: &str = "MCPANEL_TEST_REDIS_CLUSTER_URL";
const REQUIRED: &str = "MCPANEL_TEST_REQUIRE_SERVERS";

/// The servers that were given, each as URL and read; says what is skipped for want of one.
pub(crate) fn servers() -> Vec<(String, Address)> {
    let mut given = Vec::new();
    for variable in [SINGLE, CLUSTER] {
        match std::env::var(variable).ok().filter(|url| !url.is_empty()) {
            Some(url) => given.push((url.clone(), Address::parse(&url).unwrap())),
            None => {
                assert!(
                    std::env::var(REQUIRED).as_deref() != Ok("1"),
                    "no server: {variable} is not set, and {REQUIRED}=1 asks for one"
                );
                eprintln!("skipped: {variable} is not set; see `cargo xtask servers`");
            }
        }
    }
    given
}

/// A name that no other test uses.
pub(crate) fn prefix() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("test{random:016x}:")
}

pub(crate) async fn link(address: &Address) -> Arc<Link> {
    let link = Link::open(address.clone()).await;
    assert!(link.is_up(), "no redis at {address}");
    link
}

/// An empty queue of its own, said to be whole.
pub(crate) async fn queue(address: &Address) -> Arc<Queue> {
    let queue = Queue::new(link(address).await, Keys::with_prefix(&prefix()), true);
    queue.built(&ns(), true).await.unwrap();
    queue
}

pub(crate) fn ns() -> Namespace {
    Namespace::default_namespace()
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_ms(1_767_323_045_000)
}

/// A new task that needs these.
pub(crate) fn task(id: &str, skills: &[&str]) -> Task {
    let new = NewTask::of_type(TaskId::parse(id).unwrap(), name("work"));
    let mut task = new.create(&ns(), &Arc::from("tests"), now()).task.unwrap();
    task.capabilities = skills.iter().map(|skill| name(skill)).collect();
    task
}

pub(crate) fn of_pipeline(mut task: Task, pipeline: &str) -> Task {
    task.place = Some(Place {
        pipeline_id: PipelineId::parse(pipeline).unwrap(),
        stage: 1,
        index: 0,
        run: 1,
    });
    task
}

/// The next revision of a task.
pub(crate) fn next(task: &Task, change: impl FnOnce(&mut Task)) -> Task {
    let mut next = task.clone();
    next.revision += 1;
    change(&mut next);
    next
}

/// The next revision of a task, given to an agent.
pub(crate) fn assigned(task: &Task, offer: &Offer, at: Timestamp) -> Task {
    next(task, |task| {
        task.attempt += 1;
        task.attempts.push(Attempt {
            number: task.attempt,
            nonce: 7,
            agent_id: offer.agent_id.clone(),
            session: offer.session.clone(),
            assigned_at: at,
            started_at: None,
            ended_at: None,
            outcome: None,
            error: None,
        });
        task.state = State::Assigned(Lease {
            attempt: task.attempt,
            nonce: 7,
            agent_id: offer.agent_id.clone(),
            session: offer.session.clone(),
            granted_at: at,
            expires_at: at.plus_ms(LEASE_TTL_MS),
            started_at: None,
        });
    })
}

pub(crate) fn offer(agent: &str, skills: &[&str], concurrency: u32, max: u32) -> Offer {
    let mut capabilities: Vec<Name> = skills.iter().map(|skill| name(skill)).collect();
    capabilities.sort();
    Offer {
        namespace: ns(),
        agent_id: AgentId::parse(agent).unwrap(),
        session: SessionId::parse("sess_1").unwrap(),
        capabilities,
        concurrency,
        max,
    }
}

/// A new agent.
pub(crate) fn agent(id: &str, skills: &[&str], concurrency: u32) -> Agent {
    let registration = Registration {
        id: AgentId::parse(id).unwrap(),
        name: id.to_owned(),
        agent_type: name("worker"),
        capabilities: skills.iter().map(|skill| name(skill)).collect(),
        concurrency: Some(concurrency),
        metadata: Payload::empty(),
        permissions: Vec::new(),
        version: None,
        endpoint_url: None,
        health_check_url: None,
    };
    let session = SessionId::parse("sess_1").unwrap();
    let decision = register(None, registration, &ns(), session, now()).unwrap();
    decision.agent.unwrap()
}

/// Numbers for random tests, the same for a seed in every run (Knuth's MMIX constants).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

type Counted = (Arc<Pipeline>, Vec<StageCounts>);

/// The truth of a test: what it says is there is there.
#[derive(Default)]
pub(crate) struct Truth {
    pub(crate) tasks: Mutex<BTreeMap<TaskId, (Arc<Task>, bool)>>,
    pub(crate) agents: Mutex<BTreeMap<AgentId, Arc<Agent>>>,
    pub(crate) pipelines: Mutex<BTreeMap<PipelineId, Counted>>,
    pub(crate) events: Mutex<Vec<Arc<Numbered>>>,
    pub(crate) identity: Mutex<String>,
}

impl Truth {
    /// Saves tasks, without telling anybody.
    pub(crate) fn save(&self, tasks: &[Task]) -> Vec<Change> {
        let mut all = self.tasks.lock();
        let save = |task: &Task| {
            let new = Arc::new(task.clone());
            let old = all.insert(task.id.clone(), (new.clone(), false));
            Change::Task {
                old: old.map(|(old, _)| old),
                new,
                blocked: false,
            }
        };
        tasks.iter().map(save).collect()
    }

    /// Saves an agent, without telling anybody.
    pub(crate) fn save_agent(&self, agent: &Agent) -> Change {
        let new = Arc::new(agent.clone());
        let old = self.agents.lock().insert(agent.id.clone(), new.clone());
        Change::Agent {
            old,
            new: Some(new),
            namespace: agent.namespace.clone(),
            id: agent.id.clone(),
        }
    }

    /// Appends an event; answers with it.
    pub(crate) fn happen(&self, message: &str) -> Arc<Numbered> {
        let mut events = self.events.lock();
        let mut event = Event::new(Kind::TaskCreated, now(), ns());
        event.message = Some(message.to_owned());
        let numbered = Arc::new(Numbered {
            seq: events.len() as u64 + 1,
            event,
        });
        events.push(numbered.clone());
        numbered
    }
}

#[async_trait]
impl Source for Truth {
    async fn identity(&self) -> Result<String> {
        Ok(self.identity.lock().clone())
    }

    async fn newest_event(&self) -> Result<u64> {
        Ok(self.events.lock().len() as u64)
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        Ok(vec![ns()])
    }

    async fn live_tasks(
        &self,
        _: &Namespace,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<Standing>> {
        let place = |task: &Task| (task.created_at, task.id.to_string());
        let after = after.map(|after| (after.created_at, after.id.clone()));
        let mut live: Vec<Standing> = self.tasks.lock().values().cloned().collect();
        live.retain(|(task, _)| {
            !task.status().is_terminal() && after.as_ref().is_none_or(|after| place(task) < *after)
        });
        live.sort_by_key(|(task, _)| std::cmp::Reverse(place(task)));
        live.truncate(limit);
        Ok(live)
    }

    async fn standing(&self, _: &Namespace, ids: &[TaskId]) -> Result<Vec<Option<Standing>>> {
        let tasks = self.tasks.lock();
        Ok(ids.iter().map(|id| tasks.get(id).cloned()).collect())
    }

    async fn agent(&self, _: &Namespace, id: &AgentId) -> Result<Option<Arc<Agent>>> {
        Ok(self.agents.lock().get(id).cloned())
    }

    async fn agents(&self, _: &Namespace) -> Result<Vec<Arc<Agent>>> {
        Ok(self.agents.lock().values().cloned().collect())
    }

    async fn pipeline(
        &self,
        _: &Namespace,
        id: &PipelineId,
    ) -> Result<Option<(Arc<Pipeline>, Vec<StageCounts>)>> {
        Ok(self.pipelines.lock().get(id).cloned())
    }

    async fn unsettled(&self) -> Result<Vec<(Namespace, PipelineId)>> {
        Ok(self
            .pipelines
            .lock()
            .keys()
            .map(|id| (ns(), id.clone()))
            .collect())
    }

    async fn events_after(&self, after: u64, limit: usize) -> Result<Vec<Arc<Numbered>>> {
        let events = self.events.lock();
        let above = events.iter().filter(|event| event.seq > after);
        Ok(above.take(limit).cloned().collect())
    }
}

/// An instance over a truth.
pub(crate) async fn instance(address: &str, prefix: &str, truth: &Arc<Truth>) -> Arc<Shared> {
    let shared = Shared::open(SharedSettings {
        url: address.to_owned(),
        prefix: prefix.to_owned(),
        clock: Arc::new(now),
    })
    .await
    .unwrap();
    let source: Arc<dyn Source> = truth.clone();
    shared.attach(Arc::downgrade(&source)).await;
    shared
}

/// Waits until something holds, at most so long.
pub(crate) async fn eventually<F: Future<Output = bool>>(
    what: &str,
    within: Duration,
    mut holds: impl FnMut() -> F,
) {
    let begun = std::time::Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < within, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A redis-server of a test's own, to be stopped and started; ends with the value.
pub(crate) struct OwnServer {
    port: u16,
    child: Option<Child>,
}

impl OwnServer {
    /// Starts one, if the test may (a server was given) and the program is there.
    pub(crate) fn start() -> Option<Self> {
        std::env::var(SINGLE).ok()?;
        let free = std::net::TcpListener::bind("127.0.0.1:0").ok()?;
        let port = free.local_addr().ok()?.port();
        drop(free);
        let mut server = Self { port, child: None };
        server.restart();
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it again, empty.
    pub(crate) fn restart(&mut self) {
        let port = self.port.to_string();
        let arguments = [
            "--port",
            &port,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ];
        let child = Command::new("redis-server")
            .args(arguments)
            .stdout(Stdio::null())
            .spawn();
        self.child = Some(child.unwrap());
    }

    /// As SIGSTOP does.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    /// As SIGCONT does.
    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, which: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(
            Command::new("kill")
                .args([which, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// As SIGKILL does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.kill();
    }
}
