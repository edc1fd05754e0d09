//! Creating tasks: one, or many that are created together or not at all.

use std::{collections::HashMap, sync::Arc};

use mcpanel_domain::{
    Fault, Rejection, TaskId,
    limits::BATCH_TASKS_MAX,
    task::{NewTask, Task},
};
use mcpanel_store::{Commit, Write, hot::DependencyState};

use super::{TaskManager, TaskView, dependencies::find_cycle};
use crate::{Created, Error, Idempotency, Result, Scope, core::Core};

impl TaskManager {
    /// A fresh task id.
    pub fn new_id(&self) -> TaskId {
        TaskId::generate(self.core.now(), self.core.random())
    }

    /// Creates one task.
    pub async fn create(
        &self,
        scope: &Scope,
        new: NewTask,
        idempotency: Option<&Idempotency>,
    ) -> Result<Created<TaskView>> {
        let created = self
            .create_all(scope, vec![new], idempotency, |_| String::new())
            .await?;
        let replayed = created.replayed;
        let value = created
            .value
            .into_iter()
            .next()
            .ok_or_else(|| Rejection::not_found("task", "of the first request"))?;
        Ok(Created { value, replayed })
    }

    /// Creates many tasks, all or none; they may depend on each other. Faults point below `/tasks`.
    pub async fn create_batch(
        &self,
        scope: &Scope,
        new: Vec<NewTask>,
        idempotency: Option<&Idempotency>,
    ) -> Result<Created<Vec<TaskView>>> {
        if new.is_empty() || new.len() > BATCH_TASKS_MAX {
            return Err(Error::invalid(vec![Fault::new(
                "/tasks",
                "count",
                format!("has {} items; must have 1 to {BATCH_TASKS_MAX}", new.len()),
            )]));
        }
        self.create_all(scope, new, idempotency, |at| format!("/tasks/{at}"))
            .await
    }

    async fn create_all(
        &self,
        scope: &Scope,
        new: Vec<NewTask>,
        idempotency: Option<&Idempotency>,
        pointer: impl Fn(usize) -> String,
    ) -> Result<Created<Vec<TaskView>>> {
        for _ in Core::tries() {
            if let Some(ids) =
                Idempotency::outcome::<Vec<TaskId>>(idempotency, &self.core, scope).await?
            {
                let tasks = self.core.store.tasks(&scope.namespace, &ids).await?;
                let tasks = tasks.into_iter().flatten().collect();
                return Ok(Created::replayed(self.with_payloads(scope, tasks).await?));
            }
            self.check_new(scope, &new, &pointer).await?;
            let mut commit = Commit::default();
            let mut views = Vec::with_capacity(new.len());
            for each in &new {
                let decision = each.create(&scope.namespace, &scope.actor, self.core.now());
                commit.events.extend(decision.events);
                if let Some(task) = decision.task {
                    let task = Arc::new(task);
                    commit.writes.push(Write::Task {
                        task: task.clone(),
                        parameters: Some(each.parameters.clone()),
                        result: None,
                    });
                    views.push(view(task, each));
                }
            }
            if let Some(request) = idempotency {
                let ids: Vec<&TaskId> = new.iter().map(|each| &each.id).collect();
                commit.writes.push(request.record(&self.core, scope, &ids)?);
            }
            match self.core.commit(commit.caused_by(&scope.actor)).await {
                Ok(()) => return Ok(Created::new(views)),
                Err(error) => match error.conflict() {
                    // The same request, at the same time: the next round finds its outcome.
                    Some(conflict) if conflict.what == "idempotency" => {}
                    Some(conflict) => {
                        let twin =
                            Idempotency::outcome::<Vec<TaskId>>(idempotency, &self.core, scope);
                        // The same request at the same time, with ids of its own.
                        if twin.await?.is_some() {
                            continue;
                        }
                        return Err(Rejection::Exists {
                            what: "task",
                            id: conflict.id.clone(),
                        }
                        .into());
                    }
                    None => return Err(error),
                },
            }
        }
        Err(Error::Contended {
            id: "idempotency".to_owned(),
        })
    }

    /// Everything wrong with new tasks, alone and together.
    async fn check_new(
        &self,
        scope: &Scope,
        new: &[NewTask],
        pointer: &impl Fn(usize) -> String,
    ) -> Result<()> {
        let now = self.core.now();
        let mut faults = Vec::new();
        let mut own: HashMap<&TaskId, &[TaskId]> = HashMap::with_capacity(new.len());
        for (at, each) in new.iter().enumerate() {
            faults.extend(
                each.faults(now)
                    .into_iter()
                    .map(|fault| fault.under(&pointer(at))),
            );
            if own.insert(&each.id, &each.dependencies).is_some() {
                faults.push(Fault::new(
                    format!("{}/task_id", pointer(at)),
                    "repeated",
                    format!("is `{}` a second time", each.id),
                ));
            }
        }
        if !faults.is_empty() {
            return Err(Error::invalid(faults));
        }
        if new.iter().all(|each| each.dependencies.is_empty()) {
            return Ok(());
        }
        let outside: Vec<TaskId> = new
            .iter()
            .flat_map(|each| &each.dependencies)
            .filter(|id| !own.contains_key(id))
            .cloned()
            .collect();
        let found = self.core.store.tasks(&scope.namespace, &outside).await?;
        let known: HashMap<&TaskId, Option<Arc<Task>>> = outside.iter().zip(found).collect();
        for (at, each) in new.iter().enumerate() {
            for (place, dependency) in each.dependencies.iter().enumerate() {
                if own.contains_key(dependency) {
                    continue;
                }
                let task = known.get(dependency).and_then(Option::as_ref);
                if let Some(detail) = unusable(dependency, task) {
                    faults.push(Fault::new(
                        format!("{}/dependencies/{place}", pointer(at)),
                        "unknown_dependency",
                        detail,
                    ));
                }
            }
        }
        if !faults.is_empty() {
            return Err(Error::invalid(faults));
        }
        if let Some(cycle) = find_cycle(&own) {
            let at = new
                .iter()
                .position(|each| Some(&each.id) == cycle.first())
                .unwrap_or(0);
            return Err(Rejection::DependencyCycle {
                cycle,
                pointer: format!("{}/dependencies", pointer(at)),
            }
            .into());
        }
        Ok(())
    }
}

/// Why nothing can wait for this task, if nothing can.
pub(super) fn unusable(id: &TaskId, task: Option<&Arc<Task>>) -> Option<String> {
    match (task, DependencyState::of(task.map(|task| task.status()))) {
        (None, _) => Some(format!("names no task: `{id}`")),
        (Some(task), DependencyState::Dead) => Some(format!(
            "names `{id}`, which is {} and will not complete; retry it first",
            task.status().as_str()
        )),
        (Some(_), DependencyState::Completed | DependencyState::Open) => None,
    }
}

fn view(task: Arc<Task>, new: &NewTask) -> TaskView {
    TaskView {
        task,
        payloads: mcpanel_store::query::Payloads {
            parameters: new.parameters.clone(),
            result: None,
        },
    }
}
