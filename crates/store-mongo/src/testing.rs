//! Redis servers for tests, as the environment names them (`cargo xtask servers`).

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use mcpanel_domain::{
    AgentId, Name, Namespace, PipelineId, SessionId, TaskId, Timestamp,
    limits::LEASE_TTL_MS,
    task::{Attempt, Lease, NewTask, Place, State, Task},
};
use mcpanel_store::Offer;

use crate::{
    keys::Keys,
    link::{Address, Link},
    queue::Queue,
};

const SINGLE: &str = "MCPANEL_TEST_REDIS_URL";
const CLUSTER: &str = "MCPANEL_TEST_REDIS_CLUSTER_URL";
const REQUIRED: &str = "MCPANEL_TEST_REQUIRE_SERVERS";

/// The servers that were given, each with a name; says what is skipped for want of one.
pub(crate) fn servers() -> Vec<(&'static str, Address)> {
    let mut given = Vec::new();
    for (what, variable) in [("single", SINGLE), ("cluster", CLUSTER)] {
        match std::env::var(variable) {
            Ok(url) => given.push((what, Address::parse(&url).unwrap())),
            Err(_) => {
                assert!(
                    std::env::var(REQUIRED).is_err(),
                    "no server: {variable} is not set, and {REQUIRED} is"
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
    queue.built(&ns()).await.unwrap();
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
