//! One step of an operation.

use std::{collections::HashMap, sync::Arc};

use mcpanel_domain::{
    Namespace, OperationId, PipelineId,
    operation::{self, Cursor, Kind, Operation, Step},
    pipeline::Pipeline,
    task::{self, Effect, Task},
};
use mcpanel_store::{
    Commit, Write,
    query::{Page, Position},
};

use crate::{
    Error, Result, act,
    core::Core,
    grants::Standing,
    tasks::{find, refuse_replay},
};

/// Tasks changed in one commit: few enough that it seldom meets a task that changes just then, enough that
/// thousands take seconds.
const STEP_TASKS: usize = 200;

/// Tries of a step as one commit. A task that others keep changing is then dealt with by itself.
const WHOLE_TRIES: u32 = 3;

/// How a step ended.
enum Outcome {
    /// There is more to do.
    Onward,
    /// There is not, or somebody else does it.
    Rest,
    /// A task changed meanwhile.
    Overtaken,
}

/// Takes the next step of an operation; tells whether another should follow at once.
pub(crate) async fn step(core: &Core, namespace: &Namespace, id: &OperationId) -> Result<bool> {
    for _ in 0..WHOLE_TRIES {
        match take(core, namespace, id, true).await {
            Ok(Outcome::Onward) => return Ok(true),
            Ok(Outcome::Rest) => return Ok(false),
            Ok(Outcome::Overtaken) => {}
            Err(Error::Store(error @ mcpanel_store::Error::Damaged { .. })) => {
                return give_up(core, namespace, id, &error).await;
            }
            Err(error) => return Err(error),
        }
    }
    let outcome = take(core, namespace, id, false).await?;
    Ok(matches!(outcome, Outcome::Onward))
}

async fn take(
    core: &Core,
    namespace: &Namespace,
    id: &OperationId,
    together: bool,
) -> Result<Outcome> {
    let Some(operation) = core.store.operation(namespace, id).await? else {
        return Ok(Outcome::Rest);
    };
    if operation.status.is_terminal() {
        return Ok(Outcome::Rest);
    }
    let page = Page {
        after: operation.cursor.as_ref().map(|cursor| Position {
            created_at: cursor.created_at,
            id: cursor.id.clone(),
        }),
        limit: STEP_TASKS,
    };
    let listing = find(core, namespace, &operation.tasks(), &page).await?;
    let mut work = Work::of(core, &operation);
    for each in core.stand(namespace, listing.items).await {
        if together {
            work.plan(each).await?;
        } else {
            work.change(&each.task).await?;
        }
    }
    let mut step = work.step;
    step.cursor = listing.next.map(|next| Cursor {
        created_at: next.created_at,
        id: next.id,
    });
    let more = step.cursor.is_some();
    let decision = operation::decide(&operation, operation::Command::Advance(step), core.now())?;
    let by: Arc<str> = operation.created_by.as_str().into();
    // What tasks went through was asked for; how far the operation is, the server tells by itself.
    let mut commit = work.commit.caused_by(&by).with_events(decision.events);
    commit.writes.extend(
        decision
            .operation
            .map(|next| Write::Operation(Arc::new(next))),
    );
    match core.commit(commit).await {
        Ok(()) => {
            act::perform(core, namespace, work.effects).await;
            Ok(if more { Outcome::Onward } else { Outcome::Rest })
        }
        Err(error) => match error.conflict() {
            // Another instance was faster, or somebody aborted it: leave it to them.
            Some(conflict) if conflict.what == "operation" => Ok(Outcome::Rest),
            Some(_) => Ok(Outcome::Overtaken),
            None => Err(error),
        },
    }
}

/// What a step does.
struct Work<'a> {
    core: &'a Core,
    operation: &'a Operation,
    pipelines: HashMap<PipelineId, Option<Arc<Pipeline>>>,
    commit: Commit,
    effects: Vec<Effect>,
    step: Step,
}

impl<'a> Work<'a> {
    fn of(core: &'a Core, operation: &'a Operation) -> Self {
        Self {
            core,
            operation,
            pipelines: HashMap::new(),
            commit: Commit::default(),
            effects: Vec::new(),
            step: Step::default(),
        }
    }

    fn command(&self) -> task::Command {
        match self.operation.kind {
            Kind::Retry => task::Command::Replay,
            Kind::Cancel => task::Command::Cancel {
                by: self.operation.created_by.clone(),
                reason: self.operation.reason.clone(),
            },
        }
    }

    /// Takes the change of a task into the step's commit.
    async fn plan(&mut self, standing: Standing) -> Result<()> {
        if !self.allows(&standing.task).await? {
            self.step.skipped += 1;
            return Ok(());
        }
        match task::decide(&standing.task, self.command(), self.core.now()) {
            Ok(decision) => match decision.task {
                Some(next) => {
                    self.commit.writes.push(Write::Task {
                        task: Arc::new(next),
                        parameters: None,
                        result: None,
                    });
                    self.commit.events.extend(standing.events(decision.events));
                    self.effects.extend(decision.effects);
                    self.step.done += 1;
                }
                None => self.step.skipped += 1,
            },
            Err(_) => self.step.skipped += 1,
        }
        Ok(())
    }

    /// Changes a task by itself. Done before the step is recorded; done again after a crash, it is skipped.
    async fn change(&mut self, task: &Task) -> Result<()> {
        if !self.allows(task).await? {
            self.step.skipped += 1;
            return Ok(());
        }
        let command = self.command();
        let by: Arc<str> = self.operation.created_by.as_str().into();
        let changed = self
            .core
            .change_task(&task.namespace, Some(&by), &task.id, |_, _| {
                Ok(command.clone())
            })
            .await;
        match changed {
            Ok(changed) => {
                if changed.task.revision > task.revision {
                    self.step.done += 1;
                } else {
                    self.step.skipped += 1;
                }
                self.effects.extend(changed.effects);
            }
            Err(Error::Rejected(_)) => self.step.skipped += 1,
            Err(Error::Contended { .. }) => self.step.failed += 1,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Whether the task's pipeline lets it come back, where that is wished.
    async fn allows(&mut self, task: &Task) -> Result<bool> {
        let Some(place) = task
            .place
            .as_ref()
            .filter(|_| self.operation.kind == Kind::Retry)
        else {
            return Ok(true);
        };
        let pipeline = match self.pipelines.get(&place.pipeline_id) {
            Some(known) => known.clone(),
            None => {
                let found = self
                    .core
                    .store
                    .pipeline(&task.namespace, &place.pipeline_id)
                    .await?;
                self.pipelines
                    .insert(place.pipeline_id.clone(), found.clone());
                found
            }
        };
        Ok(pipeline.is_none_or(|pipeline| refuse_replay(place, &pipeline).is_none()))
    }
}

/// Ends an operation that stumbled over something that will not mend by itself.
async fn give_up(
    core: &Core,
    namespace: &Namespace,
    id: &OperationId,
    error: &mcpanel_store::Error,
) -> Result<bool> {
    tracing::error!(operation.id = %id, %error, "an operation cannot go on");
    let Some(operation) = core.store.operation(namespace, id).await? else {
        return Ok(false);
    };
    let why = format!("a task cannot be read: {error}");
    let decision = operation::decide(&operation, operation::Command::Fail { why }, core.now())?;
    if let Some(next) = decision.operation {
        let commit = Commit::of(Write::Operation(Arc::new(next))).with_events(decision.events);
        match core.commit(commit).await {
            Err(error) if error.conflict().is_none() => return Err(error),
            _ => {}
        }
    }
    Ok(false)
}
