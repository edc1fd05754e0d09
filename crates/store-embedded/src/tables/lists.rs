//! Sorted lists of documents that are filtered and paged.
//!
//! A document is in several lists: by status, by type, by agent, by pipeline. A query reads the list that
//! is likely the shortest, newest first, and passes over rows whose **facets**, small hashes of
//! the other filtered fields, cannot match. What is left is read and checked in full.

use mcpanel_domain::{
    AgentId, ArtifactId, Name, OperationId, PipelineId, TaskId, Timestamp,
    artifact::Artifact,
    operation::{Operation, Status as OperationStatus},
    pipeline::{Pipeline, Status as PipelineStatus},
    task::{Status, Task},
};
use mcpanel_store::query::{ArtifactFilter, OperationFilter, PipelineFilter, Position, TaskFilter};

/// A list's name, within a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum List {
    TaskStatus(Status),
    TaskType(Name),
    TaskAgent(AgentId),
    TaskPipeline(PipelineId),
    Pipelines,
    PipelineStatus(&'static str),
    PipelineTag(String),
    Artifacts,
    ArtifactPipeline(PipelineId),
    ArtifactTask(TaskId),
    ArtifactRole(String),
    Operations,
}

impl List {
    /// The name in the table of lists.
    pub fn name(&self) -> String {
        match self {
            Self::TaskStatus(status) => format!("task.status:{}", status.as_str()),
            Self::TaskType(name) => format!("task.type:{name}"),
            Self::TaskAgent(id) => format!("task.agent:{id}"),
            Self::TaskPipeline(id) => format!("task.pipeline:{id}"),
            Self::Pipelines => "pipeline".to_owned(),
            Self::PipelineStatus(status) => format!("pipeline.status:{status}"),
            Self::PipelineTag(tag) => format!("pipeline.tag:{tag}"),
            Self::Artifacts => "artifact".to_owned(),
            Self::ArtifactPipeline(id) => format!("artifact.pipeline:{id}"),
            Self::ArtifactTask(id) => format!("artifact.task:{id}"),
            Self::ArtifactRole(role) => format!("artifact.role:{role}"),
            Self::Operations => "operation".to_owned(),
        }
    }
}

/// A row's place in each of its lists.
#[derive(Debug, Clone)]
pub struct Rows {
    pub lists: Vec<List>,
    pub position: Position,
    pub facets: i64,
}

/// Which lists to read, together in one order, and which rows to pass over.
#[derive(Debug, Clone)]
pub struct Plan {
    pub lists: Vec<List>,
    /// Facet bits that must be equal to `want`.
    pub mask: i64,
    pub want: i64,
    /// Statuses a row may have, as facet values; any when empty.
    pub statuses: Vec<i64>,
}

// Facets of a row, from the lowest bit: status, stage, type or role, pipeline, task.
const STATUS: Field = Field { shift: 0, bits: 3 };
const STAGE: Field = Field { shift: 3, bits: 12 };
const KIND: Field = Field {
    shift: 15,
    bits: 16,
};
const PIPELINE: Field = Field {
    shift: 31,
    bits: 16,
};
const TASK: Field = Field {
    shift: 47,
    bits: 16,
};

/// The bits of the status, for comparing in SQL.
pub const STATUS_MASK: i64 = STATUS.mask();

struct Field {
    shift: u32,
    bits: u32,
}

impl Field {
    const fn mask(&self) -> i64 {
        ((1 << self.bits) - 1) << self.shift
    }

    /// A figure of any size, cut to the field's width.
    fn of(&self, figure: u64) -> i64 {
        let cut = figure & ((1 << self.bits) - 1);
        i64::try_from(cut).expect("a field has at most 16 bits") << self.shift
    }

    fn of_text(&self, text: Option<&str>) -> i64 {
        match text {
            // CRC-32 is fixed for ever, as what is stored must be.
            Some(text) => self.of(u64::from(crc32fast::hash(text.as_bytes()))),
            None => 0,
        }
    }
}

fn status_figure(status: Status) -> u64 {
    Status::ALL
        .iter()
        .zip(0..)
        .find(|(each, _)| **each == status)
        .map_or(7, |(_, figure)| figure)
}

fn stage_figure(stage: Option<u16>) -> u64 {
    stage.map_or(0, |stage| u64::from(stage) % 4_095 + 1)
}

