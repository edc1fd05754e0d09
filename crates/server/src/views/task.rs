//! Tasks.

use std::sync::{Arc, LazyLock};

use mcpanel_api::{
    retry,
    task::{NewTask, Task, TaskError, TaskQuery, TaskStatus, UpdateTask},
};
use mcpanel_control::{Claimed, TaskView};
use mcpanel_domain::{
    Payload, TaskId,
    retry::RetryConfig,
    task::{self as rules, Filter, Proof, Search, new::Changes},
};

/// The retry policy of all tasks that name none, shared between them: a million waiting tasks hold one.
static RETRY_DEFAULT: LazyLock<Arc<RetryConfig>> = LazyLock::new(Arc::default);

/// A task with its payloads.
pub fn task(view: &TaskView) -> Task {
    shown(
        &view.task,
        view.payloads.parameters.clone(),
        view.payloads.result.clone(),
    )
}

/// A task as its claimer sees it: with the lease.
pub fn claimed(claimed: &Claimed) -> Task {
    Task {
        lease: Some(claimed.proof.to_string()),
        lease_expires_at: Some(claimed.expires_at),
        ..shown(&claimed.task, claimed.parameters.clone(), None)
    }
}

fn shown(task: &rules::Task, parameters: Payload, result: Option<Payload>) -> Task {
    let place = task.place.as_ref();
    Task {
        task_id: task.id.clone(),
        namespace: task.namespace.clone(),
        pipeline_id: place.map(|place| place.pipeline_id.clone()),
        stage: place.map(|place| place.stage),
        index: place.map(|place| place.index),
        task_type: task.task_type.clone(),
        status: status(task.status()),
        assigned_agent_id: task.last_agent().cloned(),
        agent_id: task.target.clone(),
        capabilities: task.capabilities.to_vec(),
        parameters,
        result,
        error: task.error.as_ref().map(error),
        retry_count: task.retry_count,
        max_retries: task.retry.max_retries,
        retry_config: (*task.retry).clone().into(),
        attempt: task.attempt,
        progress: task.progress.percent,
        message: task.progress.message.clone(),
        counters: task.progress.counters.iter().cloned().collect(),
        cancel_requested: task.cancel_requested.is_some(),
        priority: task.priority,
        dependencies: task.dependencies.to_vec(),
        run_at: task.run_at,
        deadline: task.deadline,
        timeout_ms: task.timeout_ms,
        metadata: task.metadata.clone().unwrap_or_default(),
        created_by: task.created_by.to_string(),
        created_at: task.created_at,
        updated_at: task.updated_at,
        started_at: task.started_at,
        completed_at: task.completed_at,
        revision: task.revision,
        lease: None,
        lease_expires_at: None,
    }
}

/// An error.
pub fn error(error: &rules::TaskError) -> TaskError {
    TaskError {
        kind: error.kind.into(),
        message: error.message.clone(),
        details: error.details.clone(),
    }
}

/// A status, in the words of the wire.
pub fn status(status: rules::Status) -> TaskStatus {
    match status {
        rules::Status::Pending => TaskStatus::Pending,
        rules::Status::Assigned => TaskStatus::Assigned,
        rules::Status::Running => TaskStatus::Running,
        rules::Status::Completed => TaskStatus::Completed,
        rules::Status::Failed => TaskStatus::Failed,
        rules::Status::Retry => TaskStatus::Retry,
        rules::Status::Cancelled => TaskStatus::Cancelled,
    }
}

/// A status in the words of the rules.
pub fn wanted(status: TaskStatus) -> rules::Status {
    match status {
        TaskStatus::Pending => rules::Status::Pending,
        TaskStatus::Assigned => rules::Status::Assigned,
        TaskStatus::Running => rules::Status::Running,
        TaskStatus::Completed => rules::Status::Completed,
        TaskStatus::Failed => rules::Status::Failed,
        TaskStatus::Retry => rules::Status::Retry,
        TaskStatus::Cancelled => rules::Status::Cancelled,
    }
}

/// A request for a task, as the rules take it. `fresh` makes the id that the caller left out.
pub fn new(request: NewTask, fresh: impl FnOnce() -> TaskId) -> rules::NewTask {
    rules::NewTask {
        id: request.task_id.unwrap_or_else(fresh),
        task_type: request.task_type,
        capabilities: request.capabilities.unwrap_or_default(),
        target: request.agent_id,
        place: None,
        priority: request.priority.unwrap_or(0),
        dependencies: request.dependencies,
        run_at: request.run_at,
        deadline: request.deadline,
        timeout_ms: request.timeout_ms,
        retry: policy(request.retry_config, request.max_retries)
            .unwrap_or_else(|| RETRY_DEFAULT.clone()),
        metadata: request.metadata,
        parameters: request.parameters.unwrap_or_default(),
    }
}

/// The retry policy that a request names, if it names one; `max_retries` wins over the policy's own.
fn policy(
    config: Option<retry::RetryConfig>,
    max_retries: Option<u32>,
) -> Option<Arc<RetryConfig>> {
    if config.is_none() && max_retries.is_none() {
        return None;
    }
    let mut config: RetryConfig = config.unwrap_or_default().into();
    if let Some(max_retries) = max_retries {
        config.max_retries = max_retries;
    }
    Some(Arc::new(config))
}

/// Changes to a task. Those of the retry policy begin with the task's `present` one.
pub fn changes(request: UpdateTask, present: &RetryConfig) -> Changes {
    let config = request
        .retry_config
        .or_else(|| request.max_retries.map(|_| present.clone().into()));
    Changes {
        priority: request.priority,
        run_at: request.run_at,
        deadline: request.deadline,
        timeout_ms: request.timeout_ms,
        dependencies: request.dependencies,
        capabilities: request.capabilities,
        retry: policy(config, request.max_retries),
        metadata: request.metadata,
        // Set by who decides, at that moment.
        now: mcpanel_domain::Timestamp::ZERO,
    }
}

/// Which tasks a query asks for.
pub fn search(query: TaskQuery) -> Search {
    Search {
        filter: Filter {
            statuses: query.status.map(wanted).into_iter().collect(),
            task_type: query.task_type,
            agent_id: query.assigned_agent_id,
            held_by: query.held_by,
            pipeline_id: query.pipeline_id,
            stage: query.stage,
            created_from: query.created_from,
            created_before: query.created_before,
            updated_from: query.updated_from,
            updated_before: query.updated_before,
            ended_from: query.ended_from,
            ended_before: query.ended_before,
        },
        text: query.text,
    }
}

/// A lease as the rules compare it. Leases are opaque to callers, so a text that is none is
/// not a fault of form but a lease that holds nothing: attempts begin at 1.
pub fn proof(lease: &str) -> Proof {
    Proof::parse(lease).unwrap_or(Proof {
        attempt: 0,
        nonce: 0,
    })
}
