//! Why a task is not running: the exact blocker, in data and in words.

use std::sync::Arc;

use mcpanel_domain::{
    AgentId, Name, TaskId, Timestamp,
    agent::Agent,
    task::{Outcome, State, Status, Task},
};

use super::{TaskManager, words};
use crate::{Result, Scope};

/// Why a task is where it is.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The task.
    pub task: Arc<Task>,
    /// One sentence.
    pub summary: String,
    /// What is in the way, most important first; empty when nothing is.
    pub blockers: Vec<Blocker>,
}

/// Something in the way of a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Blocker {
    /// It waits for a task.
    Dependency {
        task_id: TaskId,
        status: Option<Status>,
    },
    /// Its time has not come.
    RunAt { at: Timestamp },
    /// Its next attempt waits.
    RetryAt {
        at: Timestamp,
        retry: u32,
        max_retries: u32,
    },
    /// No registered agent offers all it needs; these no agent offers at all.
    NoCapableAgent {
        needed: Vec<Name>,
        offered_by_none: Vec<Name>,
    },
    /// Agents could run it but take no work.
    AgentsUnavailable {
        agents: Vec<(AgentId, &'static str)>,
    },
    /// The agents that could run it have no free slot.
    SlotsBusy {
        agents: Vec<AgentId>,
        slots: u32,
        used: u32,
    },
    /// It is meant for one agent, which is not registered.
    TargetUnknown { agent_id: AgentId },
    /// Others come first.
    Queue { ahead: u64 },
}

/// Agents that an explanation lists by name.
const AGENTS_LISTED_MAX: usize = 20;

impl TaskManager {
    /// Says why a task is not running, or that nothing is in its way.
    pub async fn explain(&self, scope: &Scope, id: &TaskId) -> Result<Explanation> {
        let task = self.core.task(&scope.namespace, id).await?;
        let now = self.core.now();
        let (summary, blockers) = match &task.state {
            State::Completed => ("it is completed".to_owned(), Vec::new()),
            State::Failed => (
                format!(
                    "it failed after {} attempts: {}; retry it to run it again",
                    task.attempt,
                    error_of(&task)
                ),
                Vec::new(),
            ),
            State::Cancelled => (
                format!(
                    "it was cancelled: {}; retry it to run it again",
                    error_of(&task)
                ),
                Vec::new(),
            ),
            State::Assigned(lease) => (
                format!(
                    "agent `{}` was given it at {} and has not said that it began",
                    lease.agent_id, lease.granted_at
                ),
                Vec::new(),
            ),
            State::Running(lease) => (
                match task.cancel_requested {
                    Some(_) => format!("agent `{}` runs it and was asked to stop", lease.agent_id),
                    None => format!("agent `{}` runs it", lease.agent_id),
                },
                Vec::new(),
            ),
            State::Pending | State::Retry { .. } => {
                let blockers = self.blockers(scope, &task, now).await?;
                let summary = blockers
                    .first()
                    .map_or_else(|| next_in_line(&task), describe);
                (summary, blockers)
            }
        };
        Ok(Explanation {
            task,
            summary,
            blockers,
        })
    }

    async fn blockers(&self, scope: &Scope, task: &Task, now: Timestamp) -> Result<Vec<Blocker>> {
        let mut blockers = Vec::new();
        let dependencies = self
            .core
            .store
            .tasks(&scope.namespace, &task.dependencies)
            .await?;
        for (id, found) in task.dependencies.iter().zip(dependencies) {
            let status = found.map(|task| task.status());
            if status != Some(Status::Completed) {
                blockers.push(Blocker::Dependency {
                    task_id: id.clone(),
                    status,
                });
            }
        }
        match (&task.state, task.run_at) {
            (State::Retry { at }, _) if *at > now => blockers.push(Blocker::RetryAt {
                at: *at,
                retry: task.retry_count,
                max_retries: task.retry.max_retries,
            }),
            (State::Pending, Some(at)) if at > now => blockers.push(Blocker::RunAt { at }),
            _ => {}
        }
        blockers.extend(self.agent_blocker(scope, task).await?);
        if blockers.is_empty()
            && let Some(ahead) = self
                .core
                .store
                .ready_ahead(&scope.namespace, &task.id)
                .await?
            && ahead > 0
        {
            blockers.push(Blocker::Queue { ahead });
        }
        Ok(blockers)
    }

