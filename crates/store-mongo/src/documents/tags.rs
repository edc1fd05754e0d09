//! The words under which the index `by_tag` finds a task: one index for all lists.
//!
//! Each says of what it is in its first letter. An index on one of them keeps the order of the lists, newest first.

use mcpanel_domain::{TaskId, task::Task};
use mongodb::bson::{Bson, Document, doc};

use super::derived;

/// Every task has it.
pub const ALL: &str = "*";

/// Tasks that wait for a task begin with this, and end with its id.
const WAITS: &str = "w:";

/// Tasks of a status.
pub fn status(status: &str) -> String {
    format!("s:{status}")
}

/// Tasks of a type.
pub fn task_type(name: &str) -> String {
    format!("t:{name}")
}

/// Tasks of a pipeline, and of one of its stages.
pub fn pipeline(id: &str, stage: Option<u16>) -> String {
    match stage {
        Some(stage) => format!("p:{id}/{stage}"),
        None => format!("p:{id}"),
    }
}

/// Tasks that an agent was given last.
pub fn agent(id: &str) -> String {
    format!("a:{id}")
}

/// Tasks that only one agent may be given.
pub fn target(id: &str) -> String {
    format!("g:{id}")
}

/// Tasks that wait for a task.
pub fn waits(id: &str) -> String {
    format!("{WAITS}{id}")
}

/// All of a task that waits for these.
pub fn of(task: &Task, waiting_on: &[TaskId]) -> Vec<String> {
    let mut tags = vec![
        ALL.to_owned(),
        status(task.status().as_str()),
        task_type(task.task_type.as_str()),
    ];
    if let Some(place) = &task.place {
        tags.push(pipeline(place.pipeline_id.as_str(), None));
        tags.push(pipeline(place.pipeline_id.as_str(), Some(place.stage)));
    }
    tags.extend(task.last_agent().map(|id| agent(id.as_str())));
    tags.extend(task.target.as_ref().map(|id| target(id.as_str())));
    tags.extend(waiting_on.iter().map(|id| waits(id.as_str())));
    tags
}

/// [`of`] in MongoDB's language, from the other fields of a stored task.
pub fn stored() -> Bson {
    let where_given = |field: &str, tags: Vec<Document>| {
        doc! { "$cond": [{ "$ne": [{ "$type": field }, "missing"] }, tags, []] }
    };
    let stage = doc! { "$toString": "$stage" };
    let pipeline = vec![
        doc! { "$concat": ["p:", "$pipeline_id"] },
        doc! { "$concat": ["p:", "$pipeline_id", "/", stage] },
    ];
    let always = vec![
        doc! { "$literal": ALL },
        doc! { "$concat": ["s:", "$status"] },
        doc! { "$concat": ["t:", "$task_type"] },
    ];
    let waiting_on = doc! { "$ifNull": [format!("${}", derived::WAITING_ON), []] };
    Bson::Document(doc! { "$concatArrays": [
        always,
        where_given("$pipeline_id", pipeline),
        where_given("$assigned_agent_id", vec![doc! { "$concat": ["a:", "$assigned_agent_id"] }]),
        where_given("$target_agent_id", vec![doc! { "$concat": ["g:", "$target_agent_id"] }]),
        { "$map": { "input": waiting_on, "in": { "$concat": [WAITS, "$$this"] } } },
    ] })
}
