//! Operations: one wish about many tasks, carried out step by step behind the caller's back.
//!
//! A step changes some tasks and moves the operation's cursor in one commit, guarded by the revisions of all of
//! them, so that whichever instance dies or is faster, no task is dealt with twice and none is passed over.
//! [`Control::tick`](crate::Control::tick) takes the steps; [`Control::sweep`](crate::Control::sweep) forgets what
//! ended long ago.

mod retention;
mod step;

use std::sync::Arc;

use mcpanel_domain::{
    Namespace, OperationId, Rejection,
    operation::{self, Command, Kind, Matched, NewOperation, Operation},
    task::Search,
};
use mcpanel_store::{
    Commit, Write,
    query::{Listing, OperationFilter, Page},
};

#[cfg(test)]
pub(crate) use retention::{OPERATIONS_KEPT, OPERATIONS_KEPT_MS};
pub(crate) use retention::{Retention, forget_old};
pub(crate) use step::step;

use crate::{Created, Error, Idempotency, Result, Scope, core::Core, tasks::count};

/// How far tasks are counted before an operation begins: people want to know whether it is three or thousands.
pub const PREVIEW_TASKS_MAX: u64 = 10_000;

/// Operations on many tasks.
#[derive(Clone)]
pub struct OperationManager {
    core: Arc<Core>,
}

/// What a caller says about a new operation.
#[derive(Debug, Clone)]
pub struct OperationRequest {
    /// What is wished.
    pub kind: Kind,
    /// Of which tasks.
    pub search: Search,
    /// That every task is meant, where the search names none in particular.
    pub all: bool,
    /// Why, for people.
    pub reason: Option<String>,
}

impl OperationManager {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// How many tasks an operation would go through, counted up to [`PREVIEW_TASKS_MAX`]. Nothing is changed.
    pub async fn preview(&self, scope: &Scope, request: OperationRequest) -> Result<Matched> {
        self.check(scope, request.clone())?;
        self.matched(&scope.namespace, request).await
    }

    /// Begins an operation; it goes on by itself.
    pub async fn create(
        &self,
        scope: &Scope,
        request: OperationRequest,
        idempotency: Option<&Idempotency>,
    ) -> Result<Created<Arc<Operation>>> {
        self.check(scope, request.clone())?;
        let mut matched = None;
        for _ in Core::tries() {
            if let Some(id) =
                Idempotency::outcome::<OperationId>(idempotency, &self.core, scope).await?
            {
                return Ok(Created::replayed(self.get(scope, &id).await?));
            }
            let matched = match matched {
                Some(matched) => matched,
                None => *matched.insert(self.matched(&scope.namespace, request.clone()).await?),
            };
            let new = self.new_operation(request.clone());
            let now = self.core.now();
            let decision = operation::create(new, matched, &scope.namespace, &scope.actor, now)?;
            let Some(operation) = decision.operation.map(Arc::new) else {
                return Err(Rejection::not_found("operation", "new").into());
            };
            let mut commit =
                Commit::of(Write::Operation(operation.clone())).with_events(decision.events);
            if let Some(idempotency) = idempotency {
                commit
                    .writes
                    .push(idempotency.record(&self.core, scope, &operation.id)?);
            }
            match self.core.commit(commit.caused_by(&scope.actor)).await {
                Ok(()) => return Ok(Created::new(operation)),
                // The same request at the same time.
                Err(error) if error.conflict().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended {
            id: "idempotency".to_owned(),
        })
    }

    /// An operation.
    pub async fn get(&self, scope: &Scope, id: &OperationId) -> Result<Arc<Operation>> {
        self.core
            .store
            .operation(&scope.namespace, id)
            .await?
            .ok_or_else(|| Rejection::not_found("operation", id).into())
    }

    /// A page of operations, newest first.
    pub async fn list(
        &self,
        scope: &Scope,
        filter: &OperationFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Operation>>> {
        Ok(self
            .core
            .store
            .list_operations(&scope.namespace, filter, page)
            .await?)
    }

    /// Stops an operation. What it has done stays done.
    pub async fn abort(&self, scope: &Scope, id: &OperationId) -> Result<Arc<Operation>> {
        for _ in Core::tries() {
            let operation = self.get(scope, id).await?;
            let command = Command::Abort {
                by: scope.actor.to_string(),
            };
            let decision = operation::decide(&operation, command, self.core.now())?;
            let Some(next) = decision.operation.map(Arc::new) else {
                return Ok(operation);
            };
            let commit = Commit::of(Write::Operation(next.clone())).with_events(decision.events);
            match self.core.commit(commit.caused_by(&scope.actor)).await {
                Ok(()) => return Ok(next),
                Err(error) if error.conflict().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended { id: id.to_string() })
    }

    /// Refuses what could not be begun, before anything is counted.
    fn check(&self, scope: &Scope, request: OperationRequest) -> Result<()> {
        operation::create(
            self.new_operation(request),
            Matched::default(),
            &scope.namespace,
            &scope.actor,
            self.core.now(),
        )?;
        Ok(())
    }

    fn new_operation(&self, request: OperationRequest) -> NewOperation {
        NewOperation {
            id: OperationId::generate(self.core.now(), self.core.random()),
            kind: request.kind,
            search: request.search,
            all: request.all,
            reason: request.reason,
        }
    }

    async fn matched(&self, namespace: &Namespace, request: OperationRequest) -> Result<Matched> {
        let search = request.kind.narrow(request.search);
        count(&self.core, namespace, &search, PREVIEW_TASKS_MAX).await
    }
}
