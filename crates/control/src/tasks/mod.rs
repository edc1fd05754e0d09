//! Tasks: creating, reading, changing, claiming, holding and ending them.

mod claim;
mod create;
mod dependencies;
mod explain;
mod hold;
mod logs;
mod reveal;
mod search;

use std::sync::Arc;

use mcpanel_domain::{
    AgentId, Rejection, TaskId,
    agent::Agent,
    pipeline::Pipeline,
    task::{Command, Place, Task, new::Changes},
};
use mcpanel_store::query::{Listing, Page, Payloads, TaskFilter, Totals};

pub use claim::{Claim, Claimed};
pub use explain::{Blocker, Explanation, describe};
pub use hold::Completion;
pub(crate) use search::{count, find};

use crate::{Error, Result, Scope, act, core::Core};

/// Tasks.
#[derive(Clone)]
pub struct TaskManager {
    core: Arc<Core>,
}

/// A task with its payloads.
#[derive(Debug, Clone)]
pub struct TaskView {
    /// The task.
    pub task: Arc<Task>,
    /// Its input and output.
    pub payloads: Payloads,
}

impl TaskManager {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// A task with its payloads.
    pub async fn get(&self, scope: &Scope, id: &TaskId) -> Result<TaskView> {
        let task = self.core.task(&scope.namespace, id).await?;
        self.view(scope, task).await
    }

    /// A task that the caller has already, with its payloads.
    pub async fn view(&self, scope: &Scope, task: Arc<Task>) -> Result<TaskView> {
        let id = task.id.clone();
        let mut views = self.with_payloads(scope, vec![task]).await?;
        views
            .pop()
            .ok_or_else(|| Rejection::not_found("task", &id).into())
    }

    /// A page of tasks with their payloads, newest first.
    pub async fn list(
        &self,
        scope: &Scope,
        filter: &TaskFilter,
        page: &Page,
    ) -> Result<Listing<TaskView>> {
        let listing = self
            .core
            .store
            .list_tasks(&scope.namespace, filter, page)
            .await?;
        Ok(Listing {
            items: self.with_payloads(scope, listing.items).await?,
            next: listing.next,
        })
    }

    /// How many tasks stand where.
    pub async fn totals(&self, scope: &Scope) -> Result<Totals> {
        Ok(self.core.store.totals(&scope.namespace).await?)
    }

    /// Changes a waiting task. With `revision`, only when it is still at that one.
    pub async fn update(
        &self,
        scope: &Scope,
        id: &TaskId,
        changes: Changes,
        revision: Option<u64>,
    ) -> Result<Arc<Task>> {
        if changes.dependencies.is_some() {
            return self.update_dependencies(scope, id, changes, revision).await;
        }
        self.change(scope, id, |task, _| {
            check_revision(task, revision)?;
            Ok(Command::Update(Changes {
                now: self.core.now(),
                ..changes.clone()
            }))
        })
        .await
    }

    /// Has a task run by one agent: the named one, or the best for it now.
    pub async fn delegate(
        &self,
        scope: &Scope,
        id: &TaskId,
        agent_id: Option<&AgentId>,
    ) -> Result<Arc<Task>> {
        let task = self.core.task(&scope.namespace, id).await?;
        let target = match agent_id {
            Some(agent_id) => {
                let agent = self.core.store.agent(&scope.namespace, agent_id).await?;
                let Some(agent) = agent else {
                    return Err(Error::invalid(vec![mcpanel_domain::Fault::new(
                        "/agent_id",
                        "unknown_agent",
                        format!("names no registered agent: `{agent_id}`"),
                    )]));
                };
                check_target(&task, &agent)?;
                agent.id.clone()
            }
            None => self.best_agent(scope, &task).await?,
        };
        self.change(scope, id, |_, _| {
            Ok(Command::Delegate {
                target: Some(target.clone()),
            })
        })
        .await
    }

    /// Stops a task: at once when it waits; when an agent runs it, that agent is asked to.
    pub async fn cancel(
        &self,
        scope: &Scope,
        id: &TaskId,
        reason: Option<String>,
    ) -> Result<Arc<Task>> {
        self.change(scope, id, |_, _| {
            Ok(Command::Cancel {
                by: scope.actor.to_string(),
                reason: reason.clone(),
            })
        })
        .await
    }