    async fn agent_blocker(&self, scope: &Scope, task: &Task) -> Result<Option<Blocker>> {
        let agents = self.core.store.agents(&scope.namespace).await?;
        if let Some(target) = &task.target
            && !agents.iter().any(|agent| agent.id == *target)
        {
            return Ok(Some(Blocker::TargetUnknown {
                agent_id: target.clone(),
            }));
        }
        let capable: Vec<&Arc<Agent>> = agents
            .iter()
            .filter(|agent| {
                task.target
                    .as_ref()
                    .is_none_or(|target| agent.id == *target)
            })
            .filter(|agent| agent.offers(&task.capabilities))
            .collect();
        if capable.is_empty() {
            let offered_by_none = task
                .capabilities
                .iter()
                .filter(|name| {
                    !agents
                        .iter()
                        .any(|agent| agent.offers(std::slice::from_ref(name)))
                })
                .cloned()
                .collect();
            return Ok(Some(Blocker::NoCapableAgent {
                needed: task.capabilities.to_vec(),
                offered_by_none,
            }));
        }
        let (open, closed): (Vec<&Arc<Agent>>, Vec<&Arc<Agent>>) = capable
            .into_iter()
            .partition(|agent| agent.unavailable().is_none());
        if open.is_empty() {
            let agents = closed
                .iter()
                .take(AGENTS_LISTED_MAX)
                .filter_map(|agent| agent.unavailable().map(|why| (agent.id.clone(), why)))
                .collect();
            return Ok(Some(Blocker::AgentsUnavailable { agents }));
        }
        let (mut slots, mut used) = (0_u32, 0_u32);
        for agent in &open {
            let (held, _) = self.core.leases(&scope.namespace, &agent.id).await?;
            let held = held.len();
            let held = u32::try_from(held).unwrap_or(u32::MAX);
            if held < agent.concurrency {
                return Ok(None);
            }
            slots = slots.saturating_add(agent.concurrency);
            used = used.saturating_add(held);
        }
        Ok(Some(Blocker::SlotsBusy {
            agents: open
                .iter()
                .take(AGENTS_LISTED_MAX)
                .map(|agent| agent.id.clone())
                .collect(),
            slots,
            used,
        }))
    }
}

/// What is to be said of a task that nothing holds up: whether agents have given it back until now.
fn next_in_line(task: &Task) -> String {
    let ended = task.attempts.iter().rev();
    let given_back = ended.take_while(|attempt| attempt.outcome == Some(Outcome::Released));
    match (given_back.count(), task.last_agent()) {
        (0, _) | (_, None) => "it is next in line".to_owned(),
        (1, Some(agent)) => format!("it is next in line; agent `{agent}` gave it back"),
        (times, Some(agent)) => format!(
            "it is next in line; it was given back {times} times in a row, the last time by agent `{agent}`"
        ),
    }
}

fn error_of(task: &Task) -> &str {
    task.error
        .as_ref()
        .map_or("no reason was given", |error| &error.message)
}

/// A blocker as a sentence.
pub fn describe(blocker: &Blocker) -> String {
    match blocker {
        Blocker::Dependency { task_id, status } => match status {
            Some(status) => format!(
                "it waits for task `{task_id}`, which is {}",
                status.as_str()
            ),
            None => format!("it waits for task `{task_id}`, which does not exist"),
        },
        Blocker::RunAt { at } => format!("it is not to run before {at}"),
        Blocker::RetryAt {
            at,
            retry,
            max_retries,
        } => format!("retry {retry} of {max_retries} begins at {at}"),
        Blocker::NoCapableAgent {
            needed,
            offered_by_none,
        } => {
            if offered_by_none.is_empty() {
                format!("no registered agent offers {} together", words(needed))
            } else {
                format!("no registered agent offers {}", words(offered_by_none))
            }
        }
        Blocker::AgentsUnavailable { agents } => match agents.as_slice() {
            [(id, why)] => format!("agent `{id}` could run it, but {why}"),
            _ => format!("{} agents could run it, but none takes work", agents.len()),
        },
        Blocker::SlotsBusy {
            agents,
            slots,
            used,
        } => format!(
            "all {slots} slots of the {} capable agents are in use ({used})",
            agents.len()
        ),
        Blocker::TargetUnknown { agent_id } => {
            format!("it is meant for agent `{agent_id}`, which is not registered")
        }
        Blocker::Queue { ahead } => format!("{ahead} tasks come before it"),
    }
}
