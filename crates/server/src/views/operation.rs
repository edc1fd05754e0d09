//! Operations on many tasks.

use mcpanel_api::operation::{
    NewOperation, Operation, OperationKind, OperationPreview, OperationStatus, TaskSelection,
};
use mcpanel_control::OperationRequest;
use mcpanel_domain::{
    operation::{self as rules, Kind, Matched, Status},
    task::{Filter, Search},
};
use mcpanel_store::query::OperationFilter;

use super::task;

/// An operation.
pub fn operation(operation: &rules::Operation) -> Operation {
    Operation {
        operation_id: operation.id.clone(),
        namespace: operation.namespace.clone(),
        kind: kind(operation.kind),
        filter: selection(&operation.search),
        status: status(operation.status),
        matched: operation.matched.tasks,
        matched_more: operation.matched.more,
        done: operation.done,
        skipped: operation.skipped,
        failed: operation.failed,
        progress: operation.progress(),
        reason: operation.reason.clone(),
        error: operation.error.clone(),
        created_by: operation.created_by.clone(),
        created_at: operation.created_at,
        updated_at: operation.updated_at,
        completed_at: operation.completed_at,
        revision: operation.revision,
    }
}

/// What an operation would do.
pub fn preview(asked: OperationKind, matched: Matched) -> OperationPreview {
    OperationPreview {
        kind: asked,
        matched: matched.tasks,
        matched_more: matched.more,
        dry_run: true,
    }
}

/// A request as the business layer takes it.
pub fn request(request: NewOperation) -> OperationRequest {
    OperationRequest {
        kind: match request.kind {
            OperationKind::Retry => Kind::Retry,
            OperationKind::Cancel => Kind::Cancel,
        },
        search: search(request.filter),
        all: request.all,
        reason: request.reason,
    }
}

/// Which operations a query asks for.
pub fn filter(wanted: Option<OperationStatus>) -> OperationFilter {
    let wanted = wanted.map(|wanted| match wanted {
        OperationStatus::Running => Status::Running,
        OperationStatus::Completed => Status::Completed,
        OperationStatus::Aborted => Status::Aborted,
        OperationStatus::Failed => Status::Failed,
    });
    OperationFilter {
        statuses: wanted.into_iter().collect(),
    }
}

fn search(selection: TaskSelection) -> Search {
    Search {
        filter: Filter {
            statuses: selection.statuses.into_iter().map(task::wanted).collect(),
            task_type: selection.task_type,
            agent_id: selection.assigned_agent_id,
            held_by: selection.held_by,
            pipeline_id: selection.pipeline_id,
            stage: selection.stage,
            created_from: selection.created_from,
            created_before: selection.created_before,
            updated_from: selection.updated_from,
            updated_before: selection.updated_before,
            ended_from: selection.ended_from,
            ended_before: selection.ended_before,
        },
        text: selection.text,
    }
}

fn selection(search: &Search) -> TaskSelection {
    let filter = search.filter.clone();
    TaskSelection {
        statuses: filter.statuses.into_iter().map(task::status).collect(),
        task_type: filter.task_type,
        assigned_agent_id: filter.agent_id,
        held_by: filter.held_by,
        pipeline_id: filter.pipeline_id,
        stage: filter.stage,
        created_from: filter.created_from,
        created_before: filter.created_before,
        updated_from: filter.updated_from,
        updated_before: filter.updated_before,
        ended_from: filter.ended_from,
        ended_before: filter.ended_before,
        text: search.text.clone(),
    }
}

fn kind(kind: Kind) -> OperationKind {
    match kind {
        Kind::Retry => OperationKind::Retry,
        Kind::Cancel => OperationKind::Cancel,
    }
}

fn status(status: Status) -> OperationStatus {
    match status {
        Status::Running => OperationStatus::Running,
        Status::Completed => OperationStatus::Completed,
        Status::Aborted => OperationStatus::Aborted,
        Status::Failed => OperationStatus::Failed,
    }
}
