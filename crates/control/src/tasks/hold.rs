//! What the holder of a lease does: start, report, complete, fail, give back.

use std::{collections::HashSet, sync::Arc};

use mcpanel_domain::{
    Fault, Payload, Rejection, TaskId,
    limits::{BATCH_TASKS_MAX, PAYLOAD_BYTES_MAX, TEXT_CHARS_MAX},
    task::{self, Command, Effect, Progress, Proof, Task, TaskError, command::Held},
    text::bad_text,
};
use mcpanel_store::{Commit, Write};

use super::TaskManager;
use crate::{
    Error, Result, Scope, act,
    core::Core,
    grants::{Agents, Shown},
};

/// One completion of a batch.
#[derive(Debug, Clone)]
pub struct Completion {
    /// Which task.
    pub task_id: TaskId,
    /// What the holder shows.
    pub proof: Proof,
    /// What came out.
    pub result: Option<Payload>,
}

impl TaskManager {
    /// The holder began.
    pub async fn start(&self, scope: &Scope, id: &TaskId, proof: Proof) -> Result<Arc<Task>> {
        self.hold(scope, id, proof, Command::Start).await
    }

    /// The holder tells how far it is.
    pub async fn report(
        &self,
        scope: &Scope,
        id: &TaskId,
        proof: Proof,
        progress: Progress,
    ) -> Result<Arc<Task>> {
        check_progress(&progress)?;
        self.hold(scope, id, proof, |held| Command::Report {
            held,
            progress: progress.clone(),
        })
        .await
    }

    /// The holder is done. Said again with the same lease, it is answered the same.
    pub async fn complete(&self, scope: &Scope, completion: Completion) -> Result<Arc<Task>> {
        let mut outcomes = self.complete_all(scope, vec![completion]).await?;
        outcomes.pop().unwrap_or_else(|| {
            Err(Error::Contended {
                id: "completion".to_owned(),
            })
        })
    }

    /// Many completions at once; each succeeds or fails by itself.
    pub async fn complete_batch(
        &self,
        scope: &Scope,
        completions: Vec<Completion>,
    ) -> Result<Vec<Result<Arc<Task>>>> {
        if completions.is_empty() || completions.len() > BATCH_TASKS_MAX {
            return Err(Error::invalid(vec![Fault::new(
                "/completions",
                "count",
                format!(
                    "has {} items; must have 1 to {BATCH_TASKS_MAX}",
                    completions.len()
                ),
            )]));
        }
        let mut seen = HashSet::new();
        for (at, completion) in completions.iter().enumerate() {
            if !seen.insert(&completion.task_id) {
                return Err(Rejection::fault(
                    format!("/completions/{at}/task_id"),
                    "repeated",
                    format!("is `{}` a second time", completion.task_id),
                )
                .into());
            }
        }
        self.complete_all(scope, completions).await
    }

    /// The holder failed.
    pub async fn fail(
        &self,
        scope: &Scope,
        id: &TaskId,
        proof: Proof,
        error: TaskError,
    ) -> Result<Arc<Task>> {
        check_text("/error/message", &error.message)?;
        check_size("/error/details", error.details.as_ref())?;
        let random = self.core.jitter();
        self.hold(scope, id, proof, |held| Command::Fail {
            held,
            error: error.clone(),
            random,
        })
        .await
    }

    /// The holder gives it back unharmed.
    pub async fn release(
        &self,
        scope: &Scope,
        id: &TaskId,
        proof: Proof,
        reason: String,
    ) -> Result<Arc<Task>> {
        check_text("/reason", &reason)?;
        self.hold(scope, id, proof, |held| Command::Release {
            held,
            reason: reason.clone(),
        })
        .await
    }

    /// The holder stopped because it was asked to.
    pub async fn confirm_cancel(
        &self,
        scope: &Scope,
        id: &TaskId,
        proof: Proof,
    ) -> Result<Arc<Task>> {
        self.hold(scope, id, proof, Command::ConfirmCancel).await
    }

    async fn hold<F>(
        &self,
        scope: &Scope,
        id: &TaskId,
        proof: Proof,
        command: F,
    ) -> Result<Arc<Task>>
    where
        F: Fn(Held) -> Command,
    {
        let shown = Some(Shown {
            agent: scope.agent.as_ref(),
            proof,
        });
        let changed = self
            .core
            .change_task_shown(
                &scope.namespace,
                Some(&scope.actor),
                id,
                shown,
                |task, alive_until| {
                    check_holder(scope, task)?;
                    Ok(command(Held { proof, alive_until }))
                },
            )
            .await?;
        act::perform(&self.core, &scope.namespace, changed.effects).await;
        Ok(changed.task)
    }

