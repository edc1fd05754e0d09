//! Events.

use mcpanel_api::event::{Event, EventPayload, LeftOut};
use mcpanel_domain::event::{self as rules, Kind, Numbered};

use crate::error::{ApiError, ApiResult, quoted};

/// An event.
pub fn event(numbered: &Numbered) -> Event {
    let event = &numbered.event;
    Event {
        seq: numbered.seq,
        kind: event.kind.as_str().to_owned(),
        timestamp: event.at,
        namespace: event.namespace.clone(),
        by: event.by.as_deref().map(str::to_owned),
        payload: payload(event),
    }
}

fn payload(event: &rules::Event) -> EventPayload {
    let mut payload = EventPayload {
        task_id: event.task_id.clone(),
        agent_id: event.agent_id.clone(),
        pipeline_id: event.pipeline_id.clone(),
        stage: event.stage,
        status: event.status.as_deref().map(str::to_owned),
        progress: event.progress,
        message: event.message.clone(),
        ..EventPayload::default()
    };
    let subject = event.subject.clone();
    match event.kind {
        // The specification's `progress:update` tells of tasks and of pipelines.
        Kind::Progressed if event.task_id.is_none() => payload.pipeline_name = subject,
        Kind::TaskDelegated => {
            payload.task_type = subject;
            payload.deadline = event.deadline();
            payload.parameters = Some(LeftOut {});
            payload.message = None;
        }
        Kind::TaskCreated
        | Kind::TaskStarted
        | Kind::Progressed
        | Kind::TaskCompleted
        | Kind::TaskFailed
        | Kind::TaskRetrying
        | Kind::TaskReleased
        | Kind::TaskCancelRequested
        | Kind::TaskCancelled
        | Kind::TaskReplayed
        | Kind::TaskUpdated
        | Kind::TaskRevealed => payload.task_type = subject,
        Kind::AgentRegistered => {
            payload.agent_type = subject;
            payload.capabilities = event.capabilities();
            payload.metadata = Some(LeftOut {});
            payload.message = None;
        }
        Kind::AgentUpdated
        | Kind::AgentSuspected
        | Kind::AgentInactivated
        | Kind::AgentRecovered
        | Kind::AgentUnregistered => payload.agent_type = subject,
        Kind::PipelineCreated
        | Kind::PipelineStarted
        | Kind::StageStarted
        | Kind::StageCompleted
        | Kind::StageFailed
        | Kind::PipelineCompleted
        | Kind::PipelineFailed
        | Kind::PipelineCancelled
        | Kind::PipelineReplayed
        | Kind::PipelineUpdated => payload.pipeline_name = subject,
        Kind::ArtifactStored | Kind::ArtifactDeleted => {
            payload.role = subject;
            payload.artifact_id = payload.message.take();
        }
        Kind::TemplateStored => payload.template_id = subject,
        Kind::KeyCreated | Kind::KeyRevoked => payload.key_id = subject,
        Kind::OperationCreated
        | Kind::OperationProgressed
        | Kind::OperationCompleted
        | Kind::OperationAborted
        | Kind::OperationFailed => payload.operation_id = subject,
    }
    payload
}

/// The kinds that begin with a word such as `task:`; all of them for none.
pub fn kinds(prefix: Option<&str>) -> ApiResult<Vec<Kind>> {
    let Some(prefix) = prefix else {
        return Ok(Vec::new());
    };
    let begins = |kind: &Kind| kind.as_str().starts_with(prefix);
    let kinds: Vec<Kind> = Kind::ALL.iter().copied().filter(begins).collect();
    if kinds.is_empty() {
        let detail = format!(
            "no kind of event begins with `{}`; there are `task:`, `agent:`, `progress:`, `pipeline:`, `artifact:`, \
             `template:`, `key:` and `operation:`",
            quoted(prefix)
        );
        return Err(ApiError::fault("/type", "unknown_value", detail));
    }
    Ok(kinds)
}
