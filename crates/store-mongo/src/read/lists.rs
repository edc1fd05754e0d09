//! Lists: filtered, newest first, a page at a time, each by the index that narrows it most.

use mcpanel_domain::{Namespace, task::Status};
use mcpanel_store::{
    Result,
    query::{ArtifactFilter, Listing, OperationFilter, Page, PipelineFilter, Position, TaskFilter},
};
use mongodb::bson::{Document, doc};

use super::Query;
use crate::{
    documents::{DateTime, derived, fields::date, tags},
    schema,
};

/// A page of tasks, without their input and output, and one more to see whether there are more.
pub fn tasks(namespace: &Namespace, filter: &TaskFilter, page: &Page) -> Query {
    let mut matching = doc! { "namespace": namespace.as_str() };
    // The narrowest of the filters chooses what the index looks at; the others are checked.
    let mut words = vec![tags::ALL.to_owned()];
    if let Some(task_type) = &filter.task_type {
        matching.insert("task_type", task_type.as_str());
        words = vec![tags::task_type(task_type.as_str())];
    }
    let statuses: Vec<&str> = filter.statuses.iter().map(|each| each.as_str()).collect();
    if any_of(&mut matching, "status", &statuses) {
        words = statuses.iter().map(|status| tags::status(status)).collect();
    }
    if let Some(stage) = filter.stage {
        matching.insert("stage", i32::from(stage));
    }
    let mut either = Vec::new();
    if let Some(agent) = &filter.agent_id {
        either.push(vec![
            doc! { "assigned_agent_id": agent.as_str() },
            doc! { "target_agent_id": agent.as_str() },
        ]);
        words = vec![tags::agent(agent.as_str()), tags::target(agent.as_str())];
    }
    if let Some(agent) = &filter.held_by {
        // Whoever holds a task is the last that it was given to.
        matching.insert("assigned_agent_id", agent.as_str());
        matching.insert("lease.agent_id", agent.as_str());
        words = vec![tags::agent(agent.as_str())];
    }
    if let Some(pipeline) = &filter.pipeline_id {
        matching.insert("pipeline_id", pipeline.as_str());
        words = vec![tags::pipeline(pipeline.as_str(), filter.stage)];
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    any_of(&mut matching, derived::TAGS, &words);
    for (field, from, before) in [
        ("updated_at", filter.updated_from, filter.updated_before),
        ("completed_at", filter.ended_from, filter.ended_before),
    ] {
        let bounds = between(from.map(date), before.map(date));
        if !bounds.is_empty() {
            matching.insert(field, bounds);
        }
    }
    let created = between(
        filter.created_from.map(date),
        filter.created_before.map(date),
    );
    finish(
        schema::TASKS,
        "task_id",
        matching,
        created,
        either,
        "by_tag",
        page,
    )
    .without(&["parameters", "parameters_json", "result", "result_json"])
}

/// A page of pipelines, and one more.
pub fn pipelines(namespace: &Namespace, filter: &PipelineFilter, page: &Page) -> Query {
    let mut matching = doc! { "namespace": namespace.as_str() };
    let mut index = "newest";
    let statuses: Vec<&str> = filter.statuses.iter().map(|each| each.as_str()).collect();
    if any_of(&mut matching, "status", &statuses) {
        index = "by_status";
    }
    if let Some(template) = &filter.template {
        matching.insert("template_id", template.as_str());
        index = "by_template";
    }
    if let Some(tag) = &filter.tag {
        matching.insert("tags", tag.as_str());
        index = "by_tag";
    }
    let created = between(
        filter.created_from.map(date),
        filter.created_before.map(date),
    );
    finish(
        schema::PIPELINES,
        "pipeline_id",
        matching,
        created,
        Vec::new(),
        index,
        page,
    )
}

/// A page of operations, and one more.
pub fn operations(namespace: &Namespace, filter: &OperationFilter, page: &Page) -> Query {
    let mut matching = doc! { "namespace": namespace.as_str() };
    let statuses: Vec<&str> = filter.statuses.iter().map(|each| each.as_str()).collect();
    let index = match any_of(&mut matching, "status", &statuses) {
        true => "by_status",
        false => "newest",
    };
    finish(
        schema::OPERATIONS,
        "operation_id",
        matching,
        Document::new(),
        Vec::new(),
        index,
        page,
    )
}

/// A page of artifacts, and one more.
pub fn artifacts(namespace: &Namespace, filter: &ArtifactFilter, page: &Page) -> Query {
    let mut matching = doc! { "namespace": namespace.as_str() };
    let mut index = "newest";
    if let Some(role) = &filter.role {
        matching.insert("role", role.as_str());
    }
    match filter.stage {
        Some(Some(stage)) => {
            matching.insert("stage", i32::from(stage));
        }
        Some(None) => {
            matching.insert("stage", doc! { "$exists": false });
        }
        None => {}
    }
    if let Some(pipeline) = &filter.pipeline_id {
        matching.insert("pipeline_id", pipeline.as_str());
        index = "by_pipeline";
    }
    if let Some(task) = &filter.task_id {
        matching.insert("task_id", task.as_str());
        index = "by_task";
    }
    finish(
        schema::ARTIFACTS,
        "artifact_id",
        matching,
        Document::new(),
        Vec::new(),
        index,
        page,
    )
}

fn any_of(matching: &mut Document, field: &str, words: &[&str]) -> bool {
    match words {
        [] => return false,
        [word] => matching.insert(field, *word),
        words => matching.insert(field, doc! { "$in": words }),
    };
    true
}

fn between(from: Option<DateTime>, before: Option<DateTime>) -> Document {
    let mut created = Document::new();
    if let Some(from) = from {
        created.insert("$gte", from);
    }
    if let Some(before) = before {
        created.insert("$lt", before);
    }
    created
}

/// Adds the place where the page begins, and the order.
fn finish(
    collection: &'static str,
    id: &str,
    mut matching: Document,
    mut created: Document,
    mut either: Vec<Vec<Document>>,
    index: &'static str,
    page: &Page,
) -> Query {
    if let Some(after) = &page.after {
        let at = date(after.created_at);
        // The bound lets the index begin at the right millisecond; the choice only sorts out that one.
        created.insert("$lte", at);
        either.push(vec![
            doc! { "created_at": { "$lt": at } },
            doc! { "created_at": at, id: { "$lt": after.id.as_str() } },
        ]);
    }
    if !created.is_empty() {
        matching.insert("created_at", created);
    }
    match either.len() {
        0 => {}
        1 => {
            matching.insert("$or", either.remove(0));
        }
        _ => {
            let all: Vec<Document> = either.into_iter().map(|any| doc! { "$or": any }).collect();
            matching.insert("$and", all);
        }
    }
    Query::of(collection, matching)
        .sorted(doc! { "created_at": -1, id: -1 })
        .at_most(page.limit.saturating_add(1))
        .by(index)
}

/// A page of tasks that have not ended, newest first, all of them in the end.
pub fn live_tasks(namespace: &Namespace, page: &Page) -> Query {
    let statuses = Status::ALL
        .into_iter()
        .filter(|status| !status.is_terminal())
        .collect();
    let filter = TaskFilter {
        statuses,
        ..TaskFilter::default()
    };
    tasks(namespace, &filter, page)
}

/// Cuts off the one that only showed that there are more.
pub fn listing<T>(
    mut items: Vec<T>,
    page: &Page,
    position: impl Fn(&T) -> Position,
) -> Result<Listing<T>> {
    let more = items.len() > page.limit;
    items.truncate(page.limit);
    let next = items.last().filter(|_| more).map(position);
    Ok(Listing { items, next })
}
