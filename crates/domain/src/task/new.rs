//! New tasks and changes to waiting ones: what is checked before the rules see them.

use std::sync::Arc;

use super::{
    Decision, Place, Progress, State, Task,
    decide::{event, sorted},
};
use crate::{
    AgentId, Fault, Name, Namespace, Payload, Rejection, TaskId, Timestamp,
    event::Kind,
    limits::{
        CAPABILITIES_MAX, DEPENDENCIES_MAX, PAYLOAD_BYTES_MAX, PRIORITY_RANGE, TIMEOUT_MS_MAX,
    },
    retry::RetryConfig,
};

/// What a caller says about a new task. Parameters travel beside it.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// Its id; generated where the caller brought none.
    pub id: TaskId,
    /// What kind of work it is.
    pub task_type: Name,
    /// What an agent must offer; `[task_type]` when empty.
    pub capabilities: Vec<Name>,
    /// The only agent that may run it.
    pub target: Option<AgentId>,
    /// Where it belongs in a pipeline.
    pub place: Option<Place>,
    /// Higher runs first.
    pub priority: i32,
    /// Tasks that must be completed before it.
    pub dependencies: Vec<TaskId>,
    /// Not before this moment.
    pub run_at: Option<Timestamp>,
    /// Fails when it has not ended by then.
    pub deadline: Option<Timestamp>,
    /// Longest time one attempt may run, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// When it is tried again.
    pub retry: Arc<RetryConfig>,
    /// Free-form, small.
    pub metadata: Option<Payload>,
    /// The input of the work.
    pub parameters: Payload,
}

impl NewTask {
    /// A task of this type with everything else as usual.
    pub fn of_type(id: TaskId, task_type: Name) -> Self {
        Self {
            id,
            task_type,
            capabilities: Vec::new(),
            target: None,
            place: None,
            priority: 0,
            dependencies: Vec::new(),
            run_at: None,
            deadline: None,
            timeout_ms: None,
            retry: Arc::new(RetryConfig::default()),
            metadata: None,
            parameters: Payload::empty(),
        }
    }

    /// Everything wrong with it, with pointers relative to it.
    pub fn faults(&self, now: Timestamp) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_priority(self.priority, &mut faults);
        check_timeout(self.timeout_ms, &mut faults);
        check_deadline(self.run_at, self.deadline, now, &mut faults);
        check_dependencies(&self.id, &self.dependencies, &mut faults);
        if self.capabilities.len() > CAPABILITIES_MAX {
            faults.push(too_many(
                "/capabilities",
                self.capabilities.len(),
                CAPABILITIES_MAX,
            ));
        }
        check_payload("/parameters", Some(&self.parameters), &mut faults);
        check_payload("/metadata", self.metadata.as_ref(), &mut faults);
        faults.extend(
            self.retry
                .faults()
                .into_iter()
                .map(|fault| fault.under("/retry_config")),
        );
        faults
    }

    /// The first revision of the document.
    pub fn create(&self, namespace: &Namespace, by: &Arc<str>, now: Timestamp) -> Decision {
        let capabilities = if self.capabilities.is_empty() {
            Arc::from([self.task_type.clone()])
        } else {
            sorted(&self.capabilities)
        };
        let task = Task {
            id: self.id.clone(),
            namespace: namespace.clone(),
            revision: 1,
            task_type: self.task_type.clone(),
            capabilities,
            target: self.target.clone(),
            place: self.place.clone(),
            state: State::Pending,
            priority: self.priority,
            dependencies: Arc::from(self.dependencies.as_slice()),
            run_at: self.run_at,
            deadline: self.deadline,
            timeout_ms: self.timeout_ms,
            retry: self.retry.clone(),
            retry_count: 0,
            unstarted: 0,
            attempt: 0,
            attempts: Vec::new(),
            progress: Progress::default(),
            cancel_requested: None,
            error: None,
            metadata: self.metadata.clone(),
            created_at: now,
            updated_at: now,
            started_at: None,
            completed_at: None,
            created_by: by.clone(),
        };
        let created = event(&task, Kind::TaskCreated, now, None);
        Decision {
            task: Some(task),
            events: vec![created],
            effects: Vec::new(),
        }
    }
}

/// Changes to a waiting task; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Higher runs first.
    pub priority: Option<i32>,
    /// Not before this moment; `Some(None)` at once.
    pub run_at: Option<Option<Timestamp>>,
    /// Fails when it has not ended by then; `Some(None)` never.
    pub deadline: Option<Option<Timestamp>>,
    /// Longest time one attempt may run, in milliseconds; `Some(None)` unbounded.
    pub timeout_ms: Option<Option<u64>>,
    /// Tasks that must be completed before it. Existence and cycles are checked by who knows the others.
    pub dependencies: Option<Vec<TaskId>>,
    /// What an agent must offer.
    pub capabilities: Option<Vec<Name>>,
    /// When it is tried again.
    pub retry: Option<Arc<RetryConfig>>,
    /// Free-form.
    pub metadata: Option<Payload>,
    /// When the caller asked, to judge deadlines by.
    pub now: Timestamp,
}

