//! Pipelines: creating and steering runs, and letting them go on as their tasks end.

mod advance;
mod bulk;
mod fill;
mod inputs;
mod output;
mod pace;
mod reports;
mod search;
mod templates;

use std::sync::Arc;

use mcpanel_domain::{
    Payload, PipelineId, Rejection, TemplateId,
    pipeline::{self, Changes, Command, Facts, NewPipeline, Pipeline, StageDefinition},
};
use mcpanel_store::{
    Commit, Write,
    query::{Listing, Page, PipelineFilter},
};

pub(crate) use advance::advance;
pub use pace::StagePace;
pub use reports::{REPORTED_TASKS_MAX, StageReport};
pub use search::PipelineSearch;

use crate::{Created, Error, Idempotency, Result, Scope, core::Core};

/// Pipelines and templates.
#[derive(Clone)]
pub struct PipelineOrchestrator {
    core: Arc<Core>,
}

/// A pipeline with the counts of its tasks.
#[derive(Debug, Clone)]
pub struct PipelineView {
    /// The pipeline.
    pub pipeline: Arc<Pipeline>,
    /// How many tasks of each stage stand where.
    pub facts: Facts,
}

/// Where the stages of a new pipeline come from.
#[derive(Debug, Clone)]
pub enum StagesFrom {
    /// A template, in its newest or in this version.
    Template(TemplateId, Option<u32>),
    /// The request itself.
    Request(Vec<StageDefinition>),
}

/// What a caller says about a new pipeline.
#[derive(Debug, Clone)]
pub struct PipelineRequest {
    /// Its id; generated where the caller brought none.
    pub id: Option<PipelineId>,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its stages.
    pub stages: StagesFrom,
    /// What it works on.
    pub input_data: Payload,
    /// Free-form.
    pub metadata: Payload,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Priority of its tasks.
    pub priority: i32,
}

