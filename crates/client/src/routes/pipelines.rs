//! Pipelines and templates.

use mcpanel_api::{
    PipelineId, TemplateId,
    page::PageQuery,
    pipeline::{
        CancelPipeline, NewPipeline, Pipeline, PipelinePage, PipelineProgress, PipelineQuery,
        RetryPipeline, UpdatePipeline,
    },
    template::{NewTemplate, Template, TemplatePage, TemplateVersionQuery},
};
use reqwest::Method;

use crate::{Client, Created, IdempotencyKey, Result};

impl Client {
    /// Makes a pipeline, and begins it where `execute` says so.
    pub async fn create_pipeline(
        &self,
        pipeline: &NewPipeline,
        key: &IdempotencyKey,
    ) -> Result<Pipeline> {
        self.create_or_find_pipeline(pipeline, key)
            .await
            .map(|created| created.document)
    }

    /// Makes a pipeline, and tells whether an equal request made it before.
    pub async fn create_or_find_pipeline(
        &self,
        pipeline: &NewPipeline,
        key: &IdempotencyKey,
    ) -> Result<Created<Pipeline>> {
        self.post("/api/v1/pipelines", pipeline)
            .keyed(key)
            .created()
            .await
    }

    /// A page of pipelines.
    pub async fn list_pipelines(&self, query: &PipelineQuery) -> Result<PipelinePage> {
        self.read("/api/v1/pipelines").query(query).answer().await
    }

    /// A pipeline.
    pub async fn get_pipeline(&self, id: &PipelineId) -> Result<Pipeline> {
        self.read(&pipeline(id)).answer().await
    }

    /// Changes how a pipeline is described, where it is still at `revision`; at any when `None`.
    pub async fn update_pipeline(
        &self,
        id: &PipelineId,
        changes: &UpdatePipeline,
        revision: Option<u64>,
    ) -> Result<Pipeline> {
        self.change(Method::PUT, &pipeline(id))
            .json(changes)
            .if_match(revision)
            .answer()
            .await
    }

    /// How far a pipeline is.
    pub async fn pipeline_progress(&self, id: &PipelineId) -> Result<PipelineProgress> {
        self.read(&format!("{}/progress", pipeline(id)))
            .answer()
            .await
    }

    /// Begins a pipeline.
    pub async fn execute_pipeline(&self, id: &PipelineId) -> Result<Pipeline> {
        self.change(Method::POST, &format!("{}/execute", pipeline(id)))
            .answer()
            .await
    }

    /// Begins one stage of a pipeline.
    pub async fn execute_stage(&self, id: &PipelineId, stage: u16) -> Result<Pipeline> {
        let path = format!("{}/stages/{stage}/execute", pipeline(id));
        self.change(Method::POST, &path).answer().await
    }

    /// Cancels a pipeline with all its tasks.
    pub async fn cancel_pipeline(&self, id: &PipelineId, reason: Option<&str>) -> Result<Pipeline> {
        let cancel = CancelPipeline {
            reason: reason.map(str::to_owned),
        };
        self.post(&format!("{}/cancel", pipeline(id)), &cancel)
            .repeatable()
            .answer()
            .await
    }

    /// Runs an ended pipeline again, from a stage or from where it failed.
    pub async fn retry_pipeline(
        &self,
        id: &PipelineId,
        from_stage: Option<u16>,
    ) -> Result<Pipeline> {
        let retry = RetryPipeline { from_stage };
        self.post(&format!("{}/retry", pipeline(id)), &retry)
            .answer()
            .await
    }

    /// Makes a template, or a new version of one.
    pub async fn create_template(
        &self,
        template: &NewTemplate,
        key: &IdempotencyKey,
    ) -> Result<Template> {
        self.create_or_find_template(template, key)
            .await
            .map(|created| created.document)
    }

    /// Makes a template or a version of one, and tells whether an equal request made it before.
    pub async fn create_or_find_template(
        &self,
        template: &NewTemplate,
        key: &IdempotencyKey,
    ) -> Result<Created<Template>> {
        self.post("/api/v1/templates", template)
            .keyed(key)
            .created()
            .await
    }

    /// A page of templates.
    pub async fn list_templates(&self, page: &PageQuery) -> Result<TemplatePage> {
        self.read("/api/v1/templates").query(page).answer().await
    }

    /// A version of a template; the newest when none is named.
    pub async fn get_template(&self, id: &TemplateId, version: Option<u32>) -> Result<Template> {
        self.read(&format!("/api/v1/templates/{id}"))
            .query(&TemplateVersionQuery { version })
            .answer()
            .await
    }
}

fn pipeline(id: &PipelineId) -> String {
    format!("/api/v1/pipelines/{id}")
}