/// Where an ended task is listed.
pub fn task_rows(task: &Task) -> Rows {
    let mut lists = vec![
        List::TaskStatus(task.status()),
        List::TaskType(task.task_type.clone()),
    ];
    if let Some(agent) = task.last_agent() {
        lists.push(List::TaskAgent(agent.clone()));
    }
    if let Some(target) = &task.target
        && task.last_agent() != Some(target)
    {
        lists.push(List::TaskAgent(target.clone()));
    }
    let place = task.place.as_ref();
    if let Some(place) = place {
        lists.push(List::TaskPipeline(place.pipeline_id.clone()));
    }
    Rows {
        lists,
        position: Position {
            created_at: task.created_at,
            id: task.id.to_string(),
        },
        facets: STATUS.of(status_figure(task.status()))
            | STAGE.of(stage_figure(place.map(|place| place.stage)))
            | KIND.of_text(Some(task.task_type.as_str()))
            | PIPELINE.of_text(place.map(|place| place.pipeline_id.as_str())),
    }
}

/// How to find ended tasks; `None` when none can match.
pub fn task_plan(filter: &TaskFilter) -> Option<Plan> {
    if !filter.admits_ended() {
        return None;
    }
    let ended: Vec<Status> = [Status::Completed, Status::Failed, Status::Cancelled]
        .into_iter()
        .filter(|status| filter.statuses.is_empty() || filter.statuses.contains(status))
        .collect();
    if ended.is_empty() {
        return None;
    }
    let by_status = || ended.iter().copied().map(List::TaskStatus).collect();
    // Most tasks are completed: a list of the others is short.
    let rare = !ended.contains(&Status::Completed);
    let lists = match filter {
        TaskFilter {
            pipeline_id: Some(id),
            ..
        } => vec![List::TaskPipeline(id.clone())],
        _ if rare => by_status(),
        TaskFilter {
            agent_id: Some(id), ..
        } => vec![List::TaskAgent(id.clone())],
        TaskFilter {
            task_type: Some(name),
            ..
        } => vec![List::TaskType(name.clone())],
        _ => by_status(),
    };
    let mut plan = Plan::all(lists);
    plan.statuses = ended
        .into_iter()
        .map(|status| STATUS.of(status_figure(status)))
        .collect();
    if let Some(name) = &filter.task_type {
        plan.require(&KIND, KIND.of_text(Some(name.as_str())));
    }
    if let Some(id) = &filter.pipeline_id {
        plan.require(&PIPELINE, PIPELINE.of_text(Some(id.as_str())));
    }
    if let Some(stage) = filter.stage {
        plan.require(&STAGE, STAGE.of(stage_figure(Some(stage))));
    }
    Some(plan)
}

/// Where a pipeline is listed.
pub fn pipeline_rows(pipeline: &Pipeline) -> Rows {
    let mut lists = vec![
        List::Pipelines,
        List::PipelineStatus(pipeline.status.as_str()),
    ];
    lists.extend(pipeline.tags.iter().cloned().map(List::PipelineTag));
    lists.sort();
    lists.dedup();
    Rows {
        lists,
        position: Position {
            created_at: pipeline.created_at,
            id: pipeline.id.to_string(),
        },
        facets: STATUS.of(pipeline_figure(pipeline.status)),
    }
}

fn pipeline_figure(status: PipelineStatus) -> u64 {
    PipelineStatus::ALL
        .iter()
        .zip(0..)
        .find(|(each, _)| **each == status)
        .map_or(7, |(_, figure)| figure)
}

/// How to find pipelines.
pub fn pipeline_plan(filter: &PipelineFilter) -> Plan {
    let lists = match &filter.tag {
        Some(tag) => vec![List::PipelineTag(tag.clone())],
        None if filter.statuses.is_empty() => vec![List::Pipelines],
        None => {
            let mut lists: Vec<List> = filter
                .statuses
                .iter()
                .map(|status| List::PipelineStatus(status.as_str()))
                .collect();
            lists.sort();
            lists.dedup();
            lists
        }
    };
    let mut plan = Plan::all(lists);
    plan.statuses = filter
        .statuses
        .iter()
        .map(|status| STATUS.of(pipeline_figure(*status)))
        .collect();
    plan
}

