//! Watches every commit and every answer, and knows what must hold.
//!
//! The observer keeps a model of its own: the documents as they were committed, what was
//! acknowledged, and what was shown to callers. Each commit is compared with the documents before it
//! (`commit`), each answer with what was answered before (`answer`), the store after a crash and
//! at rest with the model (`audit`).

mod answer;
mod audit;
mod commit;
mod grants;
mod tell;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use mcpanel_domain::{
    AgentId, ArtifactId, OperationId, PipelineId, TaskId,
    agent::Agent,
    artifact::Artifact,
    operation::Operation,
    pipeline::Pipeline,
    task::{Proof, Task},
};
use mcpanel_store::Grant;

pub use answer::Shown;
pub use tell::describe;

/// A promise of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// What was acknowledged is there, also after a crash.
    NothingAcknowledgedIsLost,
    /// A task completes at most once, and stays completed.
    CompletesAtMostOnce,
    /// Whoever does not hold the task changes nothing.
    StaleLeaseChangesNothing,
    /// A task is given out, a stage begun, after what it waits for is completed, and not before its time.
    DependenciesComeFirst,
    /// Retries never exceed their policy.
    RetriesStayWithinPolicy,
    /// Progress never goes back.
    ProgressNeverFalls,
    /// An agent holds no more than its slots, and nothing stays behind.
    SlotsNeverLeak,
    /// Events are numbered without gaps, and every change has its own.
    EveryChangeHasItsEvent,
    /// Derived state is what would be derived anew.
    DerivedStateIsRight,
    /// A document changes only in the ways its states allow, one revision at a time.
    ChangesAreLawful,
    /// Each chunk is worked on by exactly one task of a map stage.
    EveryChunkOnce,
    /// The same request, repeated under its key, creates once.
    RepeatedRequestsCreateOnce,
    /// Once the world is well again, everything ends.
    EverythingEnds,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingAcknowledgedIsLost => "nothing acknowledged is lost",
            Self::CompletesAtMostOnce => "a task completes at most once",
            Self::StaleLeaseChangesNothing => "a stale lease changes nothing",
            Self::DependenciesComeFirst => "dependencies come first",
            Self::RetriesStayWithinPolicy => "retries never exceed their policy",
            Self::ProgressNeverFalls => "progress never goes back",
            Self::SlotsNeverLeak => "slots never leak",
            Self::EveryChangeHasItsEvent => "events have no gaps and every change has its event",
            Self::DerivedStateIsRight => "derived state equals the rebuilt one",
            Self::ChangesAreLawful => "documents change only as their states allow",
            Self::EveryChunkOnce => "each chunk is worked on by exactly one task",
            Self::RepeatedRequestsCreateOnce => "a repeated request creates once",
            Self::EverythingEnds => "once the world is well again, everything ends",
        })
    }
}

/// A broken promise.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Which one.
    pub promise: Promise,
    /// By what.
    pub detail: String,
}

/// The observer's model.
#[derive(Default)]
pub struct Observer {
    /// Several servers give out work at once.
    several: bool,
    violation: Option<Violation>,
    tasks: BTreeMap<TaskId, Arc<Task>>,
    /// Ids of live tasks, to spare looking through ended ones.
    live: BTreeSet<TaskId>,
    agents: BTreeMap<AgentId, Arc<Agent>>,
    pipelines: BTreeMap<PipelineId, Arc<Pipeline>>,
    artifacts: BTreeMap<ArtifactId, Arc<Artifact>>,
    operations: BTreeMap<OperationId, Arc<Operation>>,
    /// The chunk that each task of a map stage was made for.
    inputs: BTreeMap<TaskId, String>,
    last_seq: u64,
    acknowledged: Acknowledged,
    shown: Shown,
    /// What was given out though no document says so: task, attempt, nonce.
    granted: BTreeMap<(TaskId, u32, u128), Grant>,
    /// The lease with which a completion was acknowledged.
    winners: BTreeMap<TaskId, Proof>,
    /// What each request under a key asked for, and what it was told.
    repeated: BTreeMap<String, answer::Repeated>,
}

/// What the store said is durable.
#[derive(Default)]
struct Acknowledged {
    tasks: BTreeMap<TaskId, u64>,
    /// Revision; none once a removal was acknowledged.
    agents: BTreeMap<AgentId, Option<u64>>,
    pipelines: BTreeMap<PipelineId, u64>,
    artifacts: BTreeSet<ArtifactId>,
    operations: BTreeMap<OperationId, u64>,
    last_seq: u64,
}

impl Observer {
    /// An observer of one server, or of several.
    pub fn new(several: bool) -> Self {
        Self {
            several,
            ..Self::default()
        }
    }

    /// The first broken promise.
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Notes a broken promise; the first one counts.
    pub fn blame(&mut self, promise: Promise, detail: impl FnOnce() -> String) {
        if self.violation.is_none() {
            self.violation = Some(Violation {
                promise,
                detail: detail(),
            });
        }
    }

    /// Notes a broken promise unless something holds.
    fn expect(&mut self, promise: Promise, holds: bool, detail: impl FnOnce() -> String) {
        if !holds {
            self.blame(promise, detail);
        }
    }

    /// All tasks, as committed.
    pub fn tasks(&self) -> &BTreeMap<TaskId, Arc<Task>> {
        &self.tasks
    }

    /// All operations on many tasks, as committed.
    pub fn operations(&self) -> &BTreeMap<OperationId, Arc<Operation>> {
        &self.operations
    }

    /// All agents, as committed.
    pub fn agents(&self) -> &BTreeMap<AgentId, Arc<Agent>> {
        &self.agents
    }

    /// How many tasks the present session of this agent holds; none for who is no agent.
    pub fn held_by(&self, agent: &str) -> usize {
        let live = self.live.iter().filter_map(|id| self.tasks.get(id));
        let leases = live.filter_map(|task| task.lease());
        leases
            .filter(|lease| lease.agent_id.as_str() == agent)
            .filter(|lease| {
                let agent = self.agents.get(&lease.agent_id);
                agent.is_some_and(|agent| agent.session.id == lease.session)
            })
            .count()
    }

    /// All pipelines, as committed.
    pub fn pipelines(&self) -> &BTreeMap<PipelineId, Arc<Pipeline>> {
        &self.pipelines
    }

    /// How many events there are.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// What has not ended; empty when nothing more will happen of itself.
    pub fn unfinished(&self) -> Vec<String> {
        let tasks = self.live.iter().filter_map(|id| self.tasks.get(id));
        let tasks = tasks.map(|task| {
            let waits_for: Vec<&str> = task
                .dependencies
                .iter()
                .filter(|id| {
                    self.tasks
                        .get(*id)
                        .is_none_or(|other| !other.status().is_terminal())
                })
                .map(TaskId::as_str)
                .collect();
            format!(
                "{} for {:?} by {:?} after {waits_for:?}",
                tell::task(task),
                task.target,
                task.capabilities
            )
        });
        let pipelines = self.pipelines.values().filter(|pipeline| {
            use mcpanel_domain::pipeline::Status;
            match pipeline.status {
                Status::Running => true,
                Status::Completed => pipeline.output_data.is_none(),
                Status::Created | Status::Failed | Status::Cancelled => false,
            }
        });
        let operations = self.operations.values();
        let operations = operations.filter(|each| !each.status.is_terminal());
        tasks
            .chain(
                pipelines.map(|each| format!("pipeline `{}` is {}", each.id, each.status.as_str())),
            )
            .chain(
                operations
                    .map(|each| format!("operation `{}` is {}", each.id, each.status.as_str())),
            )
            .collect()
    }
}