    async fn complete_all(
        &self,
        scope: &Scope,
        completions: Vec<Completion>,
    ) -> Result<Vec<Result<Arc<Task>>>> {
        for (at, completion) in completions.iter().enumerate() {
            check_size(
                &format!("/completions/{at}/result"),
                completion.result.as_ref(),
            )?;
        }
        let ids: Vec<TaskId> = completions
            .iter()
            .map(|each| each.task_id.clone())
            .collect();
        for _ in Core::tries() {
            let tasks = self.core.store.tasks(&scope.namespace, &ids).await?;
            let mut commit = Commit::default();
            let mut outcomes = Vec::with_capacity(completions.len());
            let mut effects: Vec<Effect> = Vec::new();
            let mut agents = Agents::new(&self.core, &scope.namespace);
            for (completion, task) in completions.iter().zip(tasks) {
                let decided = self
                    .decide_completion(scope, &mut agents, completion, task)
                    .await;
                outcomes.push(decided.map(|decided| {
                    effects.extend(decided.effects);
                    commit.events.extend(decided.events);
                    if decided.is_new {
                        commit.writes.push(Write::Task {
                            task: decided.task.clone(),
                            parameters: None,
                            result: completion.result.clone(),
                        });
                    }
                    decided.task
                }));
            }
            if commit.is_empty() {
                return Ok(outcomes);
            }
            match self.core.commit(commit.caused_by(&scope.actor)).await {
                Ok(()) => {
                    effects.dedup();
                    act::perform(&self.core, &scope.namespace, effects).await;
                    return Ok(outcomes);
                }
                Err(error) if error.conflict().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended {
            id: ids.first().map(ToString::to_string).unwrap_or_default(),
        })
    }

    async fn decide_completion(
        &self,
        scope: &Scope,
        agents: &mut Agents<'_>,
        completion: &Completion,
        document: Option<Arc<Task>>,
    ) -> Result<Decided> {
        let document = document.ok_or_else(|| Rejection::not_found("task", &completion.task_id))?;
        let shown = Shown {
            agent: scope.agent.as_ref(),
            proof: completion.proof,
        };
        let standing = agents.stand(document, Some(shown)).await?;
        let task = standing.task.clone();
        check_holder(scope, &task)?;
        let held = Held {
            proof: completion.proof,
            alive_until: agents.alive_until(&task).await?,
        };
        let decision = task::decide(&task, Command::Complete(held), self.core.now())?;
        Ok(match decision.task {
            Some(next) => Decided {
                is_new: true,
                task: Arc::new(next),
                events: standing.events(decision.events),
                effects: decision.effects,
            },
            None => Decided {
                is_new: false,
                task,
                events: Vec::new(),
                effects: decision.effects,
            },
        })
    }
}

/// A completion that the rules allow.
struct Decided {
    task: Arc<Task>,
    /// Whether it changes the document (it does not when it is repeated).
    is_new: bool,
    events: Vec<mcpanel_domain::event::Event>,
    effects: Vec<Effect>,
}

/// An agent acts only on its own leases, whatever token it shows.
fn check_holder(scope: &Scope, task: &Task) -> Result<()> {
    match (&scope.agent, task.last_agent()) {
        (Some(agent), Some(holder)) if agent != holder => Err(Rejection::StaleLease {
            why: "another agent holds it",
        }
        .into()),
        _ => Ok(()),
    }
}

fn check_progress(progress: &Progress) -> Result<()> {
    let mut faults = Vec::new();
    if !(0.0..=100.0).contains(&progress.percent) {
        faults.push(Fault::new(
            "/progress",
            "out_of_range",
            format!("is {}; must be from 0 to 100", progress.percent),
        ));
    }
    if progress.counters.len() > task::COUNTERS_MAX {
        faults.push(Fault::new(
            "/counters",
            "too_many",
            format!(
                "has {} items; at most {}",
                progress.counters.len(),
                task::COUNTERS_MAX
            ),
        ));
    }
    if let Some(message) = &progress.message {
        check_text("/message", message)?;
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid(faults))
    }
}

fn check_text(pointer: &str, text: &str) -> Result<()> {
    match bad_text(text, TEXT_CHARS_MAX) {
        Some(why) => Err(Rejection::fault(pointer, "too_long", why).into()),
        None => Ok(()),
    }
}

fn check_size(pointer: &str, payload: Option<&Payload>) -> Result<()> {
    let size = payload.map_or(0, Payload::size_bytes);
    if size > PAYLOAD_BYTES_MAX {
        return Err(Rejection::fault(
            pointer,
            "too_large",
            format!("has {size} bytes; at most {PAYLOAD_BYTES_MAX}. Store larger data as an artifact and name its id"),
        )
        .into());
    }
    Ok(())
}