/// Where an artifact is listed.
pub fn artifact_rows(artifact: &Artifact) -> Rows {
    let mut lists = vec![Some(List::Artifacts)];
    lists.push(artifact.pipeline_id.clone().map(List::ArtifactPipeline));
    lists.push(artifact.task_id.clone().map(List::ArtifactTask));
    lists.push(Some(List::ArtifactRole(artifact.role.clone())));
    Rows {
        lists: lists.into_iter().flatten().collect(),
        position: Position {
            created_at: artifact.created_at,
            id: artifact.id.to_string(),
        },
        facets: STAGE.of(stage_figure(artifact.stage))
            | KIND.of_text(Some(&artifact.role))
            | PIPELINE.of_text(artifact.pipeline_id.as_ref().map(PipelineId::as_str))
            | TASK.of_text(artifact.task_id.as_ref().map(TaskId::as_str)),
    }
}

/// How to find artifacts.
pub fn artifact_plan(filter: &ArtifactFilter) -> Plan {
    let list = match filter {
        ArtifactFilter {
            task_id: Some(id), ..
        } => List::ArtifactTask(id.clone()),
        ArtifactFilter {
            pipeline_id: Some(id),
            ..
        } => List::ArtifactPipeline(id.clone()),
        ArtifactFilter {
            role: Some(role), ..
        } => List::ArtifactRole(role.clone()),
        _ => List::Artifacts,
    };
    let mut plan = Plan::all(vec![list]);
    if let Some(id) = &filter.task_id {
        plan.require(&TASK, TASK.of_text(Some(id.as_str())));
    }
    if let Some(id) = &filter.pipeline_id {
        plan.require(&PIPELINE, PIPELINE.of_text(Some(id.as_str())));
    }
    if let Some(role) = &filter.role {
        plan.require(&KIND, KIND.of_text(Some(role)));
    }
    if let Some(stage) = filter.stage {
        plan.require(&STAGE, STAGE.of(stage_figure(stage)));
    }
    plan
}

/// Where an operation is listed.
pub fn operation_rows(operation: &Operation) -> Rows {
    Rows {
        lists: vec![List::Operations],
        position: operation.position(),
        facets: STATUS.of(operation_figure(operation.status)),
    }
}

fn operation_figure(status: OperationStatus) -> u64 {
    OperationStatus::ALL
        .iter()
        .zip(0..)
        .find(|(each, _)| **each == status)
        .map_or(7, |(_, figure)| figure)
}

/// How to find operations.
pub fn operation_plan(filter: &OperationFilter) -> Plan {
    let mut plan = Plan::all(vec![List::Operations]);
    plan.statuses = filter
        .statuses
        .iter()
        .map(|status| STATUS.of(operation_figure(*status)))
        .collect();
    plan
}

impl Plan {
    fn all(lists: Vec<List>) -> Self {
        Self {
            lists,
            mask: 0,
            want: 0,
            statuses: Vec::new(),
        }
    }

    fn require(&mut self, field: &Field, value: i64) {
        self.mask |= field.mask();
        self.want |= value;
    }
}

/// The kinds of documents that are listed.
pub trait Listed: serde::Serialize + serde::de::DeserializeOwned {
    /// Their table.
    const TABLE: &'static str;
    /// Their id.
    type Id: std::str::FromStr + AsRef<str>;
    /// Their place in lists: when they were created, and their id.
    fn place(&self) -> (Timestamp, &str);

    /// The same, to keep.
    fn position(&self) -> Position {
        let (created_at, id) = self.place();
        Position {
            created_at,
            id: id.to_owned(),
        }
    }
}

impl Listed for Task {
    const TABLE: &'static str = "task";
    type Id = TaskId;
    fn place(&self) -> (Timestamp, &str) {
        (self.created_at, self.id.as_str())
    }
}

impl Listed for Pipeline {
    const TABLE: &'static str = "pipeline";
    type Id = PipelineId;
    fn place(&self) -> (Timestamp, &str) {
        (self.created_at, self.id.as_str())
    }
}

impl Listed for Artifact {
    const TABLE: &'static str = "artifact";
    type Id = ArtifactId;
    fn place(&self) -> (Timestamp, &str) {
        (self.created_at, self.id.as_str())
    }
}

impl Listed for Operation {
    const TABLE: &'static str = "operation";
    type Id = OperationId;
    fn place(&self) -> (Timestamp, &str) {
        (self.created_at, self.id.as_str())
    }
}
