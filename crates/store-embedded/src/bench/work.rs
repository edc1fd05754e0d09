//! The store's side: whole lives of tasks, by the rules.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use mcpanel_domain::{
    AgentId, Name, Namespace, Payload, SessionId, TaskId,
    limits::LEASE_TTL_MS,
    task::{Command, Decision, NewTask, Task, command::Held, decide},
};
use mcpanel_store::{Commit, Store, Write};
use tokio::task::JoinSet;

use super::{Clock, Config, Error, Side, report::Lived};
use crate::EmbeddedStore;

/// Length of a task's parameters.
const PARAMETERS_BYTES: usize = 545;

/// Tasks preloaded by one commit.
const PRELOAD_BATCH: u64 = 500;

/// One round.
pub async fn round(
    store: &Arc<EmbeddedStore>,
    config: &Config,
    clock: &Clock,
    side: &mut Side,
) -> Result<(), Error> {
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    let plan = Arc::new(Plan::new(clock.clone()));
    for _ in 0..config.in_flight {
        let store = store.clone();
        let plan = plan.clone();
        let end = begun + config.round;
        workers.spawn(async move { work(&*store, &plan, end).await });
    }
    for outcome in workers.join_all().await {
        side.add(outcome?);
    }
    side.elapsed += begun.elapsed();
    Ok(())
}

/// Puts completed tasks into the store.
pub async fn preload(store: &EmbeddedStore, count: u64, clock: &Clock) -> Result<(), Error> {
    let plan = Plan::new(clock.clone());
    let mut left = count;
    while left > 0 {
        let batch = left.min(PRELOAD_BATCH);
        let mut steps = [Commit::default(), Commit::default(), Commit::default()];
        for _ in 0..batch {
            let created = plan.create();
            let assigned = plan.assign(&created.task);
            let completed = plan.complete(&assigned.task);
            for (step, one) in steps.iter_mut().zip([created, assigned, completed]) {
                step.absorb(one.commit);
            }
        }
        for step in steps {
            store.commit(step).await?;
        }
        left -= batch;
    }
    Ok(())
}

async fn work(store: &dyn Store, plan: &Plan, end: Instant) -> Result<Lived, Error> {
    let mut lived = Lived::default();
    while Instant::now() < end {
        let created = plan.create();
        commit(store, created.commit, &mut lived).await?;
        let assigned = plan.assign(&created.task);
        commit(store, assigned.commit, &mut lived).await?;
        commit(store, plan.complete(&assigned.task).commit, &mut lived).await?;
        lived.lifecycles += 1;
    }
    Ok(lived)
}

async fn commit(store: &dyn Store, commit: Commit, lived: &mut Lived) -> Result<(), Error> {
    let begun = Instant::now();
    store.commit(commit).await?;
    lived.commit(begun.elapsed());
    Ok(())
}

/// A task after a step, and the commit that makes it so.
struct Step {
    task: Arc<Task>,
    commit: Commit,
}

/// What all tasks of a run have in common.
struct Plan {
    clock: Clock,
    namespace: Namespace,
    task: NewTask,
    agent_id: AgentId,
    session: SessionId,
    by: Arc<str>,
    parameters: Payload,
    result: Payload,
    /// Makes ids differ.
    next: AtomicU64,
}

impl Plan {
    fn new(clock: Clock) -> Self {
        let now = clock();
        let text = "x".repeat(PARAMETERS_BYTES - r#"{"text":""}"#.len());
        Self {
            namespace: Namespace::default_namespace(),
            task: NewTask::of_type(
                TaskId::generate(now, 0),
                Name::parse("benchmark").expect("a word"),
            ),
            agent_id: AgentId::generate(now, 1),
            session: SessionId::generate(now, 1),
            by: Arc::from("benchmark"),
            parameters: Payload::from_stored(&format!(r#"{{"text":"{text}"}}"#)),
            result: Payload::from_stored(r#"{"accepted":true,"score":0.75}"#),
            next: AtomicU64::new(0),
            clock,
        }
    }

    fn create(&self) -> Step {
        let now = (self.clock)();
        // In the place of random bits: they differ, and are spread as evenly.
        let n = u128::from(self.next.fetch_add(1, Ordering::Relaxed));
        let id = TaskId::generate(
            now,
            n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
        );
        let new = NewTask {
            id,
            ..self.task.clone()
        };
        let decision = new.create(&self.namespace, &self.by, now);
        step(decision, Some(self.parameters.clone()), None)
    }

    fn assign(&self, task: &Task) -> Step {
        let command = Command::Assign {
            agent_id: self.agent_id.clone(),
            session: self.session.clone(),
            nonce: 7,
            lease_ttl_ms: LEASE_TTL_MS,
        };
        let decision = decide(task, command, (self.clock)());
        step(decision.expect("a new task may be assigned"), None, None)
    }

    fn complete(&self, task: &Task) -> Step {
        let now = (self.clock)();
        let lease = task.lease().expect("an assigned task has a lease");
        let held = Held {
            proof: lease.proof(),
            alive_until: now.plus_ms(LEASE_TTL_MS),
        };
        let decision = decide(task, Command::Complete(held), now);
        let decision = decision.expect("the holder of a fresh lease may complete");
        step(decision, None, Some(self.result.clone()))
    }
}

fn step(decision: Decision, parameters: Option<Payload>, result: Option<Payload>) -> Step {
    let task = Arc::new(
        decision
            .task
            .expect("each of these commands changes the task"),
    );
    let write = Write::Task {
        task: task.clone(),
        parameters,
        result,
    };
    Step {
        task,
        commit: Commit::of(write).with_events(decision.events),
    }
}