    /// Puts a failed or cancelled task back in the queue with fresh retries, lets a waiting retry begin at
    /// once, or withdraws the wish that a running one stop. A stage's task comes back with its pipeline only.
    pub async fn retry(&self, scope: &Scope, id: &TaskId) -> Result<Arc<Task>> {
        let task = self.core.task(&scope.namespace, id).await?;
        self.check_replay(scope, &task).await?;
        self.change(scope, id, |_, _| Ok(Command::Replay)).await
    }

    /// Refuses to bring back a stage's task that its pipeline would cancel at once.
    async fn check_replay(&self, scope: &Scope, task: &Task) -> Result<()> {
        let Some(place) = &task.place else {
            return Ok(());
        };
        let id = &place.pipeline_id;
        let Some(pipeline) = self.core.store.pipeline(&scope.namespace, id).await? else {
            return Ok(());
        };
        match refuse_replay(place, &pipeline) {
            Some(rejection) => Err(rejection.into()),
            None => Ok(()),
        }
    }

    /// One change, with its effects performed.
    async fn change<F>(&self, scope: &Scope, id: &TaskId, command: F) -> Result<Arc<Task>>
    where
        F: FnMut(&Task, mcpanel_domain::Timestamp) -> Result<Command>,
    {
        let changed = self
            .core
            .change_task(&scope.namespace, Some(&scope.actor), id, command)
            .await?;
        act::perform(&self.core, &scope.namespace, changed.effects).await;
        Ok(changed.task)
    }

    /// The agent that could begin a task soonest: capable, taking work, most free slots.
    async fn best_agent(&self, scope: &Scope, task: &Task) -> Result<AgentId> {
        let mut best: Option<(u32, AgentId)> = None;
        for agent in self.core.store.agents(&scope.namespace).await? {
            if agent.unavailable().is_some() || !agent.offers(&task.capabilities) {
                continue;
            }
            let (held, _) = self.core.leases(&scope.namespace, &agent.id).await?;
            let held = held.len();
            let free = agent
                .concurrency
                .saturating_sub(u32::try_from(held).unwrap_or(u32::MAX));
            if best.as_ref().is_none_or(|(most, _)| free > *most) {
                best = Some((free, agent.id.clone()));
            }
        }
        best.map(|(_, id)| id).ok_or_else(|| {
            Rejection::fault(
                "/agent_id",
                "no_capable_agent",
                format!(
                    "cannot be chosen: no registered agent that takes work offers {}",
                    words(&task.capabilities)
                ),
            )
            .into()
        })
    }

    async fn with_payloads(&self, scope: &Scope, tasks: Vec<Arc<Task>>) -> Result<Vec<TaskView>> {
        let ids: Vec<TaskId> = tasks.iter().map(|task| task.id.clone()).collect();
        let payloads = self.core.store.payloads(&scope.namespace, &ids).await?;
        Ok(tasks
            .into_iter()
            .zip(payloads)
            .filter_map(|(task, payloads)| payloads.map(|payloads| TaskView { task, payloads }))
            .collect())
    }
}

/// Why a pipeline does not let a task of its come back, if it does not.
pub(crate) fn refuse_replay(place: &Place, pipeline: &Pipeline) -> Option<Rejection> {
    let outdated = pipeline
        .stage(place.stage)
        .is_some_and(|stage| place.run < stage.run);
    let hint = if outdated {
        "; its stage is run anew with other tasks"
    } else {
        "; retry the pipeline that the task belongs to"
    };
    (outdated || pipeline.status.is_terminal()).then(|| Rejection::InvalidTransition {
        what: "a retry of the task",
        of: "pipeline",
        state: pipeline.status.as_str(),
        hint,
    })
}

fn check_target(task: &Task, agent: &Agent) -> Result<()> {
    if let Some(why) = agent.unavailable() {
        return Err(Rejection::AgentUnavailable {
            agent_id: agent.id.clone(),
            why,
        }
        .into());
    }
    if !agent.offers(&task.capabilities) {
        return Err(Rejection::AgentUnavailable {
            agent_id: agent.id.clone(),
            why: "it does not offer the capabilities that the task needs",
        }
        .into());
    }
    Ok(())
}

/// Names as people read them: `` `a` and `b` ``.
fn words(names: &[mcpanel_domain::Name]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(" and ")
}

/// Refuses a change whose author saw another revision.
fn check_revision(task: &Task, given: Option<u64>) -> Result<()> {
    match given.filter(|given| *given != task.revision) {
        Some(given) => Err(Rejection::RevisionMismatch {
            what: "task",
            current: task.revision,
            given,
        }
        .into()),
        None => Ok(()),
    }
}