impl PipelineOrchestrator {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Creates a pipeline; it waits to be executed.
    pub async fn create(
        &self,
        scope: &Scope,
        request: PipelineRequest,
        idempotency: Option<&Idempotency>,
    ) -> Result<Created<PipelineView>> {
        for _ in Core::tries() {
            if let Some(id) =
                Idempotency::outcome::<PipelineId>(idempotency, &self.core, scope).await?
            {
                return Ok(Created::replayed(self.get(scope, &id).await?));
            }
            let new = self.resolve(scope, request.clone()).await?;
            let decision = pipeline::create(new, &scope.namespace, &scope.actor, self.core.now())?;
            let Some(pipeline) = decision.pipeline.map(Arc::new) else {
                return Err(Rejection::not_found("pipeline", "new").into());
            };
            let mut commit =
                Commit::of(Write::Pipeline(pipeline.clone())).with_events(decision.events);
            if let Some(idempotency) = idempotency {
                commit
                    .writes
                    .push(idempotency.record(&self.core, scope, &pipeline.id)?);
            }
            match self.core.commit(commit.caused_by(&scope.actor)).await {
                Ok(()) => {
                    return Ok(Created::new(PipelineView {
                        pipeline,
                        facts: Facts::default(),
                    }));
                }
                Err(error) => match error.conflict() {
                    Some(conflict) if conflict.what == "idempotency" => {}
                    Some(conflict) => {
                        let twin =
                            Idempotency::outcome::<PipelineId>(idempotency, &self.core, scope);
                        // The same request at the same time, with an id of its own.
                        if twin.await?.is_some() {
                            continue;
                        }
                        return Err(Rejection::Exists {
                            what: "pipeline",
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

    /// A pipeline with its counts.
    pub async fn get(&self, scope: &Scope, id: &PipelineId) -> Result<PipelineView> {
        let pipeline = self
            .core
            .store
            .pipeline(&scope.namespace, id)
            .await?
            .ok_or_else(|| Rejection::not_found("pipeline", id))?;
        self.view(pipeline).await
    }

    /// A page of pipelines, newest first.
    pub async fn list(
        &self,
        scope: &Scope,
        filter: &PipelineFilter,
        page: &Page,
    ) -> Result<Listing<PipelineView>> {
        self.search(scope, &filter.clone().into(), page).await
    }

    /// Begins to run it.
    pub async fn execute(&self, scope: &Scope, id: &PipelineId) -> Result<PipelineView> {
        self.change(scope, id, |_, _| Ok(Command::Execute)).await
    }

    /// Begins with a stage, or runs it now, or runs what failed in it again.
    pub async fn execute_stage(
        &self,
        scope: &Scope,
        id: &PipelineId,
        stage: u16,
    ) -> Result<PipelineView> {
        self.change(scope, id, |_, _| Ok(Command::ExecuteStage { stage }))
            .await
    }

    /// Stops it.
    pub async fn cancel(
        &self,
        scope: &Scope,
        id: &PipelineId,
        reason: Option<String>,
    ) -> Result<PipelineView> {
        self.change(scope, id, |_, _| {
            Ok(Command::Cancel {
                by: scope.actor.to_string(),
                reason: reason.clone(),
            })
        })
        .await
    }

    /// Runs again what failed or was cancelled, or everything from a stage on.
    pub async fn retry(
        &self,
        scope: &Scope,
        id: &PipelineId,
        from: Option<u16>,
    ) -> Result<PipelineView> {
        self.change(scope, id, |_, percent| {
            Ok(Command::Replay { from, percent })
        })
        .await
    }

    /// Changes its description. With `revision`, only when it is still at that one.
    pub async fn update(
        &self,
        scope: &Scope,
        id: &PipelineId,
        changes: Changes,
        revision: Option<u64>,
    ) -> Result<PipelineView> {
        self.change(scope, id, |pipeline, _| {
            if let Some(given) = revision.filter(|given| *given != pipeline.revision) {
                return Err(Rejection::RevisionMismatch {
                    what: "pipeline",
                    current: pipeline.revision,
                    given,
                }
                .into());
            }
            Ok(Command::Update(changes.clone()))
        })
        .await
    }

    /// Load, decide, commit; then let it go on as far as it can. `command` is told the pipeline and how many per
    /// cent of it are done.
    async fn change<F>(
        &self,
        scope: &Scope,
        id: &PipelineId,
        mut command: F,
    ) -> Result<PipelineView>
    where
        F: FnMut(&Pipeline, f64) -> Result<Command>,
    {
        for _ in Core::tries() {
            let PipelineView { pipeline, facts } = self.get(scope, id).await?;
            let command = command(&pipeline, pipeline.progress(&facts))?;
            let decision = pipeline::decide(&pipeline, command, self.core.now())?;
            let committed = match decision.pipeline {
                Some(next) => {
                    let write = Write::Pipeline(Arc::new(next));
                    self.core
                        .commit(
                            Commit::of(write)
                                .with_events(decision.events)
                                .caused_by(&scope.actor),
                        )
                        .await
                }
                None => Ok(()),
            };
            match committed {
                Ok(()) => {
                    if let Err(error) = advance(&self.core, &scope.namespace, id).await {
                        tracing::warn!(pipeline.id = %id, %error, "cannot advance the pipeline yet; a sweep will");
                    }
                    return self.get(scope, id).await;
                }
                Err(error) if error.conflict().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended { id: id.to_string() })
    }

    async fn view(&self, pipeline: Arc<Pipeline>) -> Result<PipelineView> {
        let stages = self
            .core
            .store
            .stage_counts(&pipeline.namespace, &pipeline.id)
            .await?;
        Ok(PipelineView {
            pipeline,
            facts: Facts {
                stages,
                ..Facts::default()
            },
        })
    }

    async fn resolve(&self, scope: &Scope, request: PipelineRequest) -> Result<NewPipeline> {
        let id = request
            .id
            .unwrap_or_else(|| PipelineId::generate(self.core.now(), self.core.random()));
        let (template, stages) = match request.stages {
            StagesFrom::Request(stages) => (None, stages),
            StagesFrom::Template(template, version) => {
                let found = self.find_template(scope, &template, version).await?;
                let Some(found) = found else {
                    return Err(Rejection::fault(
                        "/template",
                        "unknown_template",
                        match version {
                            Some(version) => {
                                format!("names no template: `{template}` in version {version}")
                            }
                            None => format!("names no template: `{template}`"),
                        },
                    )
                    .into());
                };
                (
                    Some((found.id.clone(), found.version)),
                    found.stages.clone(),
                )
            }
        };
        Ok(NewPipeline {
            id,
            name: request.name,
            description: request.description,
            template,
            stages,
            input_data: request.input_data,
            metadata: request.metadata,
            tags: request.tags,
            priority: request.priority,
        })
    }
}
