//! What can be asked of a store.

use std::sync::Arc;

use mcpanel_domain::{
    AgentId, Name, PipelineId, TaskId, TemplateId, Timestamp,
    artifact::Artifact,
    event::{Event, Kind, Numbered},
    operation::{Operation, Status as OperationStatus},
    pipeline::{Pipeline, Status as PipelineStatus},
    task::{Needle, Status as TaskStatus},
};

/// Which page of a list, newest first.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Only what comes after this position; from the newest when none.
    pub after: Option<Position>,
    /// At most so many items.
    pub limit: usize,
}

impl Page {
    /// The newest so many.
    pub fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }

    /// Whether an item that was created at a moment, with this id, is on the page or after it.
    pub fn admits(&self, created_at: Timestamp, id: &str) -> bool {
        self.after
            .as_ref()
            .is_none_or(|after| (created_at, id) < (after.created_at, after.id.as_str()))
    }
}

/// A place in a list: the sort key of an item, with its id, so that items of the same millisecond
/// are neither lost nor repeated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// When the item was created.
    pub created_at: Timestamp,
    /// Its id.
    pub id: String,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Listing<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next: Option<Position>,
}

/// Which tasks.
pub use mcpanel_domain::task::Filter as TaskFilter;

/// Which pipelines.
#[derive(Debug, Clone, Default)]
pub struct PipelineFilter {
    /// Any of these; all when empty.
    pub statuses: Vec<PipelineStatus>,
    /// With this tag.
    pub tag: Option<String>,
    /// Made from this template, in whichever version.
    pub template: Option<TemplateId>,
    /// Created at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Created before this moment.
    pub created_before: Option<Timestamp>,
}

/// Which operations.
#[derive(Debug, Clone, Default)]
pub struct OperationFilter {
    /// Any of these; all when empty.
    pub statuses: Vec<OperationStatus>,
}

/// Which artifacts.
#[derive(Debug, Clone, Default)]
pub struct ArtifactFilter {
    /// Of this pipeline.
    pub pipeline_id: Option<PipelineId>,
    /// Made by this stage; `Some(None)`: uploaded, made by no stage.
    pub stage: Option<Option<u16>>,
    /// Made by this task.
    pub task_id: Option<TaskId>,
    /// For this purpose.
    pub role: Option<String>,
}

/// Which events.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Of any of these kinds; all when empty.
    pub kinds: Vec<Kind>,
    /// About this task.
    pub task_id: Option<TaskId>,
    /// About this agent.
    pub agent_id: Option<AgentId>,
    /// About this pipeline.
    pub pipeline_id: Option<PipelineId>,
    /// Caused by this caller, such as `key:<id>`.
    pub by: Option<String>,
    /// Happened at this moment or later.
    pub from: Option<Timestamp>,
    /// Happened before this moment.
    pub before: Option<Timestamp>,
    /// With this in what it tells or in an id of what it is about.
    pub text: Option<Needle>,
}

impl EventFilter {
    /// Whether an event is asked for.
    pub fn matches(&self, numbered: &Numbered) -> bool {
        let event = &numbered.event;
        (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && (self.task_id.is_none() || self.task_id == event.task_id)
            && (self.agent_id.is_none() || self.agent_id == event.agent_id)
            && (self.pipeline_id.is_none() || self.pipeline_id == event.pipeline_id)
            && (self.by.is_none() || self.by.as_deref() == event.by.as_deref())
            && self.from.is_none_or(|from| event.at >= from)
            && self.before.is_none_or(|before| event.at < before)
            && self.text.as_ref().is_none_or(|text| says(event, text))
    }
}

/// Whether an event has a text in its message, its subject or the ids of what it is about.
fn says(event: &Event, text: &Needle) -> bool {
    [
        event.message.as_deref(),
        event.subject.as_deref(),
        event.task_id.as_ref().map(TaskId::as_str),
        event.agent_id.as_ref().map(AgentId::as_str),
        event.pipeline_id.as_ref().map(PipelineId::as_str),
    ]
    .into_iter()
    .flatten()
    .any(|told| text.is_in(told))
}

/// Events, oldest first.
#[derive(Debug, Clone)]
pub struct Events {
    /// Those that were asked for.
    pub events: Vec<Arc<Numbered>>,
    /// The highest number that was looked at: where to go on.
    pub scanned_to: u64,
    /// The newest number in the store.
    pub last: u64,
    /// The oldest number still kept. When it is above the asked one plus one, some are gone.
    pub first_kept: u64,
}

/// The payloads of a task.
#[derive(Debug, Clone)]
pub struct Payloads {
    /// Its input.
    pub parameters: mcpanel_domain::Payload,
    /// Its output, once completed.
    pub result: Option<mcpanel_domain::Payload>,
}

/// How many documents there are, for an overview.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Tasks by status, in the order of [`TaskStatus::ALL`].
    pub tasks: [u64; 7],
    /// Tasks that could be given out this moment.
    pub ready: u64,
}

impl Totals {
    /// How many tasks have any of these statuses; all of them for none.
    pub fn of(&self, statuses: &[TaskStatus]) -> u64 {
        TaskStatus::ALL
            .iter()
            .zip(self.tasks)
            .filter(|(status, _)| statuses.is_empty() || statuses.contains(status))
            .map(|(_, count)| count)
            .sum()
    }
}

/// How many tasks of one type have not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Their type.
    pub task_type: Name,
    /// Those that wait: for their dependencies, their time or an agent.
    pub waiting: u64,
    /// When the oldest of the waiting ones was created.
    pub oldest: Option<Timestamp>,
    /// Those that an agent holds.
    pub running: u64,
}

/// How a store is.
#[derive(Debug, Clone)]
pub struct Health {
    /// What kind of store it is, such as `embedded`.
    pub engine: &'static str,
    /// Why it takes no writes, if it takes none.
    pub read_only: Option<String>,
    /// Whether it answers questions.
    pub reads: bool,
    /// Bytes on disk, where it has a disk.
    pub size_bytes: Option<u64>,
    /// Durable flushes so far and commits in them, to see how well they are merged.
    pub flushes: u64,
    /// Commits so far.
    pub commits: u64,
}

impl PipelineFilter {
    /// Whether a pipeline is asked for.
    pub fn matches(&self, pipeline: &Pipeline) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&pipeline.status))
            && self
                .tag
                .as_ref()
                .is_none_or(|wanted| pipeline.tags.contains(wanted))
            && self.template.as_ref().is_none_or(|wanted| {
                let made_from = pipeline.template.as_ref();
                made_from.is_some_and(|(template, _)| template == wanted)
            })
            && self
                .created_from
                .is_none_or(|from| pipeline.created_at >= from)
            && self
                .created_before
                .is_none_or(|before| pipeline.created_at < before)
    }
}

impl OperationFilter {
    /// Whether an operation is asked for.
    pub fn matches(&self, operation: &Operation) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&operation.status)
    }
}

impl ArtifactFilter {
    /// Whether an artifact is asked for.
    pub fn matches(&self, artifact: &Artifact) -> bool {
        self.pipeline_id
            .as_ref()
            .is_none_or(|wanted| artifact.pipeline_id.as_ref() == Some(wanted))
            && self.stage.is_none_or(|wanted| artifact.stage == wanted)
            && self
                .task_id
                .as_ref()
                .is_none_or(|wanted| artifact.task_id.as_ref() == Some(wanted))
            && self
                .role
                .as_ref()
                .is_none_or(|wanted| artifact.role == *wanted)
    }
}