impl Changes {
    pub(super) fn check(&self, task: &Task) -> Result<(), Rejection> {
        let mut faults = Vec::new();
        if let Some(priority) = self.priority {
            check_priority(priority, &mut faults);
        }
        if let Some(timeout) = self.timeout_ms {
            check_timeout(timeout, &mut faults);
        }
        if self.deadline.is_some() || self.run_at.is_some() {
            check_deadline(
                self.run_at.unwrap_or(task.run_at),
                self.deadline.unwrap_or(task.deadline),
                self.now,
                &mut faults,
            );
        }
        if let Some(dependencies) = &self.dependencies {
            check_dependencies(&task.id, dependencies, &mut faults);
        }
        if let Some(capabilities) = &self.capabilities {
            if capabilities.len() > CAPABILITIES_MAX {
                faults.push(too_many(
                    "/capabilities",
                    capabilities.len(),
                    CAPABILITIES_MAX,
                ));
            } else if capabilities.is_empty() {
                faults.push(Fault::new(
                    "/capabilities",
                    "empty",
                    "names no capability; at least one is needed",
                ));
            }
        }
        if let Some(retry) = &self.retry {
            faults.extend(
                retry
                    .faults()
                    .into_iter()
                    .map(|fault| fault.under("/retry_config")),
            );
        }
        check_payload("/metadata", self.metadata.as_ref(), &mut faults);
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Rejection::Invalid { faults })
        }
    }

    pub(super) fn apply(&self, task: &mut Task) {
        if let Some(priority) = self.priority {
            task.priority = priority;
        }
        if let Some(run_at) = self.run_at {
            task.run_at = run_at;
        }
        if let Some(deadline) = self.deadline {
            task.deadline = deadline;
        }
        if let Some(timeout_ms) = self.timeout_ms {
            task.timeout_ms = timeout_ms;
        }
        if let Some(dependencies) = &self.dependencies {
            task.dependencies = Arc::from(dependencies.as_slice());
        }
        if let Some(capabilities) = &self.capabilities {
            task.capabilities = sorted(capabilities);
        }
        if let Some(retry) = &self.retry {
            task.retry = retry.clone();
        }
        if let Some(metadata) = &self.metadata {
            task.metadata = Some(metadata.clone());
        }
    }
}

fn check_priority(priority: i32, faults: &mut Vec<Fault>) {
    if !PRIORITY_RANGE.contains(&priority) {
        faults.push(Fault::new(
            "/priority",
            "out_of_range",
            format!(
                "is {priority}; must be from {} to {}",
                PRIORITY_RANGE.start(),
                PRIORITY_RANGE.end()
            ),
        ));
    }
}

fn check_timeout(timeout_ms: Option<u64>, faults: &mut Vec<Fault>) {
    if let Some(ms) = timeout_ms
        && (ms == 0 || ms > TIMEOUT_MS_MAX)
    {
        faults.push(Fault::new(
            "/timeout_ms",
            "out_of_range",
            format!("is {ms}; must be from 1 to {TIMEOUT_MS_MAX} (30 days)"),
        ));
    }
}

fn check_deadline(
    run_at: Option<Timestamp>,
    deadline: Option<Timestamp>,
    now: Timestamp,
    faults: &mut Vec<Fault>,
) {
    let Some(deadline) = deadline else { return };
    if deadline <= now {
        faults.push(Fault::new(
            "/deadline",
            "in_the_past",
            format!("is {deadline}, which has passed; it is {now}"),
        ));
    } else if run_at.is_some_and(|run_at| deadline <= run_at) {
        faults.push(Fault::new(
            "/deadline",
            "before_run_at",
            format!("is {deadline}, not after run_at"),
        ));
    }
}

fn check_dependencies(id: &TaskId, dependencies: &[TaskId], faults: &mut Vec<Fault>) {
    if dependencies.len() > DEPENDENCIES_MAX {
        faults.push(too_many(
            "/dependencies",
            dependencies.len(),
            DEPENDENCIES_MAX,
        ));
        return;
    }
    let mut seen = std::collections::HashSet::new();
    for (at, dependency) in dependencies.iter().enumerate() {
        if dependency == id {
            faults.push(Fault::new(
                format!("/dependencies/{at}"),
                "dependency_cycle",
                "is the task itself",
            ));
        } else if !seen.insert(dependency) {
            faults.push(Fault::new(
                format!("/dependencies/{at}"),
                "repeated",
                format!("names `{dependency}` a second time"),
            ));
        }
    }
}

fn check_payload(pointer: &str, payload: Option<&Payload>, faults: &mut Vec<Fault>) {
    let Some(payload) = payload else { return };
    if payload.size_bytes() > PAYLOAD_BYTES_MAX {
        faults.push(Fault::new(
            pointer,
            "too_large",
            format!(
                "has {} bytes; at most {PAYLOAD_BYTES_MAX}. Store larger data as an artifact and name its id",
                payload.size_bytes()
            ),
        ));
    }
}

fn too_many(pointer: &str, found: usize, max: usize) -> Fault {
    Fault::new(
        pointer,
        "too_many",
        format!("has {found} items; at most {max}"),
    )
}
